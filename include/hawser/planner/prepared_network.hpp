// What is prepared for a planner's network, trees packed into it and shares of its rails: when it is worth its time,
// and what is said where it is not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

#include <hawser/algorithm/pack_symmetric.hpp>
#include <hawser/algorithm/prepared.hpp>
#include <hawser/cost/network_load.hpp>

namespace hawser::planner {

using algorithm::multi_rail_name;
using algorithm::packed_trees_name;

/// Unasked, trees are packed where looking at links is estimated to come to no more than this, about 20 ms; an estimate
/// and no clock, so that all ranks decide alike.
inline constexpr std::int64_t most_unasked_looks = 10'000'000;
/// Where growth by symmetry misses the bound, so few ranks are packed exactly: 16 take milliseconds.
inline constexpr int most_exactly_packed_ranks = 16;
/// Below this share of the bound a packing is no candidate unless it is asked for.
inline constexpr double least_share_of_bound = 0.9;

/// A packing, or why there is none.
struct packed_network {
  schedule::tree_packing packing{};
  double share_of_bound = 0;
  std::string refused{};  ///< empty: there is one
};

namespace detail {

/// Trees x ranks x links: what growing them looks at.
inline std::int64_t looks_at(const algorithm::capacity_graph& links, int kinds, std::int64_t parts) {
  std::int64_t arcs = 0;
  for (int a = 0; a < links.nodes(); ++a)
    for (int b = 0; b < links.nodes(); ++b) arcs += links.at(a, b) > 0 ? 1 : 0;
  return kinds * parts * links.ranks() * arcs;
}

inline std::string as_share(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
  return text;
}

}  // namespace detail

/// Packs trees into a network, exactly where it is small. Never throws for a network that cannot be packed.
inline packed_network pack(const cost::network& into, bool is_asked) {
  packed_network made;
  try {
    const auto alike = algorithm::find_symmetry(into.links).rotations;
    const auto kinds = algorithm::detail::representatives_of(alike);
    const std::int64_t looks =
        detail::looks_at(into.links, static_cast<int>(kinds.size()), algorithm::most_symmetric_parts);
    if (!is_asked && looks > most_unasked_looks) {
      made.refused = "not packed unasked: " + std::to_string(kinds.size()) + " kinds of " +
                     std::to_string(into.links.ranks()) + " ranks would take longer than 20 ms";
      return made;
    }
    const algorithm::bottleneck limit = algorithm::find_bottleneck(into.links, kinds);
    const double bound =
        into.unit_bytes_per_second * static_cast<double>(limit.capacity) / static_cast<double>(limit.blocks);
    made.packing = algorithm::pack_symmetric(into.links, into.unit_bytes_per_second);
    made.share_of_bound = made.packing.bytes_per_second / bound;
    if (made.share_of_bound < 1 - 1e-9 && into.links.ranks() <= most_exactly_packed_ranks) {
      made.packing = algorithm::pack_trees(into.links, into.unit_bytes_per_second);
      made.share_of_bound = 1;
    }
    if (!is_asked && made.share_of_bound < least_share_of_bound)
      made.refused = "its trees reach " + detail::as_share(made.share_of_bound) + " of the bound only";
  } catch (const error& failure) {
    made.refused = failure.what();
  }
  return made;
}

/// Shares of rails, or why there are none.
struct network_rails {
  schedule::rail_shares shares{};
  std::string refused{};  ///< empty: there are some
};

/// The shares that suit a network; unasked only where they differ.
inline network_rails share(const topology::hierarchy& tree, const cost::network& links, bool is_asked) {
  if (!algorithm::has_rails(tree)) return {{}, "needs racks of equally many ranks below one level"};
  network_rails made{algorithm::shares_of_rails(tree, links.links), {}};
  const auto& weight = made.shares.weight;
  const auto is_as_first = [&](std::int64_t each) { return each == weight.front(); };
  const bool is_even = std::all_of(weight.begin(), weight.end(), is_as_first);
  if (is_even && weight.front() == 0)
    made.refused = "no rail joins the racks";
  else if (is_even && !is_asked)
    made.refused = "all rails are alike, hierarchical(...) shares them evenly";
  return made;
}

}  // namespace hawser::planner
