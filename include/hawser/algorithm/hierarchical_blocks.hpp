// Hierarchical reduce-scatter and all-gather of one block per rank, over any number of levels: the halves of the
// hierarchical all-reduce, for blocks instead of one vector.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hawser/algorithm/hierarchical_all_reduce.hpp>

namespace hawser::algorithm {

/// Where the data of a unit lies: the blocks (or parts of them) of the ranks inside it that one rail serves.
/// `share` is an interval of [0, 1), the unit's data being [0, 1).
using unit_locator = std::function<void(region_list& out, buffer where, std::int64_t unit, const interval& share)>;

/// One rank's steps of a reduce-scatter or all-gather of one block per rank. The ladder must outlive it.
class hierarchical_blocks {
 public:
  hierarchical_blocks(const ladder& levels, builder& out) : levels_(levels), out_(out) {
    const topology::hierarchy& tree = levels.tree();
    is_switch_ = topology::is_switch(tree, out.self());
    if (!is_switch_) position_ = tree.position_of(out.self());
    stands_for_ = [&tree](std::int64_t position) { return tree.rank_at(position); };
    locate_ = [&tree](region_list& list, buffer where, std::int64_t position, const interval& share) {
      const fraction block(tree.rank_at(position).value);
      append(list, where, {share.begin + block, share.end + block});
    };
  }

  /// `algorithms[k]` serves level k of the ladder.
  void reduce_scatter(std::span<const flat_algorithm<reduce_scatter_phase>* const> algorithms) {
    if (is_switch_) return serve(algorithms, "reduce_scatter ");
    if (levels_.size() > 1 || algorithms[0]->needs_accumulator) scratch_ = out_.reserve_scratch(levels_.tree().size());
    scatter(algorithms, levels_.size() - 1, position_, buffer::input, locate_, stands_for_);
  }

  /// The mirror image; `algorithms[k]` serves level k of the ladder.
  void all_gather(std::span<const flat_algorithm<all_gather_phase>* const> algorithms) {
    if (is_switch_) return serve(algorithms, "all_gather ");
    region_list mine;
    locate_(mine, buffer::output, position_, {0, 1});
    out_.copy(mine, at(buffer::input, {0, 1}));
    gather(algorithms, levels_.size() - 1, position_, locate_, stands_for_);
  }

 private:
  using representative = std::function<rank(std::int64_t unit)>;

  /// The pieces of members [first, last) of a group of g at level k: their shares of every unit of the level above.
  region_list pieces(int k, buffer where, std::int64_t group_parent, int first, int last, int g,
                     const unit_locator& locate) const {
    region_list list;
    if (k == 0) {
      for (int i = first; i < last; ++i) locate(list, where, levels_.units(0).first(group_parent) + i, {0, 1});
      return list;
    }
    const topology::child_counts& units = levels_.units(k);
    std::vector<std::pair<std::int64_t, interval>> children;  // of a parent, the same for all parents of one size
    for (int member = first; member < last; ++member) {
      std::int64_t size = -1;
      for (std::int64_t parent = 0; parent < units.parents(); ++parent) {
        if (units.size(parent) != size) {
          size = units.size(parent);
          children.clear();
          each_child(size, interval{0, 1}.part(member, g),
                     [&](std::int64_t child, const interval& share) { children.emplace_back(child, share); });
        }
        for (const auto& [child, share] : children) locate(list, where, units.first(parent) + child, share);
      }
    }
    return list;
  }

  /// The children of a unit with `size` of them that an interval of its data touches, with the share of each.
  template <class F>
  static void each_child(std::int64_t size, const interval& part, F&& f) {
    const fraction scale(size);
    const fraction begin = part.begin * scale, end = part.end * scale;
    for (std::int64_t c = begin.floor(); c < end.ceil(); ++c) {
      const fraction low = std::max(begin, fraction(c)), high = std::min(end, fraction(c + 1));
      f(c, interval{low - fraction(c), high - fraction(c)});
    }
  }

  /// The data of the units one level up, along the rail that owns a part of each.
  unit_locator along(int k, const interval& part, const unit_locator& locate) const {
    return [=, this](region_list& list, buffer where, std::int64_t parent, const interval& share) {
      const std::int64_t base = levels_.units(k).first(parent);
      each_child(
          levels_.units(k).size(parent), part.within(share),
          [&](std::int64_t child, const interval& child_share) { locate(list, where, base + child, child_share); });
    };
  }

