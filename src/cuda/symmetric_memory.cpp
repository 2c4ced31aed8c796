// Agrees on the kind of symmetric memory, and makes it; the kinds that need no virtual memory management.
#include <hawser/cuda/symmetric_memory.hpp>

#include <cstring>

#include <hawser/cuda/device_info.hpp>

#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"

namespace hawser::cuda {
namespace {

template <class T>
std::vector<T> gather_values(bootstrap::bootstrap& job, const std::string& name, const T& own,
                             bootstrap::milliseconds timeout) {
  const auto texts = gather(job, name, {reinterpret_cast<const char*>(&own), sizeof own}, timeout);
  std::vector<T> values(texts.size());
  for (std::size_t r = 0; r < texts.size(); ++r) {
    if (texts[r].size() != sizeof(T))
      fail(errc::mismatch, "rank " + std::to_string(r) + " speaks of its GPU in another format", {},
           "use one build of hawser");
    std::memcpy(&values[r], texts[r].data(), sizeof(T));
  }
  return values;
}

std::byte* allocate(const symmetric_mapping& to) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, to.bytes), "allocate symmetric memory");
  return static_cast<std::byte*>(memory);
}

/// Another device's memory is addressable after this; a second time is no error.
void reach(int device) {
  const cudaError_t code = cudaDeviceEnablePeerAccess(device, 0);
  if (code == cudaErrorPeerAccessAlreadyEnabled)
    cudaGetLastError();  // it would be reported by a later launch
  else
    check(code, "get access to a peer's GPU");
}

}  // namespace

std::vector<std::string> gather(bootstrap::bootstrap& job, const std::string& name, std::string_view own,
                                bootstrap::milliseconds timeout) {
  job.put(name + "/" + std::to_string(job.self().value), own);
  std::vector<std::string> all;
  for (int r = 0; r < job.size(); ++r) all.push_back(job.get(name + "/" + std::to_string(r), timeout));
  return all;
}

void map_in_process(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                    bootstrap::milliseconds timeout) {
  struct published {
    std::byte* address;
    int device;
  };
  to.addresses.resize(static_cast<std::size_t>(job.size()));
  std::byte* const own = to.addresses[static_cast<std::size_t>(to.self)] = allocate(to);
  const auto all = gather_values(job, name + "/pointers", published{own, to.device}, timeout);
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].device != to.device) reach(all[r].device);
    to.addresses[r] = all[r].address;
  }
}

void map_legacy(symmetric_mapping& to, bootstrap::bootstrap& job, const std::string& name,
                bootstrap::milliseconds timeout) {
  const auto self = static_cast<std::size_t>(to.self);
  to.addresses.resize(static_cast<std::size_t>(job.size()));
  to.addresses[self] = allocate(to);
  cudaIpcMemHandle_t own{};
  check(cudaIpcGetMemHandle(&own, to.addresses[self]), "export symmetric memory by cudaIpc");
  const auto all = gather_values(job, name + "/ipc", own, timeout);
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (r == self) continue;
    void* address = nullptr;
    check(cudaIpcOpenMemHandle(&address, all[r], cudaIpcMemLazyEnablePeerAccess), "import symmetric memory by cudaIpc");
    to.addresses[r] = static_cast<std::byte*>(address);
  }
}

symmetric_mapping::~symmetric_mapping() {
  if (is_vmm) unmap_vmm(*this);
  for (std::size_t r = 0; r < addresses.size() && !is_vmm; ++r) {
    if (addresses[r] == nullptr) continue;
    if (static_cast<int>(r) == self)
      cudaFree(addresses[r]);
    else if (agreed.memory == memory_kind::legacy_ipc)
      cudaIpcCloseMemHandle(addresses[r]);
  }
}

symmetric_memory::symmetric_memory(bootstrap::bootstrap& job, std::string_view name, std::size_t bytes,
                                   const symmetric_options& options)
    : self_(std::make_unique<symmetric_mapping>()) {
  capabilities own = require_device(options.device).can;
  own.domain = options.domain;
  own.clique = options.clique;
  const std::string key(name);
  const auto all = gather_values(job, key + "/capabilities", own, options.timeout);
  self_->agreed = agree(all);
  if (!self_->agreed.is_possible)
    fail(errc::unsupported, "the ranks' GPUs cannot share memory", self_->agreed.reason,
         "use NCCL or host memory between them");
  self_->bytes = bytes;
  self_->device = options.device;
  self_->self = job.self().value;
  check(cudaSetDevice(options.device), "choose a CUDA device");
  check(cudaFree(nullptr), "start CUDA on the device");
  switch (self_->agreed.memory) {
    case memory_kind::process_pointers: map_in_process(*self_, job, key, options.timeout); break;
    case memory_kind::legacy_ipc: map_legacy(*self_, job, key, options.timeout); break;
    default: map_vmm(*self_, job, key, options.timeout);
  }
  check(cudaMemset(of(job.self()), 0, self_->bytes), "clear symmetric memory");
  check(cudaDeviceSynchronize(), "clear symmetric memory");
  gather(job, key + "/cleared", "yes", options.timeout);  // nobody's kernel writes here before
}

symmetric_memory::~symmetric_memory() = default;

std::byte* symmetric_memory::of(rank r) const {
  return self_->addresses.at(static_cast<std::size_t>(r.value));
}

std::size_t symmetric_memory::bytes() const noexcept {
  return self_->bytes;
}

const agreement& symmetric_memory::agreed() const noexcept {
  return self_->agreed;
}

}  // namespace hawser::cuda
