// The racks of a hierarchy, for what cares only for inside and outside: the groups of the innermost level that has
// groups of more than one rank.
#pragma once

#include <hawser/algorithm/levels.hpp>

namespace hawser::algorithm {

/// Ranks as members of racks. The hierarchy must outlive it. Racks are numbered 0 .. racks() - 1, the members of each
/// from 0 in the order of the machine.
class rack_view {
 public:
  explicit rack_view(const topology::hierarchy& tree) : tree_(&tree) {
    const std::vector<int> levels = active_levels(tree);
    if (!levels.empty()) units_ = tree.at(levels.back()).units;
  }

  /// Numbers of racks, of ranks, and of the ranks of one rack.
  std::int64_t racks() const { return units_.parents(); }
  std::int64_t ranks() const { return tree_->size(); }
  std::int64_t size(std::int64_t rack) const { return units_.size(rack); }
  /// A rank's rack and its number in it, and back.
  std::int64_t rack_of(rank r) const { return units_.parent_of(tree_->position_of(r)); }
  std::int64_t member_of(rank r) const { return tree_->position_of(r) - units_.first(rack_of(r)); }
  rank at(std::int64_t rack, std::int64_t member) const { return tree_->rank_at(units_.first(rack) + member); }

 private:
  const topology::hierarchy* tree_;
  topology::child_counts units_ = topology::child_counts::uniform(1, 1);
};

}  // namespace hawser::algorithm
