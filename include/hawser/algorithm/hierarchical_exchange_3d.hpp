// Hierarchical 3D all-to-all: inside the rack, among the racks of a pod, then one message per pair of pods and rail. A
// rank sends as many messages as a rack has members, a pod has racks and the machine has pods, instead of one to every
// rack; what leaves the pod crosses a rack's uplink once more on the way. For blocks far below a rack link's alpha * B.
#pragma once

#include <string>
#include <vector>

#include <hawser/algorithm/levels.hpp>
#include <hawser/algorithm/serving.hpp>

namespace hawser::algorithm {

/// The last active level is the rack's inside, the one above it the pod's; all pods are joined directly.
class hierarchical_exchange_3d {
 public:
  /// `whole_blocks`: never cut a block between two carriers, as block sizes that only their owners know demand.
  hierarchical_exchange_3d(const topology::hierarchy& tree, bool whole_blocks, builder& out)
      : tree_(tree), units_(level_from_inside(0).units), racks_(level_from_inside(1).units), out_(out) {
    shares_.whole_blocks = whole_blocks;
    self_ = at(tree.position_of(out.self()));
    is_regular_ = units_.is_uniform() && racks_.is_uniform() && tree.is_in_rank_order();
  }

  /// Writes this rank's steps, one block for each rank in input and output. (3D all-to-all: docs/algorithms.md)
  void generate() {
    bundle_ = transits_of(self_);
    first_of_pod_ = out_.reserve_scratch(static_cast<std::int64_t>(bundle_.size()) * ranks_in(self_.pod));
    plan_relays();
    out_.begin_phase("all_to_all pairwise over " + level_from_inside(0).name);
    inside_rack();
    out_.begin_phase("all_to_all pairwise over " + level_from_inside(1).name + ", by rail");
    inside_pod();
    out_.begin_phase("all_to_all pairwise over " + tree_.at(active_levels(tree_).front()).name + ", by rail");
    across_pods();
  }

 private:
  struct place {
    std::int64_t pod, rack, position;
    std::int64_t rack_index, member;  // within the pod, within the rack
  };
  /// What one rank carries to a rank of another pod: a part of the blocks of everybody in its own pod.
  struct transit {
    std::int64_t to;  // position
    interval part;
  };
  /// What this rank carries to a rank of another rack of its pod, for everybody in its rack: the blocks of that rank
  /// itself and of its transits.
  struct relay {
    place to;
    interval part;
    std::vector<transit> bundle;
    std::int64_t first = 0;  // scratch: per block of the bundle, one for each member of this rack
  };

  const topology::level& level_from_inside(int k) const {
    const std::vector<int> levels = active_levels(tree_);
    return tree_.at(levels[levels.size() - 1 - static_cast<std::size_t>(k)]);
  }
  place at(std::int64_t position) const {
    const std::int64_t rack = units_.parent_of(position), pod = racks_.parent_of(rack);
    return {pod, rack, position, rack - racks_.first(pod), position - units_.first(rack)};
  }
  std::int64_t first_in(std::int64_t pod) const { return units_.first(racks_.first(pod)); }
  std::int64_t ranks_in(std::int64_t pod) const {
    const std::int64_t last = racks_.first(pod) + racks_.size(pod) - 1;
    return units_.first(last) + units_.size(last) - first_in(pod);
  }

  /// In the order of the pods behind the carrier's own.
  std::vector<transit> transits_of(const place& carrier) const {
    std::vector<transit> list;
    const std::int64_t pods = racks_.parents();
    for (std::int64_t i = 1; i < pods; ++i) {
      const std::int64_t pod = (carrier.pod + i) % pods, first = racks_.first(pod);
      shares_.each_served(carrier.rack_index, racks_.size(carrier.pod), racks_.size(pod), [&](auto rack, auto cut) {
        shares_.each_served(carrier.member, units_.size(carrier.rack), units_.size(first + rack),
                            [&](auto member, auto part) {
                              list.push_back({units_.first(first + rack) + member, cut.within(part)});
                            });
      });
    }
    return list;
  }

