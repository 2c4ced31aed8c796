// Measures what the table of policies assumes, on the GPU at hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/cuda/policy.hpp>

namespace hawser::cuda {

/// The speed of one way to launch the local reduction: bytes read and written per second, of which a copy on the device
/// gives the limit.
struct reduction_measurement {
  std::int32_t threads = 0;
  std::int32_t ctas_per_sm = 0;
  std::int32_t inputs = 0;
  double bytes_per_second = 0;
};

/// What was measured on a GPU, and the policy that follows. Thresholds between algorithms are not measured: they are
/// NVLink's, and one GPU has none.
struct device_measurement {
  std::string gpu;
  double copy_bytes_per_second = 0;  ///< read and written
  std::vector<reduction_measurement> reductions;
  launch_policy policy;
};

/// Runs the local float32 sum of 2, 4 and 8 inputs of `bytes` each with every number of threads and CTAs that is a
/// candidate, between copies. Throws errc::unsupported "no CUDA device (...)" where there is none, errc::resource.
device_measurement measure_device(std::int32_t device, std::uint64_t bytes = 256 << 20);

}  // namespace hawser::cuda
