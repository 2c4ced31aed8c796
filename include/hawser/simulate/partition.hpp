// Units and ranks that are alike: where a unit's place in its group, its inside and its links are of one colour.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/simulate/conditions.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::simulate {

/// A number for what a unit's inside and own link look like, per level: equal numbers, equal machines.
class unit_shapes {
 public:
  unit_shapes(const topology::hierarchy& tree, const conditions& set)
      : tree_(tree), shape_(static_cast<std::size_t>(tree.depth())) {
    for (int d = tree.depth() - 1; d >= 0; --d) number_level(d, set);
  }

  /// The number of a unit's shape.
  std::int32_t at(int level, std::int64_t unit) const {
    const auto& shapes = shape_[static_cast<std::size_t>(level)];
    return shapes.empty() ? 0 : shapes[static_cast<std::size_t>(unit)];
  }

 private:
  void number_level(int d, const conditions& set) {
    auto& shapes = shape_[static_cast<std::size_t>(d)];
    const bool is_inner = d + 1 < tree_.depth();
    const bool is_plain =
        std::none_of(set.faults.begin(), set.faults.end(), [d](const fault& f) { return f.level == d; }) &&
        (!is_inner || (tree_.at(d + 1).units.is_uniform() && shape_[static_cast<std::size_t>(d) + 1].empty()));
    if (is_plain) return;  // all alike
    std::map<std::int64_t, double> left;
    for (const fault& each : set.faults)
      if (each.level == d) left.try_emplace(each.unit, 1.0).first->second *= each.left;
    std::map<std::pair<double, std::vector<std::int32_t>>, std::int32_t> known;
    for (std::int64_t u = 0; u < tree_.at(d).units.total(); ++u) {
      std::vector<std::int32_t> inside;
      if (is_inner)
        for (std::int64_t i = 0; i < tree_.at(d + 1).units.size(u); ++i)
          inside.push_back(at(d + 1, tree_.at(d + 1).units.first(u) + i));
      const auto fault = left.find(u);
      const std::pair key(fault == left.end() ? 1.0 : fault->second, std::move(inside));
      shapes.push_back(known.try_emplace(key, static_cast<std::int32_t>(known.size())).first->second);
    }
  }

  const topology::hierarchy& tree_;
  std::vector<std::vector<std::int32_t>> shape_;  // per level and unit; empty where all are alike
};

/// A unit's place: the size of its group and its index there.
struct place {
  std::int64_t group = 1;
  std::int64_t index = 0;
  friend auto operator<=>(const place&, const place&) = default;
};

/// Colours of the places of each level. Ranks whose places and shapes have equal colours on all levels are one class.
class colouring {
 public:
  colouring(const topology::hierarchy& tree, const conditions& set)
      : tree_(tree), shapes_(tree, set), colour_(static_cast<std::size_t>(tree.depth())) {
    for (int d = 0; d < tree.depth(); ++d) colour_by_shape(d);
  }

  const topology::hierarchy& tree() const noexcept { return tree_; }
  const unit_shapes& shapes() const noexcept { return shapes_; }

  /// A unit's place in its group: the group's size and the number in it.
  place place_of(int level, std::int64_t unit) const {
    const topology::child_counts& units = tree_.at(level).units;
    const std::int64_t parent = units.parent_of(unit);
    return {units.size(parent), unit - units.first(parent)};
  }
  /// The colour of such a place.
  std::int32_t colour_of(int level, const place& where) const {
    return colour_[static_cast<std::size_t>(level)].at(where.group)[static_cast<std::size_t>(where.index)];
  }
  /// Number of different colours of a level.
  std::size_t colours(int level) const {
    std::set<std::pair<std::int64_t, std::int32_t>> all;
    for (const auto& [group, colours] : colour_[static_cast<std::size_t>(level)])
      for (std::int32_t each : colours) all.emplace(group, each);
    return all.size();
  }
  /// All places of a level with their colours: by size of group, then by number in it.
  const std::map<std::int64_t, std::vector<std::int32_t>>& places(int level) const {
    return colour_[static_cast<std::size_t>(level)];
  }

  /// Splits the colours of a level by `mark(place)`. True where any was split.
  template <class Mark>
  bool split(int level, Mark&& mark) {
    bool is_finer = false;
    hashes_.clear();
    for (auto& [group, colours] : colour_[static_cast<std::size_t>(level)]) {
      std::map<std::pair<std::int32_t, std::uint64_t>, std::int32_t> known;
      const std::size_t before = std::set<std::int32_t>(colours.begin(), colours.end()).size();
      for (std::int64_t i = 0; i < group; ++i) {
        std::int32_t& colour = colours[static_cast<std::size_t>(i)];
        const std::pair key(colour, mark(place{group, i}));
        colour = known.try_emplace(key, static_cast<std::int32_t>(known.size())).first->second;
      }
      is_finer = is_finer || known.size() > before;
    }
    return is_finer;
  }
  /// Every place of the level becomes a colour of its own. True where any was split.
  bool split_all(int level) {
    return split(level, [](const place& where) { return static_cast<std::uint64_t>(where.index); });
  }

  /// A number of a position's class; equal numbers where all places and shapes are alike.
  std::uint64_t class_hash(std::int64_t position) const {
    if (hashes_.empty()) hashes_.resize(static_cast<std::size_t>(tree_.size()), 0);
    std::uint64_t& known = hashes_[static_cast<std::size_t>(position)];
    return known != 0 ? known : known = find_class_hash(position);
  }

