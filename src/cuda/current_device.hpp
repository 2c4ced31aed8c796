// What the adapters of the executor of streams share: handles as CUDA's, and the current device for a while.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include <hawser/executor/stream_device.hpp>

#include "cuda/runtime.hpp"

namespace hawser::cuda {

inline cudaStream_t native(executor::stream_handle stream) noexcept {
  return reinterpret_cast<cudaStream_t>(static_cast<std::uintptr_t>(stream));
}
inline cudaEvent_t native(executor::event_handle event) noexcept {
  return reinterpret_cast<cudaEvent_t>(static_cast<std::uintptr_t>(event));
}

/// Makes a device the current one, and after that the one before.
class current_device {
 public:
  explicit current_device(int number) : number_(number) {
    check(cudaGetDevice(&before_), "ask for the current device");
    if (before_ != number_) check(cudaSetDevice(number_), "choose a CUDA device");
  }
  current_device(const current_device&) = delete;
  current_device& operator=(const current_device&) = delete;
  ~current_device() {
    if (before_ != number_) cudaSetDevice(before_);
  }

 private:
  int number_, before_ = 0;
};

/// Lets this thread ask the device while another thread captures a stream in global mode.
class beside_captures {
 public:
  beside_captures() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  beside_captures(const beside_captures&) = delete;
  beside_captures& operator=(const beside_captures&) = delete;
  ~beside_captures() { cudaThreadExchangeStreamCaptureMode(&mode_); }

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;  // the thread's own, between the two
};

}  // namespace hawser::cuda
