// How much data the units of a hierarchy hold along one rail, in blocks: the pieces of a hierarchical reduce-scatter or
// all-gather, which ragged groups make unequal.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <hawser/algorithm/levels.hpp>

namespace hawser::cost::detail {

/// Follows `hierarchical_blocks` with volumes in place of regions.
class unit_volumes {
 public:
  explicit unit_volumes(const algorithm::ladder& levels) : levels_(levels) {
    rail_.resize(static_cast<std::size_t>(levels.size()), {0, 1});
  }

  /// The part of each group's shares at level k that this rail serves at the levels above it.
  void serve(int k, const schedule::interval& part) { rail_[index(k)] = {number(part.begin), number(part.end)}; }

  /// All members of the groups of a level have equal pieces.
  bool is_even(int k) const {
    for (int j = k + 1; j < levels_.size(); ++j)
      if (!levels_.units(j).is_uniform()) return false;
    return true;
  }

  /// The piece of member i of a group of g at level k, under the unit `parent`.
  double piece(int k, std::int64_t parent, std::int64_t i, std::int64_t g) const {
    const topology::child_counts& units = levels_.units(k);
    if (k == 0) return held(0, units.first(parent) + i, {0, 1});
    const double size = static_cast<double>(g), at = static_cast<double>(i);
    if (is_even(k)) return static_cast<double>(units.total()) / size * held(k, 0, {0, 1});
    double blocks = 0;
    for (std::int64_t each = 0; each < units.parents(); ++each)
      blocks += of_children(k, each, {at / size, (at + 1) / size});
    return blocks;
  }

 private:
  struct share {
    double begin, end;
    double length() const { return end - begin; }
  };
  static std::size_t index(int k) { return static_cast<std::size_t>(k); }
  static double number(const schedule::fraction& f) {
    return static_cast<double>(f.num()) / static_cast<double>(f.den());
  }

  /// A share of what a unit of level k holds.
  double held(int k, std::int64_t unit, const share& of) const {
    if (k + 1 == levels_.size()) return of.length();  // a rank's block
    const share& part = rail_[index(k + 1)];
    return of_children(k + 1, unit, {part.begin + part.length() * of.begin, part.begin + part.length() * of.end});
  }
  /// A share of the children of level k that a unit above them has.
  double of_children(int k, std::int64_t parent, const share& of) const {
    const topology::child_counts& units = levels_.units(k);
    const auto size = static_cast<double>(units.size(parent));
    if (is_even(k)) return size * of.length() * (k + 1 == levels_.size() ? 1.0 : held(k, 0, {0, 1}));
    const double begin = of.begin * size, end = of.end * size;
    double blocks = 0;
    for (auto c = static_cast<std::int64_t>(begin); static_cast<double>(c) < end; ++c) {
      const auto child = static_cast<double>(c);
      const share inside{std::max(begin - child, 0.0), std::min(end - child, 1.0)};
      if (c < units.size(parent) && inside.length() > 0) blocks += held(k, units.first(parent) + c, inside);
    }
    return blocks;
  }

  const algorithm::ladder& levels_;
  std::vector<share> rail_;  // per level of the ladder
};

}  // namespace hawser::cost::detail
