// Allocations are anonymous files, so that what ranks map is shared and descriptors are real.
#include "gpu/fake_gpus.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace device_testing {
namespace {

constexpr CUresult refused = CUDA_ERROR_OUT_OF_MEMORY;

unsigned long long inode_of(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

void* pointer(CUdeviceptr at) {
  return reinterpret_cast<void*>(at);
}

}  // namespace

bool fake_gpus::fails(int self, const char* name) {
  if (++calls_[self] != fail_at_ || self != fail_rank_) return false;
  failed_ = name;
  return true;
}

CUresult fake_gpus::forbid(const std::string& what, CUresult code) {
  violations_.push_back(what);
  return code;
}

void fake_gpus::note_if_open(void* memory) {
  const std::lock_guard lock(mutex_);
  if (!failed_.empty() && opened_.count(memory) != 0) forbid("free of what another rank has open");
}

CUresult fake_gpus::adopt(handle* to, int descriptor) {
  if (descriptor < 0 || objects_.count(inode_of(descriptor)) == 0) {
    if (descriptor >= 0) close(descriptor);
    return forbid("import of what is no handle");
  }
  *to = next_++;
  handles_[*to].reset(descriptor);
  return CUDA_SUCCESS;
}

CUresult fake_gpus::create(handle* to, std::size_t bytes, unsigned devices) {
  const int file = memfd_create("hawser-fake-gpu", MFD_CLOEXEC);
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) return refused;
  objects_[inode_of(file)] = {bytes, devices, {}};
  return adopt(to, file);
}

fake_gpus::object& fake_gpus::object_of(handle which) {
  return objects_.at(inode_of(handles_.at(which).value()));
}

CUresult fake_gpus::map(CUdeviceptr at, std::size_t bytes, handle which) {
  if (ranges_.count(at) == 0 || handles_.count(which) == 0) return forbid("map of nothing, or to nowhere");
  void* const got = mmap(pointer(at), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, handles_[which].value(), 0);
  mapped_[at] = which;
  return got == MAP_FAILED ? refused : CUDA_SUCCESS;
}

