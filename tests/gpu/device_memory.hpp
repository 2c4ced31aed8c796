// Device memory for the tests on a GPU.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace gpu_testing {

/// Fails the test where CUDA did.
#define ASSERT_CUDA(call) ASSERT_EQ((call), cudaSuccess) << cudaGetErrorString(cudaGetLastError())

/// Bytes on the GPU; managed, so that the host looks at them between kernels.
class device_bytes {
 public:
  explicit device_bytes(std::size_t bytes) {
    if (cudaMallocManaged(&memory_, bytes == 0 ? 1 : bytes) != cudaSuccess) memory_ = nullptr;
  }
  device_bytes(device_bytes&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  ~device_bytes() { cudaFree(memory_); }
  std::byte* data() const { return static_cast<std::byte*>(memory_); }

 private:
  void* memory_ = nullptr;
};

}  // namespace gpu_testing
