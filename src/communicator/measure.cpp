// See measure.hpp.
#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <hawser/algorithm/levels.hpp>
#include <hawser/tune/spread.hpp>

namespace hawser::detail {
namespace {

using clock = std::chrono::steady_clock;

constexpr double wanted_seconds = 0.5;
constexpr int least_iterations = 5;
constexpr int most_iterations = 1000;

/// Lets all ranks go at nearly the same time: who goes earlier seems to take longer. On one level, all hear it in the
/// same round; over several, a leader's few messages keep them closer together than the many of all ranks.
void start_together(communicator& members) {
  call_options options;
  if (algorithm::active_levels(members.hierarchy()).size() < 2) options.algorithm = "dissemination";
  members.barrier(options);
}

}  // namespace

timing timing_of(std::vector<double> times) {
  const tune::spread taken = tune::spread_of(times);
  return {seconds(taken.median), seconds(taken.p10), seconds(taken.p90), taken.samples, std::move(times)};
}

double time_once(communicator& members, const std::function<void()>& before, const std::function<void()>& once) {
  if (before) before();
  start_together(members);
  const auto begin = clock::now();
  once();
  return seconds(clock::now() - begin).count();
}

timing measure(communicator& members, const repetition& how, const std::function<void()>& once) {
  for (int i = 0; i < how.warmup; ++i) time_once(members, how.before, once);
  int iterations = how.iterations;
  if (iterations == 0) {
    std::vector<double> probe{std::min(time_once(members, how.before, once), time_once(members, how.before, once))};
    members.all_reduce(probe, op::max);
    const double fitting = wanted_seconds / std::max(probe[0], 1e-9);
    iterations = static_cast<int>(std::clamp<double>(fitting, least_iterations, most_iterations));
  }
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(iterations));
  for (int i = 0; i < iterations; ++i) times.push_back(time_once(members, how.before, once));
  members.all_reduce(times, op::max);
  return timing_of(std::move(times));
}

std::int64_t sum_over_ranks(communicator& members, std::int64_t value) {
  std::vector<std::int64_t> total{value};
  members.all_reduce(total);
  return total[0];
}

}  // namespace hawser::detail
