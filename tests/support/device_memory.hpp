// Memory of the device of threads for tests that take a std::pmr::memory_resource.
#pragma once

#include <atomic>
#include <memory_resource>

#include "support/thread_device.hpp"

namespace hawser::testing {

/// Every allocation, or every other one, is the device's; the rest are the host's.
class device_memory final : public std::pmr::memory_resource {
 public:
  device_memory(executor::stream_device& device, bool is_mixed) : device_(device), is_mixed_(is_mixed) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    return device_.allocate(
        bytes, is_mixed_ && ++made_ % 2 == 0 ? executor::memory_kind::host : executor::memory_kind::device);
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override {
    device_.release(memory, device_.kind_of(memory));
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  executor::stream_device& device_;
  bool is_mixed_;
  std::atomic<unsigned> made_{0};
};

}  // namespace hawser::testing
