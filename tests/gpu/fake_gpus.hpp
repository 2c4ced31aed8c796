// GPUs of host memory behind the table of CUDA's functions: they count what lives, fail where told, note broken rules.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/socket.hpp"
#include "cuda/driver.hpp"

namespace device_testing {

/// The GPUs that the ranks (threads) of one job share; rank r has device r. Thread-safe.
class fake_gpus {
 public:
  static constexpr std::size_t memory_granularity = 4096, multicast_granularity = 16384;

  /// The `fail_at`-th call (from 1) of rank `fail_rank` that may fail does so; -1: none.
  explicit fake_gpus(int fail_rank = -1, int fail_at = 0) : fail_rank_(fail_rank), fail_at_(fail_at) {}

  /// What rank `self` calls. The object must outlive it.
  hawser::cuda::driver of(int self);

  /// The name of the call that failed on purpose; empty where none has.
  std::string failed() const { return failed_; }
  /// Handles, ranges, mappings, bindings, allocations and opened allocations that live.
  std::size_t live() const {
    return handles_.size() + ranges_.size() + mapped_.size() + bound_.size() + allocations_.size() + opened_.size();
  }
  /// Calls that a driver forbids: out of order, of things that are not there.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  using handle = hawser::cuda::driver::handle;
  /// What a file stands for, by its inode.
  struct object {
    std::size_t bytes = 0;
    unsigned devices = 0;  ///< that a multicast object waits for; 0: memory
    std::set<CUdevice> added;
  };

  bool fails(int self, const char* name);
  /// Memory to be freed must not be open, where a failure let the ranks meet before.
  void note_if_open(void* memory);
  CUresult forbid(const std::string& what, CUresult code = CUDA_ERROR_INVALID_VALUE);
  CUresult create(handle* to, std::size_t bytes, unsigned devices);
  CUresult adopt(handle* to, int descriptor);
  object& object_of(handle which);
  CUresult map(CUdeviceptr at, std::size_t bytes, handle which);
  CUresult unmap(CUdeviceptr at, std::size_t bytes);
  CUresult add(handle which, CUdevice device);
  CUresult bind(handle which, handle memory, CUdevice device, std::size_t bytes);
  CUresult unbind(handle which, CUdevice device);
  CUresult release(handle which);
  CUresult import(handle* to, void* from, CUmemAllocationHandleType type);
  CUresult export_to(void* to, handle from, CUmemAllocationHandleType type);
  void set_memory(hawser::cuda::driver& d, int self);
  void set_mapping(hawser::cuda::driver& d, int self);
  void set_multicast(hawser::cuda::driver& d, int self);
  void set_runtime(hawser::cuda::driver& d, int self);

  std::mutex mutex_;
  int fail_rank_, fail_at_;
  std::map<int, int> calls_;
  std::string failed_;
  handle next_ = 1;
  std::map<handle, hawser::net::unique_fd> handles_;
  std::map<unsigned long long, object> objects_;
  std::map<CUdeviceptr, std::size_t> ranges_;
  std::map<CUdeviceptr, handle> mapped_;
  std::map<std::pair<handle, CUdevice>, handle> bound_;  ///< memory, by object and device
  std::set<void*> allocations_;
  std::multiset<void*> opened_;
  std::vector<std::string> violations_;
};

}  // namespace device_testing
