// Looks the driver's functions up by name, so that programs start on machines without one.
#include "cuda/driver.hpp"

namespace hawser::cuda {
namespace {

/// `version` is the one in which the function's type took this form.
template <class... Arguments>
void find(std::function<CUresult(Arguments...)>& to, const char* name, unsigned version) {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t code = cudaGetDriverEntryPointByVersion(name, &address, version, cudaEnableDefault, &found);
  if (code == cudaSuccess && found == cudaDriverEntryPointSuccess && address != nullptr)
    to = reinterpret_cast<CUresult (*)(Arguments...)>(address);
  else
    to = [](Arguments...) { return CUDA_ERROR_NOT_SUPPORTED; };
}

void find_memory(driver& d) {
  constexpr unsigned version = 10020;
  find(d.mem_create, "cuMemCreate", version);
  find(d.mem_granularity, "cuMemGetAllocationGranularity", version);
  find(d.mem_export, "cuMemExportToShareableHandle", version);
  find(d.mem_import, "cuMemImportFromShareableHandle", version);
  find(d.address_reserve, "cuMemAddressReserve", version);
  find(d.mem_map, "cuMemMap", version);
  find(d.set_access, "cuMemSetAccess", version);
  find(d.mem_unmap, "cuMemUnmap", version);
  find(d.mem_release, "cuMemRelease", version);
  find(d.address_free, "cuMemAddressFree", version);
}

void find_multicast(driver& d) {
  constexpr unsigned version = 12010;
  find(d.device_get, "cuDeviceGet", 2000);
  find(d.multicast_granularity, "cuMulticastGetGranularity", version);
  find(d.multicast_create, "cuMulticastCreate", version);
  find(d.multicast_add_device, "cuMulticastAddDevice", version);
  find(d.multicast_bind, "cuMulticastBindMem", version);
  find(d.multicast_unbind, "cuMulticastUnbind", version);
}

cudaError_t start_device(int device) {
  const cudaError_t code = cudaSetDevice(device);
  return code == cudaSuccess ? cudaFree(nullptr) : code;
}

cudaError_t clear(void* memory, std::size_t bytes) {
  const cudaError_t code = cudaMemset(memory, 0, bytes);
  return code == cudaSuccess ? cudaDeviceSynchronize() : code;
}

cudaError_t reach_peer(int device) {
  const cudaError_t code = cudaDeviceEnablePeerAccess(device, 0);
  if (code != cudaErrorPeerAccessAlreadyEnabled) return code;
  cudaGetLastError();  // it would be reported by a later launch
  return cudaSuccess;
}

}  // namespace

const driver& cuda_driver() {
  static const driver table = [] {
    driver d;
    find_memory(d);
    find_multicast(d);
    d.start_device = start_device;
    d.allocate = [](void** memory, std::size_t bytes) { return cudaMalloc(memory, bytes); };
    d.free = [](void* memory) { return cudaFree(memory); };
    d.clear = clear;
    d.reach_peer = reach_peer;
    d.ipc_export = [](cudaIpcMemHandle_t* to, void* memory) { return cudaIpcGetMemHandle(to, memory); };
    d.ipc_open = [](void** to, cudaIpcMemHandle_t from) {
      return cudaIpcOpenMemHandle(to, from, cudaIpcMemLazyEnablePeerAccess);
    };
    d.ipc_close = [](void* memory) { return cudaIpcCloseMemHandle(memory); };
    return d;
  }();
  return table;
}

}  // namespace hawser::cuda
