// What algorithms move that are generated from something prepared, counted in their schedules.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <hawser/algorithm/prepared.hpp>
#include <hawser/cost/traffic.hpp>

namespace hawser::cost {

/// The longest way from a root to a leaf, in messages.
inline std::int64_t depth_of(const schedule::tree_packing& packing) {
  std::int64_t deepest = 0;
  for (const schedule::packed_tree& tree : packing.trees) {
    std::vector<std::int64_t> depth(static_cast<std::size_t>(packing.ranks), 0);
    for (const auto& [parent, child] : tree.edges) {
      depth[static_cast<std::size_t>(child)] = depth[static_cast<std::size_t>(parent)] + 1;
      deepest = std::max(deepest, depth[static_cast<std::size_t>(child)]);
    }
  }
  return deepest;
}

/// The same as `count_traffic` says of other algorithms, of schedules that `schedule_of(rank)` generates out of place;
/// `rounds` per level. For all ranks one by one.
template <class ScheduleOf>
traffic prepared_traffic(const topology::hierarchy& tree, const std::vector<std::int64_t>& rounds,
                         ScheduleOf&& schedule_of) {
  const auto depth = static_cast<std::size_t>(tree.depth());
  traffic total{.blocks_out = std::vector<double>(depth, 0.0),
                .rounds = rounds,
                .serial = std::vector<double>(depth, 1.0),
                .stay_rounds = rounds,
                .stay_serial = std::vector<double>(depth, 1.0)};
  detail::unit_traffic units(tree);
  double most_sent = -1;
  for (std::int64_t position = 0; position < tree.size(); ++position) {
    const auto moved = detail::count_rank(tree, schedule_of(tree.rank_at(position)));
    detail::keep_busiest(total.messages, moved.messages());
    total.blocks_reduced = std::max(total.blocks_reduced, moved.blocks_reduced);
    const double sent = std::accumulate(moved.blocks_out.begin(), moved.blocks_out.end(), 0.0);
    if (sent > most_sent) most_sent = sent, total.blocks_sent = moved.blocks_out;
    units.add(position, moved, total.blocks_out, [](int, std::int64_t) { return 1.0; });
  }
  return total;
}

/// Along packed trees. The busiest link is what the packing says its links carry.
inline traffic packed_traffic(const topology::hierarchy& tree, schedule::request what,
                              const schedule::tree_packing& packing) {
  const bool is_all_reduce = what.what == schedule::collective::all_reduce;
  std::vector<std::int64_t> rounds(static_cast<std::size_t>(tree.depth()), 0);
  const std::vector<int> active = algorithm::active_levels(tree);
  rounds[static_cast<std::size_t>(active.front())] = depth_of(packing) * (is_all_reduce ? 2 : 1);
  what.in_place = false;
  traffic total = prepared_traffic(tree, rounds, [&](rank r) { return algorithm::generate_packed(packing, what, r); });
  // An all-reduce's blocks are a rank's share of the vector, gathered after they were reduced.
  const double blocks = is_all_reduce ? 2.0 / packing.ranks : 1.0;
  total.busiest = {blocks / packing.bytes_per_second, blocks};
  total.window = schedule::packed_window;
  return total;
}

/// Along rails by their shares. `links` may be null: then the levels' links are all that is known.
inline traffic multi_rail_traffic(const topology::hierarchy& tree, schedule::request what,
                                  const schedule::rail_shares& shares, const network_load* links) {
  const std::vector<int> active = algorithm::active_levels(tree);
  std::vector<std::int64_t> rounds(static_cast<std::size_t>(tree.depth()), 0);
  rounds[static_cast<std::size_t>(active[0])] =
      2 * algorithm::detail::overlapping_log2(tree.at(active[0]).units.distinct_sizes().back());
  rounds[static_cast<std::size_t>(active[1])] = 2;  // a reduce-scatter and an all-gather of one round each
  what.in_place = false;
  const auto schedule_of = [&](rank r) { return algorithm::generate_multi_rail(tree, what, shares, r); };
  traffic total = prepared_traffic(tree, rounds, schedule_of);
  if (links != nullptr) total.busiest = links->of_schedules(schedule_of);
  return total;
}

}  // namespace hawser::cost
