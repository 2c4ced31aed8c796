// From a plan's algorithm and what was prepared for it to one rank's schedule.
#pragma once

#include <string>
#include <string_view>

#include <hawser/algorithm/generate.hpp>
#include <hawser/algorithm/multi_rail.hpp>
#include <hawser/algorithm/packed_trees.hpp>

namespace hawser::algorithm {

/// The names of the algorithms that need something prepared: a tree packing, shares of rails.
inline constexpr std::string_view packed_trees_name = "packed_trees";
inline constexpr std::string_view multi_rail_name = "multi_rail";

/// One rank's schedule of a plan's algorithm: from what was prepared where the plan has such a thing, else from the
/// hierarchy alone. Throws as `generate`, `schedule::parse_tree_packing` and `schedule::parse_rail_shares`.
inline schedule::schedule generate_planned(const topology::hierarchy& tree, const schedule::request& what,
                                           std::string_view algorithm, const std::string& prepared, rank self) {
  if (prepared.empty()) return generate(tree, what, algorithm, self);
  if (prepared.starts_with(schedule::rail_shares_kind))
    return generate_multi_rail(tree, what, schedule::parse_rail_shares(prepared), self);
  return generate_packed(schedule::parse_tree_packing(prepared), what, self);
}

}  // namespace hawser::algorithm
