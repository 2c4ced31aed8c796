// Hierarchical broadcast and reduce: along the leaders of the groups, outermost level first (broadcast) or last
// (reduce), so that each uplink carries the data once.
#pragma once

#include <span>
#include <string>

#include <hawser/algorithm/flat.hpp>
#include <hawser/algorithm/levels.hpp>

namespace hawser::algorithm {

/// One rank's steps of a broadcast or reduce of one vector. The ladder must outlive it.
class hierarchical_rooted {
 public:
  using algorithms = std::span<const flat_algorithm<rooted_phase>* const>;

  hierarchical_rooted(const ladder& levels, rank root, builder& out)
      : levels_(levels), root_(levels.tree().position_of(root)), out_(out) {}

  /// `chosen[k]` serves level k of the ladder.
  void broadcast(algorithms chosen) {
    if (topology::is_switch(levels_.tree(), out_.self())) return serve(chosen, "broadcast ");
    const bool is_root = out_.self() == levels_.tree().rank_at(root_);
    if (is_root) out_.copy(at(buffer::output, {0, 1}), at(buffer::input, {0, 1}));
    for (int k = 0; k < levels_.size(); ++k) run(chosen, k, "broadcast ", buffer::output);
  }

  /// Partial sums are kept in the output, which is scratch where this rank is not the root.
  void reduce(algorithms chosen) {
    if (topology::is_switch(levels_.tree(), out_.self())) return serve(chosen, "reduce ");
    buffer from = buffer::input;
    for (int k = levels_.size() - 1; k >= 0; --k)
      if (run(chosen, k, "reduce ", from)) from = buffer::output;
  }

 private:
  /// The position that stands for a unit of level k: the root's, or the unit's first.
  std::int64_t leader(int k, std::int64_t unit) const {
    return unit_at(k, root_) == unit ? root_ : first_position(k, unit);
  }
  std::int64_t unit_at(int k, std::int64_t position) const {
    for (int j = levels_.size() - 1; j > k; --j) position = levels_.parent(j, position);
    return position;
  }
  std::int64_t first_position(int k, std::int64_t unit) const {
    for (int j = k + 1; j < levels_.size(); ++j) unit = levels_.units(j).first(unit);
    return unit;
  }

  bool run(algorithms chosen, int k, const char* what, buffer from) {
    const std::int64_t position = levels_.tree().position_of(out_.self());
    const std::int64_t unit = unit_at(k, position);
    if (leader(k, unit) != position) return false;
    generate(*chosen[static_cast<std::size_t>(k)], k, what, {members_of(k, unit), root_of(k, unit), {0, 1}, from});
    return true;
  }

  /// The part of a switch, where its level's algorithm has one for it.
  void serve(algorithms chosen, const char* what) {
    const auto [k, parent] = levels_.place_of_switch(out_.self());
    if (k < 0 || !chosen[static_cast<std::size_t>(k)]->needs_switch) return;
    const std::int64_t unit = levels_.units(k).first(parent);
    group members = members_of(k, unit);
    members.self = members.size;
    generate(*chosen[static_cast<std::size_t>(k)], k, what, {members, root_of(k, unit), {0, 1}, buffer::input});
  }

  group members_of(int k, std::int64_t unit) const {
    return levels_.members(k, unit, [this, k](std::int64_t each) { return levels_.tree().rank_at(leader(k, each)); });
  }

  /// The root's unit where this group has it, else the first: the one that stands for the group one level up.
  int root_of(int k, std::int64_t unit) const {
    const std::int64_t parent = levels_.parent(k, unit), root_unit = unit_at(k, root_);
    const bool has_root = levels_.parent(k, root_unit) == parent;
    return has_root ? static_cast<int>(root_unit - levels_.units(k).first(parent)) : 0;
  }

  void generate(const flat_algorithm<rooted_phase>& algorithm, int k, const char* what, const rooted_phase& phase) {
    out_.begin_phase(what + std::string(algorithm.name) + " over " + levels_.name(k));
    algorithm.generate(phase, out_);
  }

  const ladder& levels_;
  std::int64_t root_;
  builder& out_;
};

}  // namespace hawser::algorithm
