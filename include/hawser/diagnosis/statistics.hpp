// Who keeps the others waiting: what the durations of calls say, rank by rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/core/units.hpp>

namespace hawser::diagnosis {

/// What the calls say of one rank. All totals since the communicator was made.
struct rank_statistics {
  std::uint64_t times_last = 0;  ///< calls that it was the last to make
  seconds waited_for{};          ///< how long the others waited for it in these, each call the mean of the others
  seconds longest{};             ///< in one call
  seconds waiting{};             ///< how long it waited for others
  seconds in_calls{};            ///< how long it was in calls altogether
};

/// Of a communicator's calls that no rank can leave before all have come: all_reduce, reduce_scatter, all_gather,
/// all_to_all, all_to_all_v, barrier.
struct call_statistics {
  std::string communicator;
  std::uint64_t calls = 0;         ///< that were compared
  std::uint64_t calls_missed = 0;  ///< made, but too long ago or under way
  std::vector<rank_statistics> ranks;

  /// The rank that the others have waited for the longest; -1 where there is none.
  std::int32_t slowest() const noexcept;
};

/// Adds calls: `durations[r][i]` is how long rank r was in the i-th of them, 0 where that is not known. No clocks are
/// compared: who comes last is in a call for the shortest time, and what the others took longer they waited.
void add_calls(call_statistics& to, const std::vector<std::vector<float>>& durations);

/// JSON of the schema "hawser.statistics/1" (docs/schema/statistics-1.json); times in seconds.
std::string to_json(const call_statistics& from);
/// Prometheus' text format, a line per rank and figure: hawser_waited_for_seconds_total{communicator="world",rank="3"}.
std::string to_prometheus(const call_statistics& from);

}  // namespace hawser::diagnosis
