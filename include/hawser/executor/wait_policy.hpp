// How long a waiting rank polls before it blocks.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace hawser::executor {

/// Polls in a row, then polls with a yield between them, then blocking. A poll that holds the core is a loss where
/// ranks outnumber cores, of this host or of the machine that several hosts are emulated on: so it ends before a switch
/// of processes would have paid. Yields cost the others next to nothing, and waking a blocked rank may take a time
/// slice.
struct wait_policy {
  std::chrono::nanoseconds spin{0};
  int yields = 100;

  /// For a host on which so many ranks run.
  static wait_policy for_ranks_on_host(int ranks) {
    const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    return {.spin = std::chrono::microseconds(ranks <= cores ? 2 : 0)};
  }
};

}  // namespace hawser::executor
