// The levels of a hierarchy that a hierarchical algorithm has a phase for, and how ragged groups meet by intervals.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <hawser/algorithm/phase.hpp>
#include <hawser/topology/switches.hpp>

namespace hawser::algorithm {

/// The levels with any group of more than one unit, outermost first. Levels whose groups all have one unit have
/// nothing to do; units and parents are numbered alike there.
inline std::vector<int> active_levels(const topology::hierarchy& tree) {
  std::vector<int> levels;
  for (int d = 0; d < tree.depth(); ++d)
    if (tree.at(d).units.distinct_sizes().back() > 1) levels.push_back(d);
  return levels;
}

/// A rank's way up the active levels. Level k = 0 is the outermost; its one group has the whole machine.
class ladder {
 public:
  explicit ladder(const topology::hierarchy& tree) : tree_(&tree), levels_(active_levels(tree)), switches_(tree) {
    for (int d : levels_) sizes_.push_back(tree.at(d).units.distinct_sizes());
  }

  const topology::hierarchy& tree() const noexcept { return *tree_; }
  int size() const noexcept { return static_cast<int>(levels_.size()); }
  /// Of level k: the sizes of its groups, its name, and the number of the group that a unit is in.
  const topology::child_counts& units(int k) const { return tree_->at(levels_[index(k)]).units; }
  const std::string& name(int k) const { return tree_->at(levels_[index(k)]).name; }
  std::int64_t parent(int k, std::int64_t unit) const { return units(k).parent_of(unit); }

  /// Whether the switches over the units of level k can reduce.
  bool reduces(int k) const { return tree_->at(levels_[index(k)]).reduces_in_network; }
  /// The level whose units a switch joins, and the parent of those units; level -1: none that a phase is for.
  topology::reducing_switches::place place_of_switch(rank participant) const {
    auto place = switches_.place_of(participant);
    const auto found = std::find(levels_.begin(), levels_.end(), place.level);
    place.level = found == levels_.end() ? -1 : static_cast<int>(found - levels_.begin());
    return place;
  }

  /// The group of a unit at level k; `representative` names the rank that stands for a unit.
  group members(int k, std::int64_t unit, const std::function<rank(std::int64_t)>& representative) const {
    const std::int64_t parent_unit = parent(k, unit), first = units(k).first(parent_unit);
    group found{static_cast<int>(units(k).size(parent_unit)), static_cast<int>(unit - first),
                [=](int i) { return representative(first + i); }};
    found.network_switch = switches_.at(levels_[index(k)], parent_unit);
    if (k + 1 < size() && sizes_[index(k + 1)].size() > 1)
      found.weight = [inside = &units(k + 1), first](int i) { return inside->size(first + i); };
    return found;
  }

  /// Cuts [r/g, (r + 1)/g) at the boundaries of all group sizes of level k, so that each part has one owner in every
  /// group, however ragged. Where all groups are equal: one part.
  std::vector<interval> shard_parts(int k, std::int64_t r, std::int64_t g) const {
    const interval shard = interval{0, 1}.part(r, g);
    std::vector<fraction> cuts{shard.begin, shard.end};
    for (std::int64_t size : sizes_[index(k)])
      for (std::int64_t i = shard.begin.of(size) + 1; fraction(unsigned_(i), unsigned_(size)) < shard.end; ++i)
        if (const fraction cut(unsigned_(i), unsigned_(size)); cut > shard.begin) cuts.push_back(cut);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::vector<interval> parts;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) parts.push_back({cuts[i], cuts[i + 1]});
    return parts;
  }

  /// The child of a parent unit at level k that owns a part.
  std::int64_t owner(int k, std::int64_t parent_unit, const interval& part) const {
    return units(k).first(parent_unit) + part.begin.of(units(k).size(parent_unit));
  }

 private:
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  static std::uint64_t unsigned_(std::int64_t value) { return static_cast<std::uint64_t>(value); }
  const topology::hierarchy* tree_;
  std::vector<int> levels_;
  topology::reducing_switches switches_;
  std::vector<std::vector<std::int64_t>> sizes_;  // per active level
};

}  // namespace hawser::algorithm