CUresult fake_gpus::unmap(CUdeviceptr at, std::size_t bytes) {
  if (mapped_.erase(at) == 0) return forbid("unmap of what is not mapped");
  mmap(pointer(at), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return CUDA_SUCCESS;
}

CUresult fake_gpus::add(handle which, CUdevice device) {
  if (handles_.count(which) == 0 || object_of(which).devices == 0) return forbid("a device added to no object");
  if (!object_of(which).added.insert(device).second) return forbid("a device added twice");
  return CUDA_SUCCESS;
}

CUresult fake_gpus::bind(handle which, handle memory, CUdevice device, std::size_t bytes) {
  if (handles_.count(which) == 0 || handles_.count(memory) == 0) return forbid("bind of no handle");
  const object& team = object_of(which);
  if (team.added.size() != team.devices) return forbid("bind before all devices were added");
  if (bytes % multicast_granularity != 0 || bytes > team.bytes || bytes > object_of(memory).bytes)
    return forbid("bind of a size that is no multiple of the granularity, or too large");
  bound_[{which, device}] = memory;
  return CUDA_SUCCESS;
}

CUresult fake_gpus::unbind(handle which, CUdevice device) {
  return bound_.erase({which, device}) == 1 ? CUDA_SUCCESS : forbid("unbind of what is not bound");
}

CUresult fake_gpus::release(handle which) {
  for (const auto& [team, memory] : bound_)
    if (memory == which || team.first == which) return forbid("release of what is bound");
  for (const auto& [at, what] : mapped_)
    if (what == which) return forbid("release of what is mapped");
  return handles_.erase(which) == 1 ? CUDA_SUCCESS : forbid("release of no handle");
}

CUresult fake_gpus::export_to(void* to, handle from, CUmemAllocationHandleType type) {
  if (handles_.count(from) == 0) return forbid("export of no handle");
  if (type == CU_MEM_HANDLE_TYPE_FABRIC)
    std::memcpy(to, &from, sizeof from);
  else
    *static_cast<int*>(to) = fcntl(handles_[from].value(), F_DUPFD_CLOEXEC, 0);
  return CUDA_SUCCESS;
}

CUresult fake_gpus::import(handle* to, void* from, CUmemAllocationHandleType type) {
  if (type != CU_MEM_HANDLE_TYPE_FABRIC)
    return adopt(to, fcntl(static_cast<int>(reinterpret_cast<std::intptr_t>(from)), F_DUPFD_CLOEXEC, 0));
  handle original = 0;
  std::memcpy(&original, from, sizeof original);
  if (handles_.count(original) == 0) return forbid("import of a handle that has gone");
  return adopt(to, fcntl(handles_[original].value(), F_DUPFD_CLOEXEC, 0));
}

void fake_gpus::set_memory(hawser::cuda::driver& d, int self) {
  d.mem_granularity = [this, self](std::size_t* to, auto...) {
    const std::lock_guard lock(mutex_);
    *to = memory_granularity;
    return fails(self, "mem_granularity") ? refused : CUDA_SUCCESS;
  };
  d.mem_create = [this, self](handle* to, std::size_t bytes, auto...) {
    const std::lock_guard lock(mutex_);
    return fails(self, "mem_create") ? refused : create(to, bytes, 0);
  };
  d.mem_export = [this, self](void* to, handle from, CUmemAllocationHandleType type, auto) {
    const std::lock_guard lock(mutex_);
    return fails(self, "mem_export") ? refused : export_to(to, from, type);
  };
  d.mem_import = [this, self](handle* to, void* from, CUmemAllocationHandleType type) {
    const std::lock_guard lock(mutex_);
    return fails(self, "mem_import") ? refused : import(to, from, type);
  };
  d.mem_release = [this](handle which) {
    const std::lock_guard lock(mutex_);
    return release(which);
  };
}

void fake_gpus::set_mapping(hawser::cuda::driver& d, int self) {
  d.address_reserve = [this, self](CUdeviceptr* to, std::size_t bytes, auto...) {
    const std::lock_guard lock(mutex_);
    if (fails(self, "address_reserve")) return refused;
    *to = reinterpret_cast<CUdeviceptr>(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ranges_[*to] = bytes;
    return CUDA_SUCCESS;
  };
  d.mem_map = [this, self](CUdeviceptr at, std::size_t bytes, std::size_t, handle which, auto) {
    const std::lock_guard lock(mutex_);
    return fails(self, "mem_map") ? refused : map(at, bytes, which);
  };
  d.set_access = [this, self](CUdeviceptr at, std::size_t bytes, auto...) {
    const std::lock_guard lock(mutex_);
    if (fails(self, "set_access")) return refused;
    return mprotect(pointer(at), bytes, PROT_READ | PROT_WRITE) == 0 ? CUDA_SUCCESS : forbid("access to nothing");
  };
  d.mem_unmap = [this](CUdeviceptr at, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    return unmap(at, bytes);
  };
  d.address_free = [this](CUdeviceptr at, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (mapped_.count(at) != 0 || ranges_.erase(at) == 0) return forbid("free of a range that is mapped or is none");
    munmap(pointer(at), bytes);
    return CUDA_SUCCESS;
  };
}

void fake_gpus::set_multicast(hawser::cuda::driver& d, int self) {
  d.device_get = [this, self](CUdevice* to, int device) {
    const std::lock_guard lock(mutex_);
    *to = device;
    return fails(self, "device_get") ? refused : CUDA_SUCCESS;
  };
  d.multicast_granularity = [this, self](std::size_t* to, auto...) {
    const std::lock_guard lock(mutex_);
    *to = multicast_granularity;
    return fails(self, "multicast_granularity") ? refused : CUDA_SUCCESS;
  };
  d.multicast_create = [this, self](handle* to, const CUmulticastObjectProp* properties) {
    const std::lock_guard lock(mutex_);
    return fails(self, "multicast_create") ? refused : create(to, properties->size, properties->numDevices);
  };
  d.multicast_add_device = [this, self](handle which, CUdevice device) {
    const std::lock_guard lock(mutex_);
    return fails(self, "multicast_add_device") ? refused : add(which, device);
  };
  d.multicast_bind = [this, self](handle which, std::size_t, handle memory, std::size_t, std::size_t bytes, auto) {
    const std::lock_guard lock(mutex_);
    return fails(self, "multicast_bind") ? refused : bind(which, memory, self, bytes);
  };
  d.multicast_unbind = [this](handle which, CUdevice device, auto...) {
    const std::lock_guard lock(mutex_);
    return unbind(which, device);
  };
}

void fake_gpus::set_runtime(hawser::cuda::driver& d, int self) {
  const auto may_fail = [this, self](const char* name, const auto& action) {
    const std::lock_guard lock(mutex_);
    if (fails(self, name)) return cudaErrorMemoryAllocation;
    action();
    return cudaSuccess;
  };
  const auto drop = [this](auto& from, void* memory) {
    const std::lock_guard lock(mutex_);
    const auto it = from.find(memory);
    if (it == from.end()) return forbid("free of what is not there"), cudaErrorInvalidValue;
    from.erase(it);
    return cudaSuccess;
  };
  d.start_device = [may_fail](int) { return may_fail("start_device", [] {}); };
  d.reach_peer = [may_fail](int) { return may_fail("reach_peer", [] {}); };
  d.clear = [may_fail](void* memory, std::size_t bytes) {
    return may_fail("clear", [&] { std::memset(memory, 0, bytes); });
  };
  d.allocate = [this, may_fail](void** to, std::size_t bytes) {
    return may_fail("allocate", [&] { allocations_.insert(*to = std::malloc(bytes)); });
  };
  d.free = [this, drop](void* memory) {
    note_if_open(memory);
    const cudaError_t code = drop(allocations_, memory);
    if (code == cudaSuccess) std::free(memory);
    return code;
  };
  d.ipc_export = [may_fail](cudaIpcMemHandle_t* to, void* memory) {
    return may_fail("ipc_export", [&] { std::memcpy(to, &memory, sizeof memory); });
  };
  d.ipc_open = [this, may_fail](void** to, cudaIpcMemHandle_t from) {
    return may_fail("ipc_open", [&] {
      std::memcpy(to, &from, sizeof *to);
      opened_.insert(*to);
    });
  };
  d.ipc_close = [this, drop](void* memory) { return drop(opened_, memory); };
}

hawser::cuda::driver fake_gpus::of(int self) {
  hawser::cuda::driver d;
  set_memory(d, self);
  set_mapping(d, self);
  set_multicast(d, self);
  set_runtime(d, self);
  return d;
}

}  // namespace device_testing
