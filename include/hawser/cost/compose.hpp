// A rank's traffic in a hierarchical algorithm, put together from its phases: the same as counting its schedule,
// without writing it down for every combination of algorithms.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <hawser/cost/phase_counts.hpp>
#include <hawser/cost/unit_volumes.hpp>

namespace hawser::cost::detail {

/// Mirrors algorithm/hierarchical_*.hpp (the test of this header compares the two): which phases a rank takes part in,
/// as which member, and how much of the data each of them moves.
class composition {
 public:
  /// `parts` innermost first, as many as the ladder has levels; all outlive this object.
  composition(const algorithm::ladder& levels, std::span<const std::string_view> parts, phase_counts& counts)
      : levels_(levels), parts_(parts), counts_(counts), volumes_(levels), active_(algorithm::active_levels(tree())) {}

  /// Of the rank at a position. `root` is a position, too. Ignores whether the call is in place.
  rank_traffic of(schedule::collective what, std::int64_t position, std::int64_t root) {
    using schedule::collective;
    const std::vector<double> none(static_cast<std::size_t>(tree().depth()), 0.0);
    total_ = {none, none, none, none};
    const int innermost = levels_.size() - 1;
    switch (what) {
      case collective::all_reduce: all_reduce(innermost, position, 1.0, false); break;
      case collective::reduce_scatter: blocks(what, innermost, position, false); break;
      case collective::all_gather:
        total_.blocks_reduced += 1;  // the own block, copied into place
        blocks(what, innermost, position, true);
        break;
      case collective::broadcast:
        if (position == root) total_.blocks_reduced += 1;
        rooted(what, position, root);
        break;
      default: rooted(what, position, root);
    }
    return total_;
  }

  static constexpr bool has(schedule::collective what) {
    using schedule::collective;
    return what == collective::all_reduce || what == collective::reduce_scatter || what == collective::all_gather ||
           what == collective::broadcast || what == collective::reduce;
  }

 private:
  const topology::hierarchy& tree() const { return levels_.tree(); }
  std::string_view part(int k) const { return parts_[static_cast<std::size_t>(levels_.size() - 1 - k)]; }

  /// A phase of the group that a unit of level k is in.
  flat_phase phase_of(schedule::collective what, int k, std::int64_t unit) const {
    const topology::child_counts& units = levels_.units(k);
    const std::int64_t parent = units.parent_of(unit);
    return {.what = what, .algorithm = part(k), .members = units.size(parent), .self = unit - units.first(parent)};
  }

  /// Only all-reduces look at them (the double binary tree).
  std::vector<std::int64_t> weights_of(int k, std::int64_t unit, std::int64_t members) const {
    const algorithm::group group = levels_.members(k, unit, [](std::int64_t) { return rank(0); });
    std::vector<std::int64_t> weights;
    for (int i = 0; group.weight && i < members; ++i) weights.push_back(group.weight(i));
    return weights;
  }

  void add(int k, flat_phase phase, double scale) {
    const phase_traffic& moved = counts_.of(std::move(phase));
    const auto level = static_cast<std::size_t>(active_[static_cast<std::size_t>(k)]);
    total_.blocks_out[level] += scale * moved.out;
    total_.blocks_in[level] += scale * moved.in;
    total_.blocks_reduced += scale * moved.reduced;
    total_.sent[level] += moved.sends;
    total_.received[level] += moved.receives;
  }

  void all_reduce(int k, std::int64_t unit, double whole, bool is_in_place) {
    using schedule::collective;
    flat_phase phase = phase_of(collective::all_reduce, k, unit);
    phase.is_in_place = is_in_place;
    if (k == 0) {
      phase.weights = weights_of(k, unit, phase.members);
      return add(k, std::move(phase), whole);
    }
    if (algorithm::detail::goes_by_leader(phase.algorithm)) return by_leader(k, unit, whole, std::move(phase));
    const double piece = whole / static_cast<double>(phase.members);
    phase.what = collective::reduce_scatter;
    add(k, phase, piece);
    for (const schedule::interval& each : levels_.shard_parts(k, phase.self, phase.members)) {
      const schedule::fraction share = each.length();
      all_reduce(k - 1, levels_.parent(k, unit),
                 whole * static_cast<double>(share.num()) / static_cast<double>(share.den()), true);
    }
    phase.what = collective::all_gather;
    phase.is_in_place = false;
    add(k, phase, piece);
  }

  /// To the group's first member and back; it alone takes part further out.
  void by_leader(int k, std::int64_t unit, double whole, flat_phase phase) {
    phase.what = schedule::collective::reduce;
    phase.root = 0;
    add(k, phase, whole);
    if (phase.self == phase.root) all_reduce(k - 1, levels_.parent(k, unit), whole, true);
    phase.what = schedule::collective::broadcast;
    phase.is_in_place = true;
    add(k, std::move(phase), whole);
  }

  /// Reduce-scatter and all-gather of one block per rank: the same phases, in opposite order.
  void blocks(schedule::collective what, int k, std::int64_t unit, bool is_in_place) {
    flat_phase phase = phase_of(what, k, unit);
    const bool scatters = what == schedule::collective::reduce_scatter;
    phase.is_in_place = scatters && is_in_place;
    phase.is_own_apart = scatters && k == 0;
    const double largest = weigh(k, levels_.parent(k, unit), phase);
    add(k, phase, largest);
    if (k == 0) return;
    for (const schedule::interval& each : levels_.shard_parts(k, phase.self, phase.members)) {
      volumes_.serve(k, each);
      blocks(what, k - 1, levels_.parent(k, unit), true);
    }
  }

  /// The largest piece; notes the others relative to it where they differ.
  double weigh(int k, std::int64_t parent, flat_phase& phase) const {
    if (volumes_.is_even(k)) return volumes_.piece(k, parent, 0, phase.members);
    double largest = 0;
    for (std::int64_t i = 0; i < phase.members; ++i) {
      phase.pieces.push_back(volumes_.piece(k, parent, i, phase.members));
      largest = std::max(largest, phase.pieces.back());
    }
    for (double& each : phase.pieces) each /= largest;
    return largest;
  }

  void rooted(schedule::collective what, std::int64_t position, std::int64_t root) {
    bool is_in_place = what == schedule::collective::broadcast;
    std::int64_t unit = position, root_unit = root;
    for (int k = levels_.size() - 1; k >= 0; --k) {
      flat_phase phase = phase_of(what, k, unit);
      const std::int64_t parent = levels_.parent(k, unit), root_parent = levels_.parent(k, root_unit);
      const bool has_root = parent == root_parent;
      phase.root = has_root ? root_unit - levels_.units(k).first(parent) : 0;
      phase.is_in_place = is_in_place;
      add(k, phase, 1.0);
      if (phase.self != phase.root) return;  // another rank stands for the group further out
      is_in_place = true;
      unit = parent;
      root_unit = root_parent;
    }
  }

  const algorithm::ladder& levels_;
  std::span<const std::string_view> parts_;
  phase_counts& counts_;
  unit_volumes volumes_;
  std::vector<int> active_;
  rank_traffic total_;
};

}  // namespace hawser::cost::detail
