// Hierarchical all-reduce over any number of levels. By shares: reduce-scatter inside, all-reduce along the rails,
// all-gather inside; ragged groups meet by intervals: rank r of g owns [r/g, (r + 1)/g), cut where any group's boundary
// lies. By a leader: reduce to the first rank inside, all-reduce among those, broadcast inside; the fewest messages.
#pragma once

#include <span>
#include <string>

#include <hawser/algorithm/flat.hpp>
#include <hawser/algorithm/levels.hpp>

namespace hawser::algorithm {

/// The algorithms of a level inside: a reduce-scatter on the way out and an all-gather on the way back, or a reduce to
/// the leader and a broadcast from it. The other two are null.
struct inner_algorithms {
  const flat_algorithm<reduce_scatter_phase>* scatter = nullptr;
  const flat_algorithm<all_gather_phase>* gather = nullptr;
  const flat_algorithm<rooted_phase>* reduce = nullptr;
  const flat_algorithm<rooted_phase>* broadcast = nullptr;
};

/// One rank's steps of the all-reduce of one vector. The ladder must outlive it.
class hierarchical_all_reduce {
 public:
  /// `inner[k - 1]` serves level k of the ladder, `outermost` level 0.
  hierarchical_all_reduce(const ladder& levels, std::span<const inner_algorithms> inner,
                          const flat_algorithm<all_reduce_phase>& outermost, builder& out)
      : levels_(levels), inner_(inner), outermost_(outermost), out_(out) {}

  /// Writes them to the builder, one phase per level and direction.
  void generate() {
    const topology::hierarchy& tree = levels_.tree();
    if (topology::is_switch(tree, out_.self())) return generate_switch();
    run(levels_.size() - 1, tree.position_of(out_.self()), {0, 1}, buffer::input,
        [&tree](std::int64_t position) { return tree.rank_at(position); });
  }

 private:
  using representative = std::function<rank(std::int64_t unit)>;

  void run(int k, std::int64_t unit, const interval& whole, buffer input, const representative& stands_for) {
    const group members = levels_.members(k, unit, stands_for);
    if (k == 0) {
      out_.begin_phase("all_reduce " + std::string(outermost_.name) + " over " + levels_.name(0));
      return outermost_.generate({members, whole, input}, out_);
    }
    const inner_algorithms& inner = inner_[static_cast<std::size_t>(k - 1)];
    if (inner.reduce != nullptr) return run_by_leader(inner, members, k, unit, whole, input, stands_for);
    const auto* const scatter = inner.scatter;
    const auto* const gather = inner.gather;
    const locator result = split(buffer::output, whole, members.size);
    out_.begin_phase("reduce_scatter " + std::string(scatter->name) + " over " + levels_.name(k));
    scatter->generate({members, split(input, whole, members.size), result}, out_);

    for (const interval& part : levels_.shard_parts(k, members.self, members.size))
      run(k - 1, levels_.parent(k, unit), whole.within(part), buffer::output,
          [&](std::int64_t parent_unit) { return stands_for(levels_.owner(k, parent_unit, part)); });

    out_.begin_phase("all_gather " + std::string(gather->name) + " over " + levels_.name(k));
    gather->generate({members, result(members.self, members.self + 1), result}, out_);
  }

  /// Partial sums of the others lie in their output, which the result then overwrites.
  void run_by_leader(const inner_algorithms& inner, const group& members, int k, std::int64_t unit,
                     const interval& whole, buffer input, const representative& stands_for) {
    constexpr int leader = 0;
    out_.begin_phase("reduce " + std::string(inner.reduce->name) + " over " + levels_.name(k));
    inner.reduce->generate({members, leader, whole, input}, out_);
    if (members.self == leader)
      run(k - 1, levels_.parent(k, unit), whole, buffer::output,
          [&](std::int64_t parent_unit) { return stands_for(levels_.units(k).first(parent_unit)); });
    out_.begin_phase("broadcast " + std::string(inner.broadcast->name) + " over " + levels_.name(k));
    inner.broadcast->generate({members, leader, whole, buffer::output}, out_);
  }

  /// A switch serves every rail that reaches its level, in the order in which the members come to them.
  void generate_switch() {
    const topology::hierarchy& tree = levels_.tree();
    const auto [level, parent] = levels_.place_of_switch(out_.self());
    if (level < 0 || !uses_switches(level)) return;
    std::int64_t unit = parent;
    for (int k = level; k < levels_.size(); ++k) unit = levels_.units(k).first(unit);
    serve_rails(level, levels_.size() - 1, unit, {0, 1},
                [&tree](std::int64_t position) { return tree.rank_at(position); });
  }

  bool uses_switches(int level) const {
    if (level == 0) return outermost_.needs_switch;
    const inner_algorithms& inner = inner_[static_cast<std::size_t>(level - 1)];
    return inner.scatter != nullptr && inner.scatter->needs_switch;
  }

  /// As `run` of all members of the first group below the switch, one rail after the other.
  void serve_rails(int level, int k, std::int64_t unit, const interval& whole, const representative& stands_for) {
    const group members = levels_.members(k, unit, stands_for);
    if (k == level) return serve(k, members, whole);
    const std::int64_t parent = levels_.parent(k, unit);
    if (inner_[static_cast<std::size_t>(k - 1)].reduce != nullptr)
      return serve_rails(level, k - 1, parent, whole,
                         [&](std::int64_t parent_unit) { return stands_for(levels_.units(k).first(parent_unit)); });
    for (int r = 0; r < members.size; ++r)
      for (const interval& part : levels_.shard_parts(k, r, members.size))
        serve_rails(level, k - 1, parent, whole.within(part),
                    [&](std::int64_t parent_unit) { return stands_for(levels_.owner(k, parent_unit, part)); });
  }

  void serve(int k, group members, const interval& whole) {
    members.self = members.size;
    if (k == 0) {
      out_.begin_phase("all_reduce " + std::string(outermost_.name) + " over " + levels_.name(0));
      return outermost_.generate({members, whole, buffer::input}, out_);
    }
    const inner_algorithms& inner = inner_[static_cast<std::size_t>(k - 1)];
    const locator pieces = split(buffer::input, whole, members.size);
    out_.begin_phase("reduce_scatter " + std::string(inner.scatter->name) + " over " + levels_.name(k));
    inner.scatter->generate({members, pieces, pieces}, out_);
    out_.begin_phase("all_gather " + std::string(inner.gather->name) + " over " + levels_.name(k));
    inner.gather->generate({members, {}, pieces}, out_);
  }

  const ladder& levels_;
  std::span<const inner_algorithms> inner_;
  const flat_algorithm<all_reduce_phase>& outermost_;
  builder& out_;
};

}  // namespace hawser::algorithm
