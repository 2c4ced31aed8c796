// Errors of the CUDA runtime and driver as hawser's, and the driver's functions, found at run time.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <string>

#include <hawser/core/error.hpp>

namespace hawser::cuda {

/// Throws errc::resource with the code where a call of the CUDA runtime failed.
inline void check(cudaError_t code, const char* doing, source_site where = source_site::current()) {
  if (code == cudaSuccess) return;
  throw error(errc::resource, describe(std::string("cannot ") + doing, cudaGetErrorString(code)), where)
      .with_native_code(code);
}

/// The same of the driver.
inline void check(CUresult code, const char* doing, source_site where = source_site::current()) {
  if (code == CUDA_SUCCESS) return;
  throw error(errc::resource, describe(std::string("cannot ") + doing, "CUDA driver error " + std::to_string(code)),
              where)
      .with_native_code(code);
}

/// A function of the driver at the version that its type is of. Throws errc::unsupported where the driver lacks it.
template <class F>
F* driver_function(const char* name, unsigned version) {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t code = cudaGetDriverEntryPointByVersion(name, &address, version, cudaEnableDefault, &found);
  if (code != cudaSuccess || found != cudaDriverEntryPointSuccess || address == nullptr)
    fail(errc::unsupported, std::string("the CUDA driver has no ") + name, cudaGetErrorString(code),
         "update the driver");
  return reinterpret_cast<F*>(address);
}

}  // namespace hawser::cuda
