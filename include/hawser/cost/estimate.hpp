// Time from traffic: latency of dependent messages, bytes through the busiest link of each level, a rank's own work,
// and the number of segments that pipelines them best. alpha-beta-gamma with LogGP's per-message overhead.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include <hawser/cost/parameters.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/schedule/plan.hpp>
#include <hawser/schedule/segments.hpp>

namespace hawser::cost {

/// Segments smaller than this only add messages: about a shared-memory ring's piece (docs/transports.md).
inline constexpr std::int64_t smallest_segment_bytes = 16 * 1024;
inline constexpr std::int64_t most_segments = 4096;

/// In a candidate's parts, after those of the levels: the busiest link of the network that is known beside them.
inline constexpr std::string_view network_level = "network";

/// What a level's links are taken to carry: between hosts no more than the transport suggests, unless somebody has said
/// more than that.
inline bandwidth link_rate(const topology::hierarchy& tree, int level, const parameters& host) {
  const topology::link& link = tree.at(level).up;
  const message_work* const known = host.find_message_work(tree.at(level).name);
  if (!known || link.source != topology::provenance::assumed || host.is_memory(tree, level)) return link.rate;
  return bandwidth{std::min(link.rate.bytes_per_second, known->fastest_assumed_link.bytes_per_second)};
}

namespace detail {

/// One message between units of a level: its own link and those below it.
inline seconds message_latency(const topology::hierarchy& tree, int level) {
  seconds latency{};
  for (int d = level; d < tree.depth(); ++d) latency += tree.at(d).up.latency;
  return latency;
}

/// A rank's work on one segment's messages, the busiest rank's, or what all ranks have that share its core.
inline seconds message_work(const topology::hierarchy& tree, const traffic& moved, const parameters& host) {
  const auto work = [&](const std::vector<double>& messages) {
    seconds sum{};
    for (std::size_t d = 0; d < messages.size(); ++d)
      sum += messages[d] * host.message_work_at(tree.at(static_cast<int>(d)).name);
    return sum;
  };
  seconds most{};
  for (const std::vector<double>& each : moved.messages) most = std::max(most, work(each));
  const seconds mean = moved.mean_messages.empty() ? most : work(moved.mean_messages);
  return std::max(most, host.ranks_per_core * mean);
}

/// Bytes per second of a level's links where ranks share cores: those run a network whose rate is only assumed.
inline double rate_of(const topology::hierarchy& tree, int level, const parameters& host) {
  const bool is_shared = tree.at(level).up.source == topology::provenance::assumed && !host.is_memory(tree, level);
  return link_rate(tree, level, host).bytes_per_second / (is_shared ? host.ranks_per_core : 1.0);
}

/// What a rank's core spends on a block's bytes that its transport moves and no link does.
inline seconds byte_work(const topology::hierarchy& tree, const traffic& moved, const parameters& host, double block) {
  seconds sum{};
  for (std::size_t d = 0; d < moved.blocks_sent.size(); ++d)
    if (const auto* const known = host.find_message_work(tree.at(static_cast<int>(d)).name))
      sum += seconds{moved.blocks_sent[d] * block / known->bytes.bytes_per_second};
  return sum;
}

/// What a message as a whole takes at each stage; each segment takes its share of the bytes.
struct stages {
  seconds latency{};       ///< along the chain
  seconds serial{};        ///< its bytes one after the other along the chain
  seconds transfer{};      ///< its bytes through the busiest link
  seconds reduction{};     ///< a rank's own work on its bytes, moving them through memory included
  double reducing = 1;     ///< ranks that do it one after the other along the chain
  seconds overhead{};      ///< a rank's work per message; each segment has as many
  seconds stay_latency{};  ///< along what one rank waits for between beginning a segment and being done with it
  seconds stay_serial{};
  std::int64_t window = 1;  ///< segments in flight
  bool hands_on = false;