  /// Calls f(place, part) for the ranks of the pod's other racks that a rank's rack neighbour `member` serves.
  template <class F>
  void each_relayed(std::int64_t member, F&& f) const {
    const std::int64_t racks = racks_.size(self_.pod), first = racks_.first(self_.pod);
    for (std::int64_t i = 1; i < racks; ++i) {
      const std::int64_t rack = first + (self_.rack_index + i) % racks;
      shares_.each_served(member, units_.size(self_.rack), units_.size(rack),
                          [&](auto c, auto part) { f(at(units_.first(rack) + c), part); });
    }
  }
  void plan_relays() {
    const std::int64_t g = units_.size(self_.rack);
    each_relayed(self_.member, [&](const place& to, const interval& part) {
      relay planned{to, part, transits_of(to)};
      planned.first = out_.reserve_scratch((1 + static_cast<std::int64_t>(planned.bundle.size())) * g);
      relays_.push_back(std::move(planned));
    });
  }

  // ---- inside the rack: to each neighbour the blocks that it is to have or to carry

  void inside_rack() {
    const std::int64_t g = units_.size(self_.rack), base = units_.first(self_.rack);
    const region_list own = blocks(buffer::input, self_.position, 1, {0, 1});
    out_.copy(blocks(buffer::output, self_.position, 1, {0, 1}), own);
    // Where racks are alike, what neighbours send and receive differs by whole blocks only.
    const region_list to_first = is_regular_ ? outgoing(0) : region_list{};
    const region_list from_first = is_regular_ ? collected(0) : region_list{};
    for (std::int64_t i = 1; i < g; ++i) {
      const std::int64_t to = (self_.member + i) % g, from = (self_.member + g - i) % g;
      out_.send(tree_.rank_at(base + to), is_regular_ ? shifted(to_first, to) : outgoing(to));
      out_.recv(tree_.rank_at(base + from), is_regular_ ? shifted(from_first, from) : collected(from));
    }
    keep_own();
  }
  /// The blocks for a member of this rack: its own, those of its transits, those of its relays.
  region_list outgoing(std::int64_t member) const {
    const std::int64_t position = units_.first(self_.rack) + member;
    region_list list = blocks(buffer::input, position, 1, {0, 1});
    append_bundle(list, transits_of(at(position)), {0, 1});
    each_relayed(member, [&](const place& to, const interval& part) {
      append(list, buffer::input, block(to.position, part));
      append_bundle(list, transits_of(to), part);
    });
    return list;
  }
  void append_bundle(region_list& list, const std::vector<transit>& bundle, const interval& part) const {
    for (const transit& each : bundle) append(list, buffer::input, block(each.to, each.part.within(part)));
  }
  /// Where what a member of this rack sends to this rank belongs, in the same order.
  region_list collected(std::int64_t member) const {
    region_list list = blocks(buffer::output, units_.first(self_.rack) + member, 1, {0, 1});
    append_collected(list, member);
    return list;
  }
  void append_collected(region_list& list, std::int64_t member) const {
    const std::int64_t g = units_.size(self_.rack), ranks = ranks_in(self_.pod);
    std::int64_t next = first_of_pod_ + units_.first(self_.rack) - first_in(self_.pod) + member;
    for (const transit& each : bundle_) {
      append(list, buffer::scratch, moved_by(each.part, next));
      next += ranks;
    }
    for (const relay& each : relays_) {
      append(list, buffer::scratch, moved_by(each.part, next = each.first + member));
      for (const transit& t : each.bundle) append(list, buffer::scratch, moved_by(t.part.within(each.part), next += g));
    }
  }
  /// This rank's own blocks join those that it carries for its neighbours.
  void keep_own() {
    region_list from, to;
    append_bundle(from, bundle_, {0, 1});
    for (const relay& each : relays_) {
      append(from, buffer::input, block(each.to.position, each.part));
      append_bundle(from, each.bundle, each.part);
    }
    append_collected(to, self_.member);
    if (!from.empty()) out_.copy(to, from);
  }

  // ---- among the racks of the pod: one message per relay