  /// One more value in a hash. (splitmix64: Steele, Lea, Flood, OOPSLA 2014)
  static std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) noexcept {  // a step of splitmix64
    hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
    return hash ^ (hash >> 31);
  }

 private:
  std::uint64_t find_class_hash(std::int64_t position) const {
    std::uint64_t hash = 0x9e3779b97f4a7c15ULL;
    std::int64_t unit = position;
    for (int d = tree_.depth() - 1; d >= 0; --d) {
      const topology::child_counts& units = tree_.at(d).units;
      const std::int64_t parent = units.parent_of(unit), group = units.size(parent);
      hash = mixed(hash, static_cast<std::uint64_t>(group));
      hash = mixed(hash, static_cast<std::uint32_t>(colour_of(d, {group, unit - units.first(parent)})));
      hash = mixed(hash, static_cast<std::uint32_t>(shapes_.at(d, unit)));
      unit = parent;
    }
    return hash;
  }

  /// To begin with, places differ where the units there differ in any group of that size.
  void colour_by_shape(int d) {
    auto& by_size = colour_[static_cast<std::size_t>(d)];
    const topology::child_counts& units = tree_.at(d).units;
    std::map<std::int64_t, std::vector<std::set<std::int32_t>>> seen;
    for (std::int64_t parent = 0; parent < units.parents(); ++parent) {
      auto& of_size = seen[units.size(parent)];
      of_size.resize(static_cast<std::size_t>(units.size(parent)));
      for (std::size_t i = 0; i < of_size.size(); ++i)
        of_size[i].insert(shapes_.at(d, units.first(parent) + static_cast<std::int64_t>(i)));
    }
    for (const auto& [group, shapes] : seen) {
      std::map<std::set<std::int32_t>, std::int32_t> known;
      auto& colours = by_size[group];
      for (const auto& each : shapes)
        colours.push_back(known.try_emplace(each, static_cast<std::int32_t>(known.size())).first->second);
    }
  }

  const topology::hierarchy& tree_;
  unit_shapes shapes_;
  std::vector<std::map<std::int64_t, std::vector<std::int32_t>>> colour_;  // per level: group size -> by index
  mutable std::vector<std::uint64_t> hashes_;                              // by position; 0: not asked for yet
};

/// The classes themselves: of units at each level (the links), of ranks at the last.
struct partition {
  /// Units whose links carry the same at the same times.
  struct unit_class {
    int level = 0;
    std::int64_t representative = 0;  ///< a unit of it
    std::int64_t units = 0;
    std::int32_t parent = -1;  ///< its units' parents' class, one level up
  };
  std::vector<unit_class> classes;            ///< outer levels first
  std::vector<std::vector<std::int32_t>> of;  ///< per level and unit: its class
  std::int32_t first_rank_class = 0;          ///< the last level's classes begin here

  /// Positions of three members of a rank class: the first, one in the middle, the last.
  static constexpr int members = 3;
  /// The position of the first (0), a middle (1) or the last (2) member.
  std::int64_t member(std::int32_t rank_class, int which) const {
    return member_[static_cast<std::size_t>(rank_class)][static_cast<std::size_t>(which)];
  }

  /// How many classes the ranks fall into.
  std::int32_t rank_classes() const { return static_cast<std::int32_t>(classes.size()) - first_rank_class; }

  explicit partition(const colouring& colours) {
    const topology::hierarchy& tree = colours.tree();
    of.resize(static_cast<std::size_t>(tree.depth()));
    for (int d = 0; d < tree.depth(); ++d) {
      first_rank_class = static_cast<std::int32_t>(classes.size());
      number_level(colours, d);
    }
    choose_members();
  }

 private:
  void choose_members() {
    member_.resize(static_cast<std::size_t>(rank_classes()));
    std::vector<std::int64_t> seen(member_.size(), 0);
    for (std::size_t position = 0; position < of.back().size(); ++position) {
      const auto c = static_cast<std::size_t>(of.back()[position] - first_rank_class);
      const std::int64_t units = classes[static_cast<std::size_t>(of.back()[position])].units, index = seen[c]++;
      if (index == 0) member_[c][0] = static_cast<std::int64_t>(position);
      if (index == units / 2) member_[c][1] = static_cast<std::int64_t>(position);
      member_[c][2] = static_cast<std::int64_t>(position);
    }
  }

  void number_level(const colouring& colours, int d) {
    const topology::child_counts& units = colours.tree().at(d).units;
    auto& numbers = of[static_cast<std::size_t>(d)];
    numbers.reserve(static_cast<std::size_t>(units.total()));
    std::map<std::tuple<std::int32_t, std::int64_t, std::int32_t, std::int32_t>, std::int32_t> known;
    for (std::int64_t parent = 0; parent < units.parents(); ++parent) {
      const std::int32_t above = d == 0 ? -1 : of[static_cast<std::size_t>(d) - 1][static_cast<std::size_t>(parent)];
      const std::int64_t group = units.size(parent);
      for (std::int64_t i = 0; i < group; ++i) {
        const std::int64_t unit = units.first(parent) + i;
        const std::tuple key(above, group, colours.colour_of(d, {group, i}), colours.shapes().at(d, unit));
        const auto [found, is_new] = known.try_emplace(key, static_cast<std::int32_t>(classes.size()));
        if (is_new) classes.push_back({d, unit, 0, above});
        ++classes[static_cast<std::size_t>(found->second)].units;
        numbers.push_back(found->second);
      }
    }
  }

  std::vector<std::array<std::int64_t, members>> member_;
};

}  // namespace hawser::simulate
