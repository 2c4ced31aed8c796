// What one run of the engine is given beside the schedules, and what comes out of it.
#pragma once

#include <cstdint>
#include <vector>

#include <hawser/cost/parameters.hpp>
#include <hawser/schedule/window.hpp>

namespace hawser::simulate {

/// What is simulated beside the schedules.
struct run_settings {
  double block_bytes = 0;             ///< of the request
  bool sends_empty_messages = false;  ///< a barrier
  std::int64_t segments = 1;
  std::int64_t window = schedule::default_window;
  cost::parameters host{};
  /// 0: rates are fair at every instant. Else they are made so again this long after a change; until then a new flow
  /// has an even share of its links, and the others keep theirs.
  seconds lag{0};
  bool keeps_order = false;  ///< messages between two ranks go one after the other, as through a socket; single ranks
};

/// What came out.
struct run_result {
  seconds time{};
  std::int64_t events = 0;
  std::int64_t solves = 0;
  std::vector<double> link_bytes;  ///< per link of the network: through each unit of its class
};

}  // namespace hawser::simulate
