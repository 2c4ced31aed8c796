// What a plan rests on and what would change it: figures with their provenance, and the sizes where the choice flips.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include <hawser/planner/planner.hpp>

namespace hawser::planner {

namespace detail {

/// Choices are searched between one element and this size: above any message that is sent at once.
inline constexpr std::int64_t most_searched_bytes = std::int64_t{1} << 40;

/// The nearest count, among those reached by doubling or halving and then bisected, at which the cost model chooses
/// another algorithm. A choice that flips and flips back within a factor of two is not seen.
inline std::optional<schedule::turning_point> find_turning_point(const planner& chooser, schedule::request what,
                                                                 bool upwards) {
  what.algorithm.clear();
  const auto choice_at = [&](std::int64_t count) {
    what.count = count;
    return chooser.model_choice(what);
  };
  const std::int64_t most = most_searched_bytes / static_cast<std::int64_t>(what.element_bytes);
  std::int64_t same = what.count, other = same;
  const std::string here = choice_at(same);
  std::string there = here;
  while (there == here) {
    same = other;
    if (upwards ? other > most / 2 : other <= 1) return std::nullopt;
    other = upwards ? 2 * other : other / 2;
    there = choice_at(other);
  }
  while (std::abs(other - same) > 1) {
    const std::int64_t middle = same + (other - same) / 2;
    if (std::string at = choice_at(middle); at == here) {
      same = middle;
    } else {
      other = middle;
      there = std::move(at);
    }
  }
  return schedule::turning_point{other, std::move(there)};
}

inline schedule::parameter parameter_of(std::string name, double value, std::string unit, std::string source) {
  return {std::move(name), value, std::move(unit), std::move(source)};
}

}  // namespace detail

/// Every figure that predictions on this machine rest on, outermost level first, then the host's.
inline std::vector<schedule::parameter> parameters_of(const planner& chooser) {
  std::vector<schedule::parameter> all;
  const cost::parameters& host = chooser.host();
  for (int d = 0; d < chooser.tree().depth(); ++d) {
    const topology::level& each = chooser.tree().at(d);
    const std::string source(to_string(each.up.source));
    const double rate = cost::link_rate(chooser.tree(), d, host).bytes_per_second;
    all.push_back(detail::parameter_of(each.name + " bandwidth", rate, "B/s", source));
    all.push_back(detail::parameter_of(each.name + " latency", each.up.latency.count(), "s", source));
  }
  const std::string source(to_string(host.source));
  std::size_t told = 0;
  for (const topology::level& each : chooser.tree().levels())
    if (const cost::message_work* const work = host.find_message_work(each.name)) {
      all.push_back(detail::parameter_of(each.name + " work per message", work->each.count(), "s", work->source));
      if (std::isfinite(work->bytes.bytes_per_second))
        all.push_back(detail::parameter_of(each.name + " bytes through a core", work->bytes.bytes_per_second, "B/s",
                                           work->source));
      ++told;
    }
  if (told < chooser.tree().levels().size())
    all.push_back(detail::parameter_of("work per message", host.per_message.count(), "s", source));
  if (host.ranks_per_core > 1)
    all.push_back(detail::parameter_of("ranks per core", host.ranks_per_core, "ranks", "counted"));
  all.push_back(detail::parameter_of("reduction", host.reduction.bytes_per_second, "B/s", source));
  all.push_back(detail::parameter_of("window", static_cast<double>(schedule::default_window), "segments", "built in"));
  return all;
}

/// A plan with all that explains it: `make_plan`, the figures it rests on, and the nearest sizes at which the cost
/// model chooses something else. Some hundred times the work of `make_plan` alone. Throws as `make_plan`.
inline schedule::plan make_explained_plan(const planner& chooser, const schedule::request& what) {
  schedule::plan made = chooser.make_plan(what);
  made.parameters = parameters_of(chooser);
  made.is_searched = what.algorithm.empty() && what.count > 0;
  if (!made.is_searched) return made;
  made.smaller = detail::find_turning_point(chooser, what, false);
  made.larger = detail::find_turning_point(chooser, what, true);
  return made;
}

}  // namespace hawser::planner
