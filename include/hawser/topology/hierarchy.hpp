// The planner's view of a machine: nested levels of groups, each with its links, for a given placement of ranks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/core/rank.hpp>
#include <hawser/core/units.hpp>

namespace hawser::topology {

/// Where a figure comes from.
enum class provenance { assumed, reported, probed, file };

/// "assumed" and the like, as JSON has it.
constexpr std::string_view to_string(provenance source) noexcept {
  switch (source) {
    case provenance::assumed: return "assumed";
    case provenance::reported: return "reported";
    case provenance::probed: return "probed";
    case provenance::file: return "file";
  }
  return "unknown";
}

/// One unit's link upwards: from a GPU into its rack, from a rack into its pod.
struct link {
  bandwidth rate{};   ///< per direction
  seconds latency{};  ///< one message, one way
  provenance source = provenance::assumed;
  friend bool operator==(const link&, const link&) = default;
};

/// How many children each parent has: one number where all are equal (no memory per parent), else a list.
class child_counts {
 public:
  /// So many parents of equally many children.
  static child_counts uniform(std::int64_t parents, std::int64_t each) {
    child_counts counts;
    counts.parents_ = parents;
    counts.each_ = each;
    return counts;
  }
  /// One number of children per parent; equal ones take no memory per parent.
  static child_counts listed(std::vector<std::int64_t> sizes) {
    if (!sizes.empty() && std::all_of(sizes.begin(), sizes.end(), [&](auto size) { return size == sizes[0]; }))
      return uniform(static_cast<std::int64_t>(sizes.size()), sizes[0]);
    child_counts counts;
    counts.parents_ = static_cast<std::int64_t>(sizes.size());
    counts.first_.reserve(sizes.size() + 1);
    counts.first_.push_back(0);
    for (std::int64_t size : sizes) counts.first_.push_back(counts.first_.back() + size);
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    counts.distinct_ = std::move(sizes);
    return counts;
  }

  bool is_uniform() const noexcept { return first_.empty(); }
  std::int64_t parents() const noexcept { return parents_; }
  std::int64_t total() const noexcept { return is_uniform() ? parents_ * each_ : first_.back(); }
  /// A parent's first child and how many it has, and a child's parent; numbers run through all parents.
  std::int64_t first(std::int64_t parent) const { return is_uniform() ? parent * each_ : first_[index(parent)]; }
  std::int64_t size(std::int64_t parent) const {
    return is_uniform() ? each_ : first_[index(parent) + 1] - first_[index(parent)];
  }
  std::int64_t parent_of(std::int64_t child) const {
    if (is_uniform()) return child / each_;
    return std::upper_bound(first_.begin(), first_.end(), child) - first_.begin() - 1;
  }
  /// The different sizes, ascending.
  std::vector<std::int64_t> distinct_sizes() const {
    if (is_uniform()) return {each_};
    return distinct_;
  }
  friend bool operator==(const child_counts&, const child_counts&) = default;

 private:
  static std::size_t index(std::int64_t parent) { return static_cast<std::size_t>(parent); }
  std::int64_t parents_ = 0;
  std::int64_t each_ = 0;
  std::vector<std::int64_t> first_;     // prefix sums, parents + 1 of them; empty where uniform
  std::vector<std::int64_t> distinct_;  // sizes, ascending; empty where uniform
};

/// One level of the hierarchy: its units, grouped under the units of the level above.
struct level {
  std::string name;    ///< "pod", "rack", "node", "nvlink_domain", "gpu"
  child_counts units;  ///< units of this level per unit of the level above (one root above the first level)
  link up;             ///< each unit's link into its parent
  bool reduces_in_network = false;  ///< the switch that joins these units can reduce (SHARP, NVLS)
  friend bool operator==(const level&, const level&) = default;
};

/// Nested levels, outermost first; the units of the last level are the positions that ranks are placed on. Immutable.
class hierarchy {
 public:
  /// Positions are ranks. Throws errc::invalid_argument where the levels do not nest or a group is empty.
  explicit hierarchy(std::vector<level> levels) : levels_(std::move(levels)) { check(); }

