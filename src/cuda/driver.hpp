// The functions of CUDA's driver and runtime that make, share and map memory, as a table: tests put a fake in its
// place.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>

namespace hawser::cuda {

/// Named and typed as CUDA's functions without their prefix. All are set: what a driver lacks answers
/// CUDA_ERROR_NOT_SUPPORTED.
struct driver {
  using handle = CUmemGenericAllocationHandle;
  using bits = unsigned long long;

  std::function<CUresult(handle*, std::size_t, const CUmemAllocationProp*, bits)> mem_create;
  std::function<CUresult(std::size_t*, const CUmemAllocationProp*, CUmemAllocationGranularity_flags)> mem_granularity;
  std::function<CUresult(void*, handle, CUmemAllocationHandleType, bits)> mem_export;
  std::function<CUresult(handle*, void*, CUmemAllocationHandleType)> mem_import;
  std::function<CUresult(CUdeviceptr*, std::size_t, std::size_t, CUdeviceptr, bits)> address_reserve;
  std::function<CUresult(CUdeviceptr, std::size_t, std::size_t, handle, bits)> mem_map;
  std::function<CUresult(CUdeviceptr, std::size_t, const CUmemAccessDesc*, std::size_t)> set_access;
  std::function<CUresult(CUdeviceptr, std::size_t)> mem_unmap;
  std::function<CUresult(handle)> mem_release;
  std::function<CUresult(CUdeviceptr, std::size_t)> address_free;

  std::function<CUresult(CUdevice*, int)> device_get;
  std::function<CUresult(std::size_t*, const CUmulticastObjectProp*, CUmulticastGranularity_flags)>
      multicast_granularity;
  std::function<CUresult(handle*, const CUmulticastObjectProp*)> multicast_create;
  std::function<CUresult(handle, CUdevice)> multicast_add_device;
  std::function<CUresult(handle, std::size_t, handle, std::size_t, std::size_t, bits)> multicast_bind;
  std::function<CUresult(handle, CUdevice, std::size_t, std::size_t)> multicast_unbind;

  std::function<cudaError_t(int)> start_device;  ///< chooses it and makes its context
  std::function<cudaError_t(void**, std::size_t)> allocate;
  std::function<cudaError_t(void*)> free;
  std::function<cudaError_t(void*, std::size_t)> clear;  ///< with zeros, and waits for it
  std::function<cudaError_t(int)> reach_peer;            ///< a second time is no error
  std::function<cudaError_t(cudaIpcMemHandle_t*, void*)> ipc_export;
  std::function<cudaError_t(void**, cudaIpcMemHandle_t)> ipc_open;
  std::function<cudaError_t(void*)> ipc_close;
};

/// CUDA's own, looked up at the first call: after a device was found.
const driver& cuda_driver();

}  // namespace hawser::cuda
