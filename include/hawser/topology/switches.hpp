// The switches of a hierarchy that reduce, as participants of schedules beside the ranks.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// Every group of units of a level that reduces in the network has one switch. They are numbered from the number of
/// ranks on, outermost level first, in the order of the groups. The hierarchy must outlive it.
class reducing_switches {
 public:
  /// Which units a switch joins: those of a level under one unit of the level above.
  struct place {
    int level = 0;
    std::int64_t parent = 0;
  };

  explicit reducing_switches(const hierarchy& tree) : tree_(&tree) {
    std::int64_t next = tree.size();
    for (const level& each : tree.levels()) {
      first_.push_back(next);
      if (each.reduces_in_network) next += each.units.parents();
    }
    count_ = next - tree.size();
  }

  /// How many there are.
  std::int64_t count() const noexcept { return count_; }
  /// The one that joins the units of a level under a parent; -1 where that level does not reduce.
  rank at(int depth_index, std::int64_t parent) const {
    if (!tree_->at(depth_index).reduces_in_network) return -1;
    return static_cast<std::int32_t>(first_[static_cast<std::size_t>(depth_index)] + parent);
  }
  /// Where a switch sits. Throws errc::invalid_argument for a number that is neither a rank's nor a switch's.
  place place_of(rank participant) const {
    for (int d = tree_->depth() - 1; d >= 0; --d) {
      const std::int64_t index = participant.value - first_[static_cast<std::size_t>(d)];
      if (tree_->at(d).reduces_in_network && index >= 0 && index < tree_->at(d).units.parents()) return {d, index};
    }
    fail(errc::invalid_argument, "there is no participant " + to_string(participant),
         "the hierarchy has " + std::to_string(tree_->size()) + " ranks and " + std::to_string(count_) +
             " switches that reduce");
  }

 private:
  const hierarchy* tree_;
  std::vector<std::int64_t> first_;  // per level: its first switch
  std::int64_t count_ = 0;
};

/// The same hierarchy, its levels reducing in the network or not as the list says, outermost first.
inline hierarchy with_switches(const hierarchy& tree, const std::vector<bool>& reduces) {
  std::vector<level> levels = tree.levels();
  for (std::size_t d = 0; d < levels.size(); ++d) levels[d].reduces_in_network = d < reduces.size() && reduces[d];
  if (tree.is_in_rank_order()) return hierarchy(std::move(levels));
  std::vector<rank> rank_at;
  for (std::int64_t position = 0; position < tree.size(); ++position) rank_at.push_back(tree.rank_at(position));
  return hierarchy(std::move(levels), std::move(rank_at));
}

/// Whether a participant's number is a switch's.
inline bool is_switch(const hierarchy& tree, rank participant) noexcept {
  return participant.value >= tree.size();
}

/// The outermost level whose links a message between two participants climbs to: to a switch, the links that end there.
inline int crossed_level(const hierarchy& tree, rank a, rank b) {
  if (is_switch(tree, a)) return reducing_switches(tree).place_of(a).level;
  if (is_switch(tree, b)) return reducing_switches(tree).place_of(b).level;
  return tree.parting_level(tree.position_of(a), tree.position_of(b));
}

}  // namespace hawser::topology
