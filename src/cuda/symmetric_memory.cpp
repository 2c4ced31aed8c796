// Agrees on the kind of symmetric memory, and makes it; the kinds that need no virtual memory management.
#include <hawser/cuda/symmetric_memory.hpp>

#include <cstring>

#include <hawser/cuda/device_info.hpp>

#include "cuda/ballot.hpp"
#include "cuda/driver.hpp"
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
  check(to.cuda.allocate(&memory, to.bytes), "allocate symmetric memory");
  return static_cast<std::byte*>(memory);
}

}  // namespace

std::vector<std::string> gather(bootstrap::bootstrap& job, const std::string& name, std::string_view own,
                                bootstrap::milliseconds timeout) {
  job.put(name + "/" + std::to_string(job.self().value), own);
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(job.size()));
  for (int r = 0; r < job.size(); ++r) all.push_back(job.get(name + "/" + std::to_string(r), timeout));
  return all;
}

void map_in_process(symmetric_mapping& to, const mapping_context& by) {
  struct published {
    std::byte* address;
    int device;
  };
  ballot votes(by.job, by.name + "/map", by.timeout);
  to.addresses.resize(static_cast<std::size_t>(by.job.size()));
  std::byte*& own = to.addresses[static_cast<std::size_t>(to.self)];
  votes.take_step("create", [&] { own = allocate(to); });
  const auto all = gather_values(by.job, by.name + "/pointers", published{own, to.device}, by.timeout);
  votes.take_step("reach", [&] {
    for (const published& each : all)
      if (each.device != to.device) check(to.cuda.reach_peer(each.device), "get access to a peer's GPU");
  });
  for (std::size_t r = 0; r < all.size(); ++r) to.addresses[r] = all[r].address;
}

void map_legacy(symmetric_mapping& to, const mapping_context& by) {
  const auto self = static_cast<std::size_t>(to.self);
  ballot votes(by.job, by.name + "/map", by.timeout);
  cudaIpcMemHandle_t own{};
  to.addresses.resize(static_cast<std::size_t>(by.job.size()));
  votes.take_step("create", [&] {
    to.addresses[self] = allocate(to);
    check(to.cuda.ipc_export(&own, to.addresses[self]), "export symmetric memory by cudaIpc");
  });
  const auto all = gather_values(by.job, by.name + "/ipc", own, by.timeout);
  votes.take_step("import", [&] {
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (r == self) continue;
      void* address = nullptr;
      check(to.cuda.ipc_open(&address, all[r]), "import symmetric memory by cudaIpc");
      to.addresses[r] = static_cast<std::byte*>(address);
    }
  });
}

/// Starts the device, makes the memory, and clears it.
void map_and_clear(symmetric_mapping& made, const mapping_context& by) {
  ballot votes(by.job, by.name, by.timeout);
  votes.take_step("start", [&] { check(made.cuda.start_device(made.device), "start CUDA on the device"); });
  switch (made.agreed.memory) {
    case memory_kind::process_pointers: map_in_process(made, by); break;
    case memory_kind::legacy_ipc: map_legacy(made, by); break;
    default: map_vmm(made, by);
  }
  votes.take_step("clear", [&] {  // nobody's kernel writes here before
    check(made.cuda.clear(made.addresses[static_cast<std::size_t>(made.self)], made.bytes), "clear symmetric memory");
  });
}

/// The same. Memory that others have opened by cudaIpc must not be freed before they have closed it, so that ranks that
/// were refused a step, which all know of, meet in between.
void fill_mapping(symmetric_mapping& made, const mapping_context& by) {
  try {
    map_and_clear(made, by);
  } catch (const error& e) {
    if (made.agreed.memory == memory_kind::legacy_ipc && e.code() == errc::resource) {
      close_opened(made);
      gather(by.job, by.name + "/closed", "yes", by.timeout);
    }
    throw;
  }
}

std::unique_ptr<symmetric_mapping> make_mapping(const mapping_context& by, const driver& cuda, const capabilities& own,
                                                std::size_t bytes, int device) {
  const auto all = gather_values(by.job, by.name + "/capabilities", own, by.timeout);
  auto made = std::make_unique<symmetric_mapping>(cuda);
  made->agreed = agree(all);
  if (!made->agreed.is_possible)
    fail(errc::unsupported, "the ranks' GPUs cannot share memory", made->agreed.reason,
         "use NCCL or host memory between them");
  made->bytes = bytes;
  made->device = device;
  made->self = by.job.self().value;
  fill_mapping(*made, by);
  return made;
}

void close_opened(symmetric_mapping& of) noexcept {
  if (of.agreed.memory != memory_kind::legacy_ipc) return;
  for (std::size_t r = 0; r < of.addresses.size(); ++r) {
    if (static_cast<int>(r) == of.self || of.addresses[r] == nullptr) continue;
    of.cuda.ipc_close(of.addresses[r]);
    of.addresses[r] = nullptr;
  }
}

symmetric_mapping::~symmetric_mapping() {
  release_multicast(*this);
  for (const CUdeviceptr each : reserved) unmap_range(*this, each);
  for (const CUmemGenericAllocationHandle each : handles)
    if (each != 0) cuda.mem_release(each);
  close_opened(*this);
  const auto own = static_cast<std::size_t>(self);
  if (handles.empty() && own < addresses.size() && addresses[own] != nullptr) cuda.free(addresses[own]);
}

symmetric_memory::symmetric_memory(bootstrap::bootstrap& job, std::string_view name, std::size_t bytes,
                                   const symmetric_options& options) {
  capabilities own = require_device(options.device).can;
  own.domain = options.domain;
  own.clique = options.clique;
  own.has_multicast = own.has_multicast && options.may_multicast;
  self_ = make_mapping({job, std::string(name), options.timeout}, cuda_driver(), own, bytes, options.device);
}

symmetric_memory::~symmetric_memory() = default;

std::byte* symmetric_memory::of(rank r) const {
  return self_->addresses.at(static_cast<std::size_t>(r.value));
}

std::size_t symmetric_memory::bytes() const noexcept {
  return self_->bytes;
}

std::byte* symmetric_memory::multicast() const noexcept {
  return self_->multicast.address;
}

std::string_view symmetric_memory::multicast_refusal() const noexcept {
  return self_->multicast_refusal;
}

const agreement& symmetric_memory::agreed() const noexcept {
  return self_->agreed;
}

}  // namespace hawser::cuda