  void add(const schedule::cost_part& part, seconds latency_of_one, std::int64_t stay_rounds, double stay_passes) {
    latency += part.latency;
    serial += part.serial;
    transfer = std::max(transfer, part.transfer);
    stay_latency += static_cast<double>(stay_rounds) * latency_of_one;
    stay_serial += part.transfer * stay_passes;
  }
};

/// How far apart segments of a rank end that have a share of the bytes each: as the slowest stage lets them pass.
inline seconds spacing(const stages& s, double share) {
  return std::max(s.transfer, s.reduction) * share + s.overhead;
}

/// The same where only a window of segments is in flight. Along chains and trees that hand on, segments come one after
/// the other and a window of them passes in a round trip at best. Elsewhere all ranks begin the segments of a window
/// together; they circulate through the stages, and each waits at the slowest for the others (a closed queueing
/// network, e.g. Lazowska et al.: Quantitative System Performance, chapter 5).
inline seconds windowed_spacing(const stages& s, double share, std::int64_t segments) {
  const seconds apart = spacing(s, share);
  const auto in_flight = static_cast<double>(std::min(segments, s.window));
  const seconds round_trip =
      s.stay_latency + s.overhead + (s.stay_serial + (s.hands_on ? 1.0 : s.reducing) * s.reduction) * share;
  if (s.hands_on) return std::max(apart, round_trip / in_flight);
  return apart + std::max(round_trip - apart, seconds{}) / in_flight;
}

/// Time with m segments: the first, which may be smaller, passes all stages; each further one follows. The last is as
/// small as the first, so what it passes after the slowest stage is in the first's way.
inline seconds pipelined(const stages& s, std::int64_t m, bool is_windowed = true) {
  const double first_share = schedule::segmentation(m).share(0);
  const seconds first = s.latency + s.overhead + (s.serial + s.reducing * s.reduction) * first_share;
  if (m == 1) return first;
  const auto others = static_cast<double>(m - 1);
  const double share = (1 - first_share) / others;
  return first + others * (is_windowed ? windowed_spacing(s, share, m) : spacing(s, share));
}

}  // namespace detail

/// Where nobody knows how fast a link is, it may be far slower than assumed. Then more segments pay, and fewer bytes
/// over it; so there the most segments and the fewest bytes are taken that cost no more than this by the assumed
/// figures.
inline constexpr double price_of_not_knowing = 1.05;

/// The outermost level whose links nobody has measured or described; -1: there is none.
inline int outermost_assumed(const topology::hierarchy& tree) {
  for (int d = 0; d < tree.depth(); ++d)
    if (tree.at(d).units.total() > 1 && tree.at(d).up.source == topology::provenance::assumed) return d;
  return -1;
}

namespace detail {

/// The number of segments that minimises the time, or the most that are nearly as good.
inline std::int64_t best_segments(const topology::hierarchy& tree, const schedule::request& what, const stages& s) {
  const bool leans = outermost_assumed(tree) >= 0;
  std::int64_t best = 1;
  seconds least = pipelined(s, 1);
  for (std::int64_t m = 2; m <= most_segments && what.block_bytes() / m >= smallest_segment_bytes; m *= 2) {
    const seconds time = pipelined(s, m);
    if (time < least || (leans && time <= price_of_not_knowing * least)) best = m;
    least = std::min(least, time);
  }
  return best;
}

}  // namespace detail

/// Fills in the predicted time of a candidate from its traffic, with the number of segments that suits it best, or with
/// a given one (0: none is given).
inline void estimate(const topology::hierarchy& tree, const schedule::request& what, const traffic& moved,
                     const parameters& host, schedule::candidate& c, std::int64_t given_segments = 0) {
  const auto block = static_cast<double>(what.block_bytes());
  detail::stages all{.window = moved.window, .hands_on = moved.hands_on};
  for (int d = 0; d < tree.depth(); ++d) {
    const auto i = static_cast<std::size_t>(d);
    const seconds latency = host.ranks_per_core * detail::message_latency(tree, d);
    schedule::cost_part part{.level = tree.at(d).name};
    part.messages = static_cast<double>(moved.rounds[i]);
    part.crossing_bytes = moved.blocks_out[i] * block;
    part.latency = part.messages * latency;
    part.transfer = seconds{part.crossing_bytes / detail::rate_of(tree, d, host)};
    part.serial = part.transfer * moved.serial[i];
    // Where the data is handed on, each rank on the way reduces it first; in an all-reduce only on the way up, where it
    // arrives at twice the rate, from two children. What a switch reduces is no rank's work.
    if (schedule::reduces(what.what) && moved.stay_serial[i] > 1)
      all.reducing = std::max(all.reducing, moved.serial[i] * (what.what == schedule::collective::all_reduce ? 2 : 1));
    if (host.is_memory(tree, d)) all.reduction += part.transfer;
    all.add(part, latency, moved.stay_rounds[i], moved.stay_serial[i]);
    c.parts.push_back(std::move(part));
  }
  if (moved.busiest.blocks > 0) {
    schedule::cost_part part{.level = std::string(network_level)};
    part.crossing_bytes = moved.busiest.blocks * block;
    part.transfer = seconds{moved.busiest.seconds_per_byte * block};
    part.serial = part.transfer * *std::max_element(moved.serial.begin(), moved.serial.end());
    all.transfer = std::max(all.transfer, part.transfer);
    all.serial = std::max(all.serial, part.serial);
    const double stay = *std::max_element(moved.stay_serial.begin(), moved.stay_serial.end());
    all.stay_serial = std::max(all.stay_serial, part.transfer * stay);
    c.parts.push_back(std::move(part));
  }
  c.reduction = seconds{moved.blocks_reduced * block / host.reduction.bytes_per_second};
  all.reduction += c.reduction + detail::byte_work(tree, moved, host, block);
  all.reduction *= std::max(1.0, host.ranks_per_core * moved.evenness);
  all.overhead = detail::message_work(tree, moved, host);
  const bool may_segment = what.are_counts_agreed && what.what != schedule::collective::barrier;
  c.segments = std::max<std::int64_t>(given_segments, 1);
  if (given_segments == 0 && may_segment) c.segments = detail::best_segments(tree, what, all);
  c.predicted = detail::pipelined(all, c.segments);
  c.overhead = all.overhead * static_cast<double>(c.segments);
  c.window = c.predicted - detail::pipelined(all, c.segments, false);
}

namespace detail {

/// Blocks that must pass the link of some unit of a level, per direction.
inline double least_crossing(const topology::hierarchy& tree, const schedule::request& what, int level) {
  using schedule::collective;
  const std::int64_t units = tree.at(level).units.total();
  if (what.what == collective::all_reduce) {
    // A switch that reduces, here or further out, needs every contribution once.
    for (int d = 0; d <= level; ++d)
      if (tree.at(d).reduces_in_network) return 1;
    return 2 * static_cast<double>(units - 1) / static_cast<double>(units);
  }
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
