// A CUDA device for the executor of streams.
#pragma once

#include <cstdint>
#include <memory>

#include <hawser/cuda/group.hpp>
#include <hawser/executor/stream_device.hpp>

namespace hawser::cuda {

/// How a device is used.
struct stream_device_options {
  std::int32_t device = 0;
  /// CTAs of a reduction at most, so that the caller's own kernels keep the rest of the GPU; 0: as the policy of the
  /// architecture has it, for all multiprocessors.
  std::int32_t most_ctas = 0;
};

/// The device. Each of its calls leaves the caller's current device as it was. Throws errc::unsupported "no CUDA device
/// (reason); ..." where there is none, errc::invalid_argument where the number is out of range. Proven on no GPU yet
/// (docs/gpu.md).
std::shared_ptr<executor::stream_device> open_stream_device(const stream_device_options& options = {});

/// A stream of the caller's as the executor names it.
inline executor::stream_handle handle_of(stream_handle stream) noexcept {
  return static_cast<executor::stream_handle>(reinterpret_cast<std::uintptr_t>(stream));
}

}  // namespace hawser::cuda
