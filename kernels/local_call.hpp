// The argument of the local reduction's kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/epilogue.hpp>

namespace hawser::cuda::kernels {

/// Inputs of a local reduction, by value. `count` elements; any alignment.
struct local_call {
  static constexpr int most_inputs = 16;
  std::byte* inputs[most_inputs] = {};
  std::int32_t input_count = 0;
  std::byte* output = nullptr;
  std::uint64_t count = 0;
  device::scaling how = device::scaling::none;
  std::uint32_t divisor = 1;
  double factor = 1;
};

}  // namespace hawser::cuda::kernels