  void scatter(std::span<const flat_algorithm<reduce_scatter_phase>* const> algorithms, int k, std::int64_t unit,
               buffer from, const unit_locator& locate, const representative& stands_for) {
    const auto& algorithm = *algorithms[static_cast<std::size_t>(k)];
    const group members = levels_.members(k, unit, stands_for);
    const std::int64_t parent = levels_.parent(k, unit);
    const auto at_buffer = [&](buffer where) -> locator {
      return [=, this, &locate](int first, int last) {
        return pieces(k, where, parent, first, last, members.size, locate);
      };
    };
    const auto partial = [&, sums = at_buffer(buffer::scratch)](int first, int last) {
      region_list list = sums(first, last);
      for (region& each : list) {
        each.first.begin = each.first.begin + fraction(scratch_);
        each.first.end = each.first.end + fraction(scratch_);
      }
      return list;
    };
    const auto result = [&](int first, int last) {
      const int self = members.self;
      if (k > 0 || self < first || self >= last) return partial(first, last);
      region_list list = partial(first, self);
      join(list, to_output(at_buffer(buffer::output)(self, self + 1)));
      join(list, partial(self + 1, last));
      return list;
    };
    out_.begin_phase("reduce_scatter " + std::string(algorithm.name) + " over " + levels_.name(k));
    algorithm.generate({members, from == buffer::input ? at_buffer(from) : locator(partial), result}, out_);
    if (k == 0) return;
    for (const interval& part : levels_.shard_parts(k, members.self, members.size))
      scatter(algorithms, k - 1, parent, buffer::scratch, along(k, part, locate),
              [&](std::int64_t parent_unit) { return stands_for(levels_.owner(k, parent_unit, part)); });
  }

  void gather(std::span<const flat_algorithm<all_gather_phase>* const> algorithms, int k, std::int64_t unit,
              const unit_locator& locate, const representative& stands_for) {
    const group members = levels_.members(k, unit, stands_for);
    const std::int64_t parent = levels_.parent(k, unit);
    if (k > 0)
      for (const interval& part : levels_.shard_parts(k, members.self, members.size))
        gather(algorithms, k - 1, parent, along(k, part, locate),
               [&](std::int64_t parent_unit) { return stands_for(levels_.owner(k, parent_unit, part)); });
    const auto& algorithm = *algorithms[static_cast<std::size_t>(k)];
    const locator result = [=, this, &locate](int first, int last) {
      return pieces(k, buffer::output, parent, first, last, members.size, locate);
    };
    out_.begin_phase("all_gather " + std::string(algorithm.name) + " over " + levels_.name(k));
    algorithm.generate({members, result(members.self, members.self + 1), result}, out_);
  }

  /// A switch serves every rail that reaches its level, in the order in which the members come to them.
  template <class Algorithms>
  void serve(const Algorithms& algorithms, const char* what) {
    const auto [level, parent] = levels_.place_of_switch(out_.self());
    if (level < 0 || !algorithms[static_cast<std::size_t>(level)]->needs_switch) return;
    const auto& algorithm = *algorithms[static_cast<std::size_t>(level)];
    out_.begin_phase(what + std::string(algorithm.name) + " over " + levels_.name(level));
    std::int64_t unit = parent;
    for (int k = level; k < levels_.size(); ++k) unit = levels_.units(k).first(unit);
    serve_rails(algorithm, level, levels_.size() - 1, unit, locate_, stands_for_);
  }

  /// As `scatter` and `gather` of all members of the first group below the switch. Its memory has a place for each
  /// block, so that where the pieces lie is the same on the way in and out.
  template <class Phase>
  void serve_rails(const flat_algorithm<Phase>& algorithm, int level, int k, std::int64_t unit,
                   const unit_locator& locate, const representative& stands_for) {
    group members = levels_.members(k, unit, stands_for);
    const std::int64_t parent = levels_.parent(k, unit);
    if (k == level) {
      members.self = members.size;
      const locator all = [&](int first, int last) {
        return pieces(k, buffer::input, parent, first, last, members.size, locate);
      };
      return algorithm.generate(phase_of_switch(algorithm, members, all), out_);
    }
    for (int r = 0; r < members.size; ++r)
      for (const interval& part : levels_.shard_parts(k, r, members.size))
        serve_rails(algorithm, level, k - 1, parent, along(k, part, locate),
                    [&](std::int64_t parent_unit) { return stands_for(levels_.owner(k, parent_unit, part)); });
  }

  static reduce_scatter_phase phase_of_switch(const flat_algorithm<reduce_scatter_phase>&, const group& members,
                                              const locator& all) {
    return {members, all, all};
  }
  static all_gather_phase phase_of_switch(const flat_algorithm<all_gather_phase>&, const group& members,
                                          const locator& all) {
    return {members, {}, all};
  }

  /// This rank's own block as the one block of its output.
  region_list to_output(region_list list) const {
    const fraction own(out_.self().value);
    for (region& each : list) {
      each.first.begin = each.first.begin - own;
      each.first.end = each.first.end - own;
    }
    return list;
  }

  const ladder& levels_;
  builder& out_;
  bool is_switch_ = false;
  std::int64_t position_ = 0;
  std::int64_t scratch_ = 0;
  representative stands_for_;
  unit_locator locate_;
};

}  // namespace hawser::algorithm