  void inside_pod() {
    std::size_t next = 0;
    const std::int64_t racks = racks_.size(self_.pod), first = racks_.first(self_.pod);
    for (std::int64_t i = 1; i < racks; ++i) {
      const std::int64_t to_rack = first + (self_.rack_index + i) % racks;
      for (; next < relays_.size() && relays_[next].to.rack == to_rack; ++next)
        out_.send(tree_.rank_at(relays_[next].to.position), relayed(relays_[next]));
      receive_from_rack(first + (self_.rack_index + racks - i) % racks);
    }
  }
  region_list relayed(const relay& each) const {
    const std::int64_t g = units_.size(self_.rack);
    region_list list;
    std::int64_t next = each.first;
    append_run(list, buffer::scratch, next, g, each.part);
    for (const transit& t : each.bundle) append_run(list, buffer::scratch, next += g, g, t.part.within(each.part));
    return list;
  }
  void receive_from_rack(std::int64_t rack) {
    const std::int64_t g = units_.size(rack), base = units_.first(rack);
    shares_.each_carrier(self_.member, units_.size(self_.rack), g, [&](std::int64_t member, const interval& part) {
      region_list list = blocks(buffer::output, base, g, part);
      std::int64_t next = first_of_pod_ + base - first_in(self_.pod);
      for (const transit& each : bundle_) {
        append_run(list, buffer::scratch, next, g, each.part.within(part));
        next += ranks_in(self_.pod);
      }
      out_.recv(tree_.rank_at(base + member), list);
    });
  }

  // ---- across pods: one message per transit

  void across_pods() {
    std::size_t next = 0;
    const std::int64_t pods = racks_.parents(), ranks = ranks_in(self_.pod);
    for (std::int64_t i = 1; i < pods; ++i) {
      const std::int64_t to_pod = (self_.pod + i) % pods;
      for (; next < bundle_.size() && at(bundle_[next].to).pod == to_pod; ++next) {
        region_list list;
        append_run(list, buffer::scratch, first_of_pod_ + static_cast<std::int64_t>(next) * ranks, ranks,
                   bundle_[next].part);
        out_.send(tree_.rank_at(bundle_[next].to), list);
      }
      receive_from_pod((self_.pod + pods - i) % pods);
    }
  }
  void receive_from_pod(std::int64_t pod) {
    const std::int64_t first = racks_.first(pod);
    shares_.each_carrier(self_.rack_index, racks_.size(self_.pod), racks_.size(pod), [&](auto rack, auto cut) {
      shares_.each_carrier(self_.member, units_.size(self_.rack), units_.size(first + rack), [&](auto r, auto part) {
        out_.recv(tree_.rank_at(units_.first(first + rack) + r),
                  blocks(buffer::output, first_in(pod), ranks_in(pod), cut.within(part)));
      });
    });
  }

  // ---- regions

  static interval moved_by(const interval& part, std::int64_t whole) {
    return {part.begin + fraction(whole), part.end + fraction(whole)};
  }
  static region_list shifted(region_list list, std::int64_t whole) {
    for (region& each : list) each.first = moved_by(each.first, whole);
    return list;
  }
  interval block(std::int64_t position, const interval& part) const {
    return moved_by(part, tree_.rank_at(position).value);
  }
  /// A part of each of `count` blocks in a row.
  static void append_run(region_list& list, buffer where, std::int64_t first, std::int64_t count,
                         const interval& part) {
    if (part == interval{0, 1}) return append(list, where, {first, first + count});
    list.push_back({where, static_cast<std::uint32_t>(count), count > 1 ? 1 : 0, moved_by(part, first)});
  }
  /// A part of the blocks of `count` positions.
  region_list blocks(buffer where, std::int64_t position, std::int64_t count, const interval& part) const {
    region_list list;
    if (tree_.is_in_rank_order())
      append_run(list, where, position, count, part);
    else
      for (std::int64_t i = 0; i < count; ++i) append(list, where, block(position + i, part));
    return list;
  }

  const topology::hierarchy& tree_;
  const topology::child_counts& units_;  // ranks by rack
  const topology::child_counts& racks_;  // racks by pod
  builder& out_;
  serving shares_;
  bool is_regular_ = false;  // equal racks and pods in rank order
  place self_{};
  std::vector<transit> bundle_;    // this rank's transits
  std::int64_t first_of_pod_ = 0;  // scratch: per transit, one block for each rank of this pod
  std::vector<relay> relays_;
};

}  // namespace hawser::algorithm
