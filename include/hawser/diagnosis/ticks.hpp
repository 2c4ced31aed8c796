// The cheapest clock there is: a counter of the processor, and its rate found afterwards.
#pragma once

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hawser::diagnosis {

/// The processor's counter: some 10 ns less than the system's clock where that matters, which is twice per step. Only
/// what people read is made from it, since a machine may not keep it even.
inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  std::uint64_t now;
  asm volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Ticks in seconds of the host's monotonic clock, from two looks at both.
class tick_scale {
 public:
  /// One look at both clocks.
  struct look {
    std::uint64_t at = ticks();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };

  tick_scale() = default;
  tick_scale(const look& first, const look& second)
      : origin_(second),
        rate_(second.at > first.at ? (second.seconds - first.seconds) / static_cast<double>(second.at - first.at) : 0) {
  }
  /// A number of ticks in seconds.
  double seconds_in(std::uint64_t ticks) const noexcept { return rate_ * static_cast<double>(ticks); }
  /// Seconds of the monotonic clock at which the counter stood so.
  double seconds_at(std::uint64_t counter) const noexcept {
    return origin_.seconds + rate_ * static_cast<double>(static_cast<std::int64_t>(counter - origin_.at));
  }

 private:
  look origin_{0, 0};
  double rate_ = 0;
};

}  // namespace hawser::diagnosis