  /// `rank_at_position[p]` is the rank placed on position p: a permutation, kept once and shared by copies.
  hierarchy(std::vector<level> levels, std::vector<rank> rank_at_position) : levels_(std::move(levels)) {
    check();
    place(std::move(rank_at_position));
  }

  int depth() const noexcept { return static_cast<int>(levels_.size()); }
  std::int64_t size() const noexcept { return levels_.back().units.total(); }
  /// A level by depth, 0 the outermost.
  const level& at(int depth_index) const { return levels_[static_cast<std::size_t>(depth_index)]; }
  const std::vector<level>& levels() const noexcept { return levels_; }

  /// True where position p holds rank p for all p.
  bool is_in_rank_order() const noexcept { return placement_ == nullptr; }
  rank rank_at(std::int64_t position) const {
    return placement_ ? placement_->rank_at[static_cast<std::size_t>(position)] : rank(static_cast<int>(position));
  }
  std::int64_t position_of(rank r) const {
    return placement_ ? placement_->position_of[static_cast<std::size_t>(r.value)] : r.value;
  }

  /// The unit of the given level that holds a position.
  std::int64_t unit_of(std::int64_t position, int depth_index) const {
    std::int64_t unit = position;
    for (int d = depth() - 1; d > depth_index; --d) unit = at(d).units.parent_of(unit);
    return unit;
  }
  /// The outermost level at which two positions lie in different units: the level whose links a message between them
  /// climbs to. depth() where they are the same position.
  int parting_level(std::int64_t a, std::int64_t b) const {
    int parted = depth();
    for (int d = depth() - 1; d >= 0 && a != b; --d) {
      parted = d;
      a = at(d).units.parent_of(a);
      b = at(d).units.parent_of(b);
    }
    return parted;
  }
  /// The first position inside a unit of the given level.
  std::int64_t first_position(std::int64_t unit, int depth_index) const {
    for (int d = depth_index + 1; d < depth(); ++d) unit = at(d).units.first(unit);
    return unit;
  }

  friend bool operator==(const hierarchy& a, const hierarchy& b) {
    if (a.levels_ != b.levels_) return false;
    if (!a.placement_ || !b.placement_) return !a.placement_ && !b.placement_;
    return a.placement_->rank_at == b.placement_->rank_at;
  }

 private:
  struct placement {
    std::vector<rank> rank_at;
    std::vector<std::int32_t> position_of;
  };

  void check() const {
    if (levels_.empty()) fail(errc::invalid_argument, "a hierarchy needs at least one level");
    std::int64_t parents = 1;
    for (const level& each : levels_) {
      if (each.units.parents() != parents)
        fail(errc::invalid_argument, "level \"" + each.name + "\" does not nest",
             "it groups its units under " + std::to_string(each.units.parents()) + " parents, the level above has " +
                 std::to_string(parents));
      for (std::int64_t size : each.units.distinct_sizes())
        if (size < 1) fail(errc::invalid_argument, "level \"" + each.name + "\" has an empty group");
      parents = each.units.total();
      if (parents > INT32_MAX) fail(errc::invalid_argument, "a hierarchy holds at most 2^31 - 1 ranks");
    }
  }

  void place(std::vector<rank> rank_at) {
    if (static_cast<std::int64_t>(rank_at.size()) != size())
      fail(errc::invalid_argument, "the placement names " + std::to_string(rank_at.size()) + " ranks",
           "the hierarchy has " + std::to_string(size()) + " positions");
    std::vector<std::int32_t> position_of(rank_at.size(), -1);
    bool in_order = true;
    for (std::size_t p = 0; p < rank_at.size(); ++p) {
      const auto r = static_cast<std::size_t>(rank_at[p].value);
      if (r >= rank_at.size() || position_of[r] >= 0)
        fail(errc::invalid_argument, "the placement is not a permutation",
             "rank " + to_string(rank_at[p]) + (r < rank_at.size() ? " occurs twice" : " is out of range"));
      position_of[r] = static_cast<std::int32_t>(p);
      in_order = in_order && r == p;
    }
    if (!in_order)
      placement_ = std::make_shared<const placement>(placement{std::move(rank_at), std::move(position_of)});
  }

  std::vector<level> levels_;
  std::shared_ptr<const placement> placement_;  // null: positions are ranks
};

}  // namespace hawser::topology
