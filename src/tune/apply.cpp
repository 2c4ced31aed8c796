// A tuning's figures in the hierarchy that they were measured on.
#include <hawser/tune/tuning.hpp>

#include <algorithm>

#include <hawser/core/error.hpp>
#include <hawser/topology/fingerprint.hpp>

namespace hawser::tune {

namespace {

/// The model adds the links that a message climbs, so a level's own part is what it has beyond the level inside it. A
/// level that measured no more than that still has a link: a twentieth of what was measured.
constexpr double least_share = 0.05;

const spread& message_time_of(const tuning& measured, std::size_t level) {
  const spread& own = measured.levels[level].message_time;
  return own.is_measured() ? own : measured.message_time;
}

void apply_latencies(const tuning& measured, std::vector<topology::level>& levels) {
  double inside = 0;  // the links further in
  for (std::size_t i = levels.size(); i-- > 0;) {
    const spread& latency = measured.levels[i].latency;
    // The model adds the work per message beside the links.
    const double beside = inside + message_time_of(measured, i).median;
    if (latency.is_measured())
      levels[i].up.latency = seconds{std::max(latency.median - beside, least_share * latency.median)};
    inside += levels[i].up.latency.count();
  }
}

void check_key(const tuning& measured, const topology::hierarchy& tree) {
  const std::string wanted = topology::fingerprint_text(tree);
  const bool fits = measured.levels.size() == tree.levels().size() &&
                    std::equal(measured.levels.begin(), measured.levels.end(), tree.levels().begin(),
                               [](const auto& figures, const auto& level) { return figures.name == level.name; });
  if (measured.fingerprint != wanted || !fits)
    fail(errc::mismatch, "the tuning is for another machine or placement of ranks",
         "it was measured on " + measured.hierarchy + ", fingerprint " + measured.fingerprint +
             "; this hierarchy's fingerprint is " + wanted,
         "measure this one with hawser tune");
}

}  // namespace

tuned apply(const tuning& measured, const topology::hierarchy& tree, const cost::parameters& host,
            topology::provenance source, const std::string& origin) {
  check_key(measured, tree);
  std::vector<topology::level> levels = tree.levels();
  apply_latencies(measured, levels);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const level_figures& figures = measured.levels[i];
    if (figures.together.is_measured()) levels[i].up.rate = bandwidth{figures.together.median};
    if (figures.together.is_measured() || figures.latency.is_measured()) levels[i].up.source = source;
  }
  cost::parameters own = host;
  if (measured.message_time.is_measured()) own.per_message = seconds{measured.message_time.median};
  own.message_work_by_level.clear();
  for (const level_figures& each : measured.levels)
    if (each.message_time.is_measured())
      own.message_work_by_level.push_back(
          {each.name, seconds{each.message_time.median}, std::string(topology::to_string(source))});
  if (measured.reduction.is_measured()) own.reduction = bandwidth{measured.reduction.median};
  own.source = source;
  own.origin = origin;
  if (tree.is_in_rank_order()) return {topology::hierarchy(std::move(levels)), std::move(own)};
  std::vector<rank> rank_at;
  for (std::int64_t position = 0; position < tree.size(); ++position) rank_at.push_back(tree.rank_at(position));
  return {topology::hierarchy(std::move(levels), std::move(rank_at)), std::move(own)};
}

std::string origin_of_file(const std::string& path, const tuning& measured) {
  return "tuning file " + path + ", " + measured.date;
}

}  // namespace hawser::tune
