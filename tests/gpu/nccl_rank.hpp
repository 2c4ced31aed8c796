// One process's rank of the NCCL tests on a GPU: its device, streams and memory by CUDA's runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/executor/stream_device.hpp>

namespace gpu_testing {

/// Throws what CUDA says.
inline void require(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  hawser::error failed(hawser::errc::resource, std::string(what) + ": " + cudaGetErrorString(code));
  failed.with_native_code(code);
  throw failed;
}

/// Throws unless it holds.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw hawser::error(hawser::errc::internal, what);
}

/// A stream of its own.
class cuda_stream {
 public:
  cuda_stream() { require(cudaStreamCreateWithFlags(&raw_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  cuda_stream(const cuda_stream&) = delete;
  cuda_stream& operator=(const cuda_stream&) = delete;
  ~cuda_stream() { cudaStreamDestroy(raw_); }

  cudaStream_t raw() const noexcept { return raw_; }
  hawser::executor::stream_handle handle() const {
    return static_cast<hawser::executor::stream_handle>(reinterpret_cast<std::uintptr_t>(raw_));
  }
  void synchronise() const { require(cudaStreamSynchronize(raw_), "cudaStreamSynchronize"); }
  bool is_done() const { return cudaStreamQuery(raw_) == cudaSuccess; }

 private:
  cudaStream_t raw_ = nullptr;
};

/// Bytes of the device, written and read by copies.
class cuda_bytes {
 public:
  explicit cuda_bytes(std::size_t bytes) : bytes_(bytes) { require(cudaMalloc(&data_, bytes), "cudaMalloc"); }
  cuda_bytes(const cuda_bytes&) = delete;
  cuda_bytes& operator=(const cuda_bytes&) = delete;
  ~cuda_bytes() { cudaFree(data_); }

  void* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return bytes_; }
  void write(const std::vector<std::byte>& from) const {
    require(cudaMemcpy(data_, from.data(), from.size(), cudaMemcpyHostToDevice), "cudaMemcpy to the device");
  }
  std::vector<std::byte> read(std::size_t bytes) const {
    std::vector<std::byte> to(bytes);
    require(cudaMemcpy(to.data(), data_, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy to the host");
    return to;
  }

 private:
  std::size_t bytes_;
  void* data_ = nullptr;
};

}  // namespace gpu_testing
