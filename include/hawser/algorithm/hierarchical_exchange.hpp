// Hierarchical 2D all-to-all: inside the rack, member r collects from its neighbours what belongs to the ranks that r
// serves in the other racks; then one message per rack pair and rail carries it over. Each uplink carries every byte
// once, in messages that are as many times larger as the rack has members.
#pragma once

#include <string>
#include <vector>

#include <hawser/algorithm/levels.hpp>
#include <hawser/algorithm/serving.hpp>

namespace hawser::algorithm {

/// Level `inner` of the tree (its last active one) is the rack's inside; all racks are joined directly.
class hierarchical_exchange {
 public:
  /// `whole_blocks`: never cut a block between two rails, as block sizes that only their owners know demand.
  hierarchical_exchange(const topology::hierarchy& tree, bool whole_blocks, builder& out)
      : tree_(tree), units_(tree.at(active_levels(tree).back()).units), out_(out) {
    shares_.whole_blocks = whole_blocks;
    position_ = tree.position_of(out.self());
    rack_ = units_.parent_of(position_);
    g_ = units_.size(rack_);
    base_ = units_.first(rack_);
    me_ = position_ - base_;
    is_regular_ = units_.is_uniform() && tree.is_in_rank_order();
  }

  /// Writes this rank's steps, one block for each rank in input and output. (2D all-to-all: docs/algorithms.md)
  void generate() {
    plan_transits();
    out_.begin_phase("all_to_all pairwise over " + tree_.levels().back().name);
    out_.copy(blocks(buffer::output, position_, 1, {0, 1}), blocks(buffer::input, position_, 1, {0, 1}));
    for (std::int64_t i = 1; i < g_; ++i) {
      const std::int64_t to = (me_ + i) % g_, from = (me_ + g_ - i) % g_;
      out_.send(tree_.rank_at(base_ + to), outgoing(to));
      out_.recv(tree_.rank_at(base_ + from), collected(from));
    }
    if (!transits_.empty()) out_.copy(collected_in_scratch(me_), carried(me_));
    out_.begin_phase("all_to_all pairwise over racks");
    cross_racks();
  }

 private:
  /// What this rank carries to one rank of another rack: a part of the blocks that all its neighbours have for it.
  struct transit {
    std::int64_t to;         // position
    interval part;           // of each block, within [0, 1)
    std::int64_t first = 0;  // scratch block of neighbour 0; one per neighbour
  };

  /// The ranks of a rack that member r of another rack with g members serves, and which part of their blocks.
  template <class F>
  void each_served(std::int64_t r, std::int64_t g, std::int64_t rack, F&& f) const {
    shares_.each_served(r, g, units_.size(rack),
                        [&, base = units_.first(rack)](std::int64_t c, const interval& part) { f(base + c, part); });
  }

  void plan_transits() {
    const std::int64_t racks = units_.parents();
    for (std::int64_t i = 1; i < racks; ++i)
      each_served(me_, g_, (rack_ + i) % racks, [&](std::int64_t to, const interval& part) {
        transits_.push_back({to, part, out_.reserve_scratch(g_)});
      });
  }

  /// What neighbour `to` collects from this rank: what it serves, and its own block. The order is the one in which
  /// `to` plans its transits.
  region_list outgoing(std::int64_t to) const {
    if (is_regular_) {
      region_list list{run(buffer::input, base_ + to, units_.parents() - rack_, g_, {0, 1})};
      if (rack_ > 0) list.push_back(run(buffer::input, to, rack_, g_, {0, 1}));
      return list;
    }
    region_list list = blocks(buffer::input, base_ + to, 1, {0, 1});
    const std::int64_t racks = units_.parents();
    for (std::int64_t i = 1; i < racks; ++i)
      each_served(to, g_, (rack_ + i) % racks, [&](std::int64_t position, const interval& part) {
        append(list, buffer::input, block(position, part));
      });
    return list;
  }
  region_list carried(std::int64_t) const {
    region_list list;
    for (const transit& each : transits_) append(list, buffer::input, block(each.to, each.part));
    return list;
  }
  region_list collected_in_scratch(std::int64_t from) const {
    if (transits_.empty()) return {};
    if (is_regular_) return {run(buffer::scratch, transits_[0].first + from, units_.parents() - 1, g_, {0, 1})};
    region_list list;
    for (const transit& each : transits_) append(list, buffer::scratch, shifted(each.part, each.first + from));
    return list;
  }
  region_list collected(std::int64_t from) const {
    region_list list = blocks(buffer::output, base_ + from, 1, {0, 1});
    for (const region& each : collected_in_scratch(from)) list.push_back(each);
    return list;
  }

  void cross_racks() {
    const std::int64_t racks = units_.parents();
    std::size_t next = 0;
    for (std::int64_t i = 1; i < racks; ++i) {
      const std::int64_t to_rack = (rack_ + i) % racks, from_rack = (rack_ + racks - i) % racks;
      for (; next < transits_.size() && units_.parent_of(transits_[next].to) == to_rack; ++next) {
        const transit& each = transits_[next];
        out_.send(tree_.rank_at(each.to), {run(buffer::scratch, each.first, g_, 1, each.part)});
      }
      receive_from(from_rack);
    }
  }

  void receive_from(std::int64_t rack) {
    const std::int64_t members = units_.size(rack), base = units_.first(rack);
    shares_.each_carrier(me_, g_, members, [&](std::int64_t r, const interval& part) {
      out_.recv(tree_.rank_at(base + r), blocks(buffer::output, base, members, part));
    });
  }

  static interval shifted(const interval& part, std::int64_t whole) {
    return {part.begin + fraction(whole), part.end + fraction(whole)};
  }
  interval block(std::int64_t position, const interval& part) const {
    return shifted(part, tree_.rank_at(position).value);
  }
  /// A part of the blocks of `count` positions.
  region_list blocks(buffer where, std::int64_t position, std::int64_t count, const interval& part) const {
    if (tree_.is_in_rank_order()) return {run(where, position, count, 1, part)};
    region_list list;
    for (std::int64_t i = 0; i < count; ++i) append(list, where, block(position + i, part));
    return list;
  }
  /// A part of each of `count` blocks, `stride` apart.
  static region run(buffer where, std::int64_t first, std::int64_t count, std::int64_t stride, const interval& part) {
    if (stride == 1 && part == interval{0, 1}) return {where, 1, 0, {first, first + count}};
    return {where, static_cast<std::uint32_t>(count), count > 1 ? stride : 0, shifted(part, first)};
  }

  const topology::hierarchy& tree_;
  const topology::child_counts& units_;
  serving shares_;
  bool is_regular_ = false;  // equal racks in rank order: strides say where everything lies, without a loop over racks
  builder& out_;
  std::int64_t position_, rack_, g_, base_, me_;
  std::vector<transit> transits_;
};

}  // namespace hawser::algorithm
