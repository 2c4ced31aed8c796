// Time from traffic: latency of dependent messages, bytes through the busiest link of each level, a rank's own work,
// and the number of segments that pipelines them best. alpha-beta-gamma with LogGP's per-message overhead.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <hawser/cost/parameters.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/schedule/plan.hpp>

namespace hawser::cost {

/// Segments smaller than this only add messages: about a shared-memory ring's piece (docs/transports.md).
inline constexpr std::int64_t smallest_segment_bytes = 16 * 1024;
inline constexpr std::int64_t most_segments = 4096;

namespace detail {

/// One message between units of a level: its own link and those below it.
inline seconds message_latency(const topology::hierarchy& tree, int level) {
  seconds latency{};
  for (int d = level; d < tree.depth(); ++d) latency += tree.at(d).up.latency;
  return latency;
}

/// Time with m segments: the first passes all stages, each further one follows by the slowest stage.
inline seconds pipelined(const schedule::candidate& c, seconds overhead, std::int64_t m) {
  const double count = static_cast<double>(m);
  seconds first = overhead, slowest = overhead;
  for (const schedule::cost_part& part : c.parts) {
    first += part.latency + part.serial / count;
    slowest = std::max(slowest, part.transfer / count + overhead);
  }
  first += c.reduction / count;
  slowest = std::max(slowest, c.reduction / count + overhead);
  return first + (count - 1) * slowest;
}

}  // namespace detail

/// Fills in the predicted time of a candidate from its traffic.
inline void estimate(const topology::hierarchy& tree, const schedule::request& what, const traffic& moved,
                     const parameters& host, schedule::candidate& c) {
  const auto block = static_cast<double>(what.block_bytes());
  for (int d = 0; d < tree.depth(); ++d) {
    const auto i = static_cast<std::size_t>(d);
    schedule::cost_part part{.level = tree.at(d).name};
    part.messages = static_cast<double>(moved.rounds[i]);
    part.crossing_bytes = moved.blocks_out[i] * block;
    part.latency = part.messages * detail::message_latency(tree, d);
    part.transfer = seconds{part.crossing_bytes / tree.at(d).up.rate.bytes_per_second};
    part.serial = part.transfer * moved.serial[i];
    c.parts.push_back(part);
  }
  c.reduction = seconds{moved.blocks_reduced * block / host.reduction.bytes_per_second};
  const seconds overhead = moved.messages * host.per_message;
  c.segments = 1;
  c.predicted = detail::pipelined(c, overhead, 1);
  const bool may_segment = what.are_counts_agreed && what.what != schedule::collective::barrier;
  for (std::int64_t m = 2; may_segment && m <= most_segments && what.block_bytes() / m >= smallest_segment_bytes;
       m *= 2) {
    const seconds time = detail::pipelined(c, overhead, m);
    if (time < c.predicted) c.predicted = time, c.segments = m;
  }
}

namespace detail {

/// Blocks that must pass the link of some unit of a level, per direction.
inline double least_crossing(const topology::hierarchy& tree, const schedule::request& what, int level) {
  using schedule::collective;
  const std::int64_t units = tree.at(level).units.total();
  if (what.what == collective::all_reduce) return 2 * static_cast<double>(units - 1) / static_cast<double>(units);
  const auto n = static_cast<double>(tree.size());
  const std::int64_t root = schedule::has_root(what.what) ? tree.unit_of(tree.position_of(what.root), level) : 0;
  bool is_even = true;
  for (int d = level + 1; d < tree.depth(); ++d) is_even = is_even && tree.at(d).units.is_uniform();
  double most = 0;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const double inside = ranks_in(tree, level, unit), outside = n - inside;
    switch (what.what) {
      case collective::all_to_all:
      case collective::all_to_all_v: most = std::max(most, inside * outside); break;
      case collective::reduce_scatter:
      case collective::all_gather: most = std::max(most, outside); break;
      case collective::gather:
      case collective::scatter: most = std::max(most, unit == root ? outside : inside); break;
      default: return 1;
    }
    if (is_even && unit >= root) break;  // all are alike but the root's
  }
  return most;
}

}  // namespace detail

/// No algorithm can be faster by this model (docs/algorithms.md, bounds): bytes that must pass some unit's
/// link, and one message.
inline seconds lower_bound(const topology::hierarchy& tree, const schedule::request& what) {
  seconds bound{};
  if (tree.size() == 1) return bound;
  const auto block = static_cast<double>(what.block_bytes());
  for (int d = 0; d < tree.depth(); ++d)
    if (tree.at(d).units.total() > 1)
      bound =
          std::max(bound, seconds{detail::least_crossing(tree, what, d) * block / tree.at(d).up.rate.bytes_per_second});
  const seconds latency = tree.levels().back().up.latency;  // a rank may talk to all others at once
  return std::max(bound, latency);
}

}  // namespace hawser::cost
