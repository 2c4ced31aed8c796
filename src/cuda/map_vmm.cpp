// Symmetric memory by CUDA's virtual memory management: handles as file descriptors or fabric handles.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "cuda/ballot.hpp"
#include "cuda/descriptor_exchange.hpp"
#include "cuda/driver.hpp"
#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

bool is_fabric(const symmetric_mapping& of) {
  return of.agreed.memory == memory_kind::fabric;
}

CUmemAllocationProp properties_of(const symmetric_mapping& of) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, {of.device}};
  properties.requestedHandleTypes =
      is_fabric(of) ? CU_MEM_HANDLE_TYPE_FABRIC : CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  return properties;
}

/// A file that says nothing, for ranks that have nothing to give to an exchange in which all give something.
net::unique_fd nothing() {
  net::unique_fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (file.value() < 0)
    throw error(errc::resource, describe("cannot open /dev/null", std::strerror(errno))).with_native_code(errno);
  return file;
}

/// Calls `import(r)` for every rank that gives a handle which is not here yet.
template <class F>
void import_missing(int only, std::vector<CUmemGenericAllocationHandle>& handles, const F& import) {
  for (std::size_t r = 0; r < handles.size(); ++r)
    if (handles[r] == 0 && (only < 0 || only == static_cast<int>(r))) import(r);
}

void share_descriptors(const symmetric_mapping& by, const mapping_context& to, const std::string& what, int only,
                       std::vector<CUmemGenericAllocationHandle>& handles) {
  const std::string name = to.name + "/" + what;
  ballot votes(to.job, name, to.timeout);
  net::unique_fd own;
  votes.take_step("export", [&] {
    if (only >= 0 && only != by.self) return void(own = nothing());
    int raw = -1;
    check(by.cuda.mem_export(&raw, handles[static_cast<std::size_t>(by.self)], CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR,
                             0),
          ("export " + what + " as a file descriptor").c_str());
    own = net::unique_fd(raw);
  });
  const auto given = exchange_descriptors(to.job, name, own.value(), to.timeout);
  votes.take_step("import", [&] {
    import_missing(only, handles, [&](std::size_t r) {
      check(by.cuda.mem_import(&handles[r], reinterpret_cast<void*>(static_cast<std::intptr_t>(given[r].value())),
                               CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
            ("import " + what + " from a file descriptor").c_str());
    });
  });
}

void share_fabric(const symmetric_mapping& by, const mapping_context& to, const std::string& what, int only,
                  std::vector<CUmemGenericAllocationHandle>& handles) {
  const std::string name = to.name + "/" + what;
  ballot votes(to.job, name, to.timeout);
  CUmemFabricHandle own{};
  votes.take_step("export", [&] {
    if (only >= 0 && only != by.self) return;
    check(by.cuda.mem_export(&own, handles[static_cast<std::size_t>(by.self)], CU_MEM_HANDLE_TYPE_FABRIC, 0),
          ("export " + what + " as a fabric handle").c_str());
  });
  const auto all = gather(to.job, name + "/fabric", {reinterpret_cast<const char*>(&own), sizeof own}, to.timeout);
  votes.take_step("import", [&] {
    import_missing(only, handles, [&](std::size_t r) {
      CUmemFabricHandle handle{};
      if (all[r].size() != sizeof handle)
        fail(errc::mismatch, "a fabric handle of another size from rank " + std::to_string(r));
      std::memcpy(&handle, all[r].data(), sizeof handle);
      check(by.cuda.mem_import(&handles[r], &handle, CU_MEM_HANDLE_TYPE_FABRIC),
            ("import " + what + " from a fabric handle").c_str());
    });
  });
}

/// The granularity of memory on every rank's device; the same for all that are of one architecture.
std::size_t memory_granularity(const symmetric_mapping& of, ballot& votes) {
  std::size_t granularity = 0;
  const auto properties = properties_of(of);
  votes.take_step("granularity", [&] {
    check(of.cuda.mem_granularity(&granularity, &properties, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED),
          "ask for the granularity of memory");
  });
  return granularity;
}

}  // namespace

void map_range(const symmetric_mapping& by, CUmemGenericAllocationHandle handle, std::size_t granularity,
               CUdeviceptr& reserved) {
  check(by.cuda.address_reserve(&reserved, by.bytes, granularity, 0, 0), "reserve addresses for symmetric memory");
  if (const CUresult code = by.cuda.mem_map(reserved, by.bytes, 0, handle, 0); code != CUDA_SUCCESS) {
    by.cuda.address_free(reserved, by.bytes);
    reserved = 0;
    check(code, "map symmetric memory");
  }
  CUmemAccessDesc access{};
  access.location = {CU_MEM_LOCATION_TYPE_DEVICE, {by.device}};
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  check(by.cuda.set_access(reserved, by.bytes, &access, 1), "get access to symmetric memory");
}

void unmap_range(const symmetric_mapping& by, CUdeviceptr reserved) noexcept {
  if (reserved == 0) return;
  by.cuda.mem_unmap(reserved, by.bytes);
  by.cuda.address_free(reserved, by.bytes);
}

void share_handles(const symmetric_mapping& by, const mapping_context& to, const std::string& what, int only,
                   std::vector<CUmemGenericAllocationHandle>& handles) {
  if (is_fabric(by))
    share_fabric(by, to, what, only, handles);
  else
    share_descriptors(by, to, what, only, handles);
}

void map_vmm(symmetric_mapping& to, const mapping_context& by) {
  ballot votes(by.job, by.name + "/map", by.timeout);
  const std::size_t memory = memory_granularity(to, votes);
  const std::size_t multicast = to.agreed.may_multicast ? multicast_granularity(to, by) : 0;
  const std::size_t granularity = std::max(memory, multicast);  // both are powers of two
  to.bytes = (to.bytes + granularity - 1) / granularity * granularity;
  to.handles.resize(static_cast<std::size_t>(by.job.size()));
  to.reserved.resize(to.handles.size());
  to.addresses.resize(to.handles.size());
  const auto properties = properties_of(to);
  votes.take_step("create", [&] {
    check(to.cuda.mem_create(&to.handles[static_cast<std::size_t>(to.self)], to.bytes, &properties, 0),
          "allocate symmetric memory");
  });
  share_handles(to, by, "memory", -1, to.handles);
  votes.take_step("map", [&] {
    for (std::size_t r = 0; r < to.handles.size(); ++r) {
      map_range(to, to.handles[r], granularity, to.reserved[r]);
      to.addresses[r] = reinterpret_cast<std::byte*>(to.reserved[r]);
    }
  });
  if (multicast != 0) make_multicast(to, by, granularity);
}

}  // namespace hawser::cuda
