// What calibration and inference measure with. They are written against this, so that tests can hand them a machine
// that exists on paper only; `conductor` (prober.hpp) is the one over a real communicator.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace hawser::tune {

/// Two ranks, or one rank's data on its way to another.
struct link_pair {
  int from = 0;
  int to = 0;
  friend bool operator==(const link_pair&, const link_pair&) = default;
};

using link_pairs = std::span<const link_pair>;

/// What calibration and inference measure with: functions that are collective over all ranks and throw as their
/// messages do.
struct instruments {
  /// Half a round trip of the smallest message, in seconds, per pair. All pairs at once; no rank is in two of them.
  /// The lowest of many round trips: whatever disturbs only adds to it.
  std::function<std::vector<double>(link_pairs)> latencies;
  /// Seconds per message of many small ones from one rank to the other, per pair; otherwise as above.
  std::function<std::vector<double>(link_pairs)> message_times;
  /// Bytes per second of each stream of that many bytes, all at once. A rank may send one stream and receive several.
  std::function<std::vector<double>(link_pairs, std::int64_t bytes)> rates;
  /// Bytes of result per second that each rank reduces, all at once.
  std::function<std::vector<double>()> reductions;
  /// Seconds since the beginning.
  std::function<double()> clock;
};

}  // namespace hawser::tune
