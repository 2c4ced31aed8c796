// How long a collective takes: per iteration the slowest rank's time, then quantiles over the iterations.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <hawser/communicator/communicator.hpp>

namespace hawser::detail {

struct timing {
  seconds median{};
  seconds p10{};
  seconds p90{};
  int iterations = 0;
  std::vector<double> times;  ///< in seconds, of each iteration, in order
};

struct repetition {
  int warmup = 0;                  ///< iterations that do not count
  int iterations = 0;              ///< 0: as many as fill half a second, between 5 and 1000
  std::function<void()> before{};  ///< done before each iteration's barrier, outside the time
};

/// The slowest ranks' times of the iterations, in seconds; at least one.
timing timing_of(std::vector<double> times);

/// Seconds that `once` takes on this rank after a barrier; `before`, where there is one, is done before that.
double time_once(communicator& members, const std::function<void()>& before, const std::function<void()>& once);

/// Runs `once` again and again, on all ranks; a barrier precedes each, outside the time. The reduction of the times
/// over the ranks is not measured either. The same result on every rank.
timing measure(communicator& members, const repetition& how, const std::function<void()>& once);

/// The sum of a number over all ranks, on all ranks.
std::int64_t sum_over_ranks(communicator& members, std::int64_t value);

}  // namespace hawser::detail
