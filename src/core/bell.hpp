// What wakes a thread that sleeps in poll(2).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include <hawser/core/error.hpp>

namespace hawser {

/// A descriptor that turns readable when the bell is rung, once however often that is before it is cleared.
class bell {
 public:
  /// Throws errc::resource: `whose` cannot have one.
  bell(const char* whose, const char* suggestion) : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0)
      fail(errc::resource, std::string("cannot create the descriptor that ") + whose + " waits on",
           std::strerror(errno), std::string("raise the limit of open files (ulimit -n), or ") + suggestion);
  }
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;
  ~bell() { ::close(descriptor_); }

  int descriptor() const noexcept { return descriptor_; }
  /// From any thread, under any lock.
  void ring() noexcept {
    if (is_rung_.exchange(true, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }
  /// By who waits, before it looks at what it was woken for: who rings from here on is heard the next time.
  void clear() noexcept {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto got = ::read(descriptor_, &rings, sizeof rings);
    is_rung_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  const int descriptor_;
  std::atomic<bool> is_rung_{false};
};

}  // namespace hawser
