// How long a waiting rank polls before it blocks, learned from how long its waits have been.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace hawser::executor {

/// Polls in a row, then polls with a yield between them, then blocking. A poll that holds the core is a loss where
/// ranks outnumber cores: the rank that is waited for may need this one.
struct wait_policy {
  std::chrono::nanoseconds spin{0};
  int yields = 100;

  static wait_policy for_ranks_on_host(int ranks) {
    const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    return {.spin = std::chrono::microseconds(ranks <= cores ? 10 : 0)};
  }
};

/// The part of a policy that is worth it now: halved after each wait that polling could not have shortened, doubled
/// after each one that was over soon. So small collectives poll, and large ones leave the core to those who work.
class patience {
 public:
  explicit patience(wait_policy full) : full_(full) {}

  std::chrono::nanoseconds spin() const noexcept { return full_.spin * share_ / whole; }
  int yields() const noexcept { return full_.yields * share_ / whole; }
  /// Something moved after `waited`.
  void learn(std::chrono::nanoseconds waited) noexcept {
    share_ = waited <= short_wait ? std::min(share_ * 2, whole) : std::max(share_ / 2, 1);
  }

 private:
  /// Blocking and waking cost some ten microseconds; beyond a few of those, polling wins nothing that shows.
  static constexpr std::chrono::microseconds short_wait{100};
  static constexpr int whole = 128;

  wait_policy full_;
  int share_ = whole;
};

}  // namespace hawser::executor
