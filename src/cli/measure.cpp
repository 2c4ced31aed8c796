// See measure.hpp.
#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

namespace hawser::cli {
namespace {

using clock = std::chrono::steady_clock;

constexpr double wanted_seconds = 0.5;
constexpr int least_iterations = 5;
constexpr int most_iterations = 1000;

double time_once(communicator& members, const repetition& how, const std::function<void()>& once) {
  if (how.before) how.before();
  members.barrier();
  const auto begin = clock::now();
  once();
  return seconds(clock::now() - begin).count();
}

/// Linear between the two nearest order statistics, as numpy.quantile does by default. `sorted` is not empty.
seconds quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return seconds(sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]));
}

}  // namespace

timing measure(communicator& members, const repetition& how, const std::function<void()>& once) {
  for (int i = 0; i < how.warmup; ++i) time_once(members, how, once);
  int iterations = how.iterations;
  if (iterations == 0) {
    std::vector<double> probe{std::min(time_once(members, how, once), time_once(members, how, once))};
    members.all_reduce(probe, op::max);
    const double fitting = wanted_seconds / std::max(probe[0], 1e-9);
    iterations = static_cast<int>(std::clamp<double>(fitting, least_iterations, most_iterations));
  }
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(iterations));
  for (int i = 0; i < iterations; ++i) times.push_back(time_once(members, how, once));
  members.all_reduce(times, op::max);
  std::vector<double> sorted = times;
  std::sort(sorted.begin(), sorted.end());
  return {quantile(sorted, 0.5), quantile(sorted, 0.1), quantile(sorted, 0.9), iterations, std::move(times)};
}

std::int64_t sum_over_ranks(communicator& members, std::int64_t value) {
  std::vector<std::int64_t> total{value};
  members.all_reduce(total);
  return total[0];
}

}  // namespace hawser::cli
