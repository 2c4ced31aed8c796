// What an all-gather, reduce-scatter or all-reduce along packed trees moves, counted in its schedules and its trees.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hawser/algorithm/packed_trees.hpp>
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

/// The same as `count_traffic` says of other algorithms. Its busiest link is what the packing says its links carry.
inline traffic packed_traffic(const topology::hierarchy& tree, const schedule::request& what,
                              const schedule::tree_packing& packing) {
  const auto depth = static_cast<std::size_t>(tree.depth());
  const bool is_all_reduce = what.what == schedule::collective::all_reduce;
  const std::vector<int> active = algorithm::active_levels(tree);
  traffic total{.blocks_out = std::vector<double>(depth, 0.0),
                .rounds = std::vector<std::int64_t>(depth, 0),
                .serial = std::vector<double>(depth, 1.0),
                .stay_rounds = {},
                .stay_serial = std::vector<double>(depth, 1.0)};
  total.rounds[static_cast<std::size_t>(active.front())] = depth_of(packing) * (is_all_reduce ? 2 : 1);
  total.stay_rounds = total.rounds;
  schedule::request counted = what;
  counted.in_place = false;
  detail::unit_traffic units(tree);
  double most_sent = -1;
  for (int r = 0; r < packing.ranks; ++r) {
    const auto moved = detail::count_rank(tree, algorithm::generate_packed(packing, counted, rank(r)));
    detail::keep_busiest(total.messages, moved.messages());
    total.blocks_reduced = std::max(total.blocks_reduced, moved.blocks_reduced);
    const double sent = std::accumulate(moved.blocks_out.begin(), moved.blocks_out.end(), 0.0);
    if (sent > most_sent) most_sent = sent, total.blocks_sent = moved.blocks_out;
    units.add(tree.position_of(rank(r)), moved, total.blocks_out, [](int, std::int64_t) { return 1.0; });
  }
  // An all-reduce's blocks are a rank's share of the vector, gathered after they were reduced.
  const double blocks = is_all_reduce ? 2.0 / packing.ranks : 1.0;
  total.busiest = {blocks / packing.bytes_per_second, blocks};
  return total;
}

}  // namespace hawser::cost
