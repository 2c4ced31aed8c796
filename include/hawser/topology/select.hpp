// Part of a hierarchy: some of its positions, with new ranks on them; groups that are left empty disappear.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// The hierarchy of the ranks 0 .. n-1, where rank r sits on the position `position_of_rank[r]` of `tree` (the ranks
/// that `tree` itself places do not matter). Keeps all levels. Throws errc::invalid_argument where there are none, or
/// where a position is out of range or taken twice. O(n log n + n depth).
inline hierarchy select_positions(const hierarchy& tree, const std::vector<std::int64_t>& position_of_rank) {
  if (position_of_rank.empty()) fail(errc::invalid_argument, "a hierarchy needs at least one rank");
  std::vector<std::pair<std::int64_t, std::int32_t>> taken;
  taken.reserve(position_of_rank.size());
  for (std::int64_t position : position_of_rank) {
    if (position < 0 || position >= tree.size())
      fail(errc::invalid_argument, "position " + std::to_string(position) + " is not in the hierarchy",
           "it has " + std::to_string(tree.size()) + " positions");
    taken.emplace_back(position, static_cast<std::int32_t>(taken.size()));
  }
  std::sort(taken.begin(), taken.end());
  std::vector<std::int64_t> units;
  std::vector<rank> rank_at;
  for (const auto& [position, r] : taken) {
    if (!units.empty() && units.back() == position)
      fail(errc::invalid_argument, "two ranks are on position " + std::to_string(position),
           "ranks " + to_string(rank_at.back()) + " and " + std::to_string(r));
    units.push_back(position);
    rank_at.emplace_back(r);
  }
  std::vector<level> levels = tree.levels();
  for (auto each = levels.rbegin(); each != levels.rend(); ++each) {
    std::vector<std::int64_t> parents, sizes;
    for (std::int64_t unit : units) {
      const std::int64_t parent = each->units.parent_of(unit);
      if (parents.empty() || parents.back() != parent) {
        parents.push_back(parent);
        sizes.push_back(0);
      }
      ++sizes.back();
    }
    each->units = child_counts::listed(std::move(sizes));
    units = std::move(parents);
  }
  return hierarchy(std::move(levels), std::move(rank_at));
}

}  // namespace hawser::topology
