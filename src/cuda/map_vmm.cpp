// Symmetric memory by CUDA's virtual memory management: handles as file descriptors or fabric handles.
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda/descriptor_exchange.hpp"
#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

/// The driver's functions. The versions are those in which their types took this form.
struct vmm_functions {
  CUresult (*create)(CUmemGenericAllocationHandle*, size_t, const CUmemAllocationProp*, unsigned long long);
  CUresult (*granularity)(size_t*, const CUmemAllocationProp*, CUmemAllocationGranularity_flags);
  CUresult (*export_handle)(void*, CUmemGenericAllocationHandle, CUmemAllocationHandleType, unsigned long long);
  CUresult (*import_handle)(CUmemGenericAllocationHandle*, void*, CUmemAllocationHandleType);
  CUresult (*reserve)(CUdeviceptr*, size_t, size_t, CUdeviceptr, unsigned long long);
  CUresult (*map)(CUdeviceptr, size_t, size_t, CUmemGenericAllocationHandle, unsigned long long);
  CUresult (*set_access)(CUdeviceptr, size_t, const CUmemAccessDesc*, size_t);
  CUresult (*unmap)(CUdeviceptr, size_t);
  CUresult (*release)(CUmemGenericAllocationHandle);
  CUresult (*free_address)(CUdeviceptr, size_t);

  static const vmm_functions& load() {
    static const vmm_functions functions = [] {
      constexpr unsigned version = 10020;
      vmm_functions f{};
      const auto find = [](auto& to, const char* name) {
        to = driver_function<std::remove_pointer_t<std::remove_reference_t<decltype(to)>>>(name, version);
      };
      find(f.create, "cuMemCreate");
      find(f.granularity, "cuMemGetAllocationGranularity");
      find(f.export_handle, "cuMemExportToShareableHandle");
      find(f.import_handle, "cuMemImportFromShareableHandle");
      find(f.reserve, "cuMemAddressReserve");
      find(f.map, "cuMemMap");
      find(f.set_access, "cuMemSetAccess");
      find(f.unmap, "cuMemUnmap");
      find(f.release, "cuMemRelease");
      find(f.free_address, "cuMemAddressFree");
      return f;
    }();
    return functions;
  }
};

CUmemAllocationProp properties_of(int device, CUmemAllocationHandleType type) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, {device}};
  properties.requestedHandleTypes = type;
  return properties;
}

/// Makes rank r's handle addressable, readable and writable from this rank's device.
std::byte* map_handle(const symmetric_mapping& to, CUmemGenericAllocationHandle handle, std::size_t granularity) {
  const vmm_functions& vmm = vmm_functions::load();
  CUdeviceptr address = 0;
  check(vmm.reserve(&address, to.bytes, granularity, 0, 0), "reserve addresses for symmetric memory");
  check(vmm.map(address, to.bytes, 0, handle, 0), "map symmetric memory");
  CUmemAccessDesc access{};
  access.location = {CU_MEM_LOCATION_TYPE_DEVICE, {to.device}};
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  check(vmm.set_access(address, to.bytes, &access, 1), "get access to symmetric memory");
  return reinterpret_cast<std::byte*>(address);
}

void import_descriptors(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                        bootstrap::milliseconds timeout) {
  const vmm_functions& vmm = vmm_functions::load();
  int raw = -1;
  check(vmm.export_handle(&raw, to.handles[static_cast<std::size_t>(to.self)], CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR,
                          0),
        "export symmetric memory as a file descriptor");
  const net::unique_fd own(raw);
  const auto given = exchange_descriptors(job, name, own.value(), timeout);
  for (std::size_t r = 0; r < given.size(); ++r)
    if (static_cast<int>(r) != to.self)
      check(vmm.import_handle(&to.handles[r], reinterpret_cast<void*>(static_cast<std::intptr_t>(given[r].value())),
                              CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
            "import symmetric memory from a file descriptor");
}

void import_fabric(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                   bootstrap::milliseconds timeout) {
  const vmm_functions& vmm = vmm_functions::load();
  CUmemFabricHandle own{};
  check(vmm.export_handle(&own, to.handles[static_cast<std::size_t>(to.self)], CU_MEM_HANDLE_TYPE_FABRIC, 0),
        "export symmetric memory as a fabric handle");
  const auto all = gather(job, name + "/fabric", {reinterpret_cast<const char*>(&own), sizeof own}, timeout);
  for (std::size_t r = 0; r < all.size(); ++r) {
    CUmemFabricHandle handle{};
    if (all[r].size() != sizeof handle)
      fail(errc::mismatch, "a fabric handle of another size from rank " + std::to_string(r));
    std::memcpy(&handle, all[r].data(), sizeof handle);
    if (static_cast<int>(r) != to.self)
      check(vmm.import_handle(&to.handles[r], &handle, CU_MEM_HANDLE_TYPE_FABRIC), "import a fabric handle");
  }
}

}  // namespace

void map_vmm(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
             bootstrap::milliseconds timeout) {
  const vmm_functions& vmm = vmm_functions::load();
  const bool is_fabric = to.agreed.memory == memory_kind::fabric;
  const auto properties =
      properties_of(to.device, is_fabric ? CU_MEM_HANDLE_TYPE_FABRIC : CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
  std::size_t granularity = 0;
  check(vmm.granularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED),
        "ask for the granularity of memory");
  to.bytes = (to.bytes + granularity - 1) / granularity * granularity;
  to.is_vmm = true;
  to.handles.resize(static_cast<std::size_t>(job.size()));
  check(vmm.create(&to.handles[static_cast<std::size_t>(to.self)], to.bytes, &properties, 0),
        "allocate symmetric memory");
  if (is_fabric)
    import_fabric(to, job, name, timeout);
  else
    import_descriptors(to, job, name, timeout);
  to.addresses.resize(to.handles.size());
  for (std::size_t r = 0; r < to.handles.size(); ++r) to.addresses[r] = map_handle(to, to.handles[r], granularity);
}

void unmap_vmm(symmetric_mapping& from) noexcept {
  const vmm_functions& vmm = vmm_functions::load();
  for (std::byte* const each : from.addresses) {
    if (each == nullptr) continue;
    const auto address = reinterpret_cast<CUdeviceptr>(each);
    vmm.unmap(address, from.bytes);
    vmm.free_address(address, from.bytes);
  }
  for (const CUmemGenericAllocationHandle each : from.handles)
    if (each != 0) vmm.release(each);
}

}  // namespace hawser::cuda
