// The power-of-two core of a group of any size: pairs of neighbours become one until a power of two is left.
// Rabenseifner, Traeff: More efficient reduction algorithms for non-power-of-two number of processors (EuroPVM 2004).
#pragma once

#include <hawser/algorithm/flat.hpp>

namespace hawser::algorithm {

/// Of the pairs (2i, 2i + 1), i < pairs, the left one absorbs the right one's contribution and hands it the result.
/// Core members stand for adjacent, ascending ranges of members, so that reductions can keep the order.
struct power_of_two_core {
  int rounds = 0;  ///< log2 of the core's size
  int pairs = 0;   ///< members beyond the core's size
  int self = -1;   ///< this member's number in the core; -1 where its left neighbour stands for it
  bool absorbs = false;

  explicit power_of_two_core(const group& members) {
    rounds = static_cast<int>(detail::floor_log2(members.size));
    pairs = members.size - (1 << rounds);
    const bool is_paired = members.self < 2 * pairs;
    absorbs = is_paired && members.self % 2 == 0;
    if (!is_paired) self = members.self - pairs;
    if (absorbs) self = members.self / 2;
  }

  bool has_self() const noexcept { return self >= 0; }
  int size() const noexcept { return 1 << rounds; }
  /// The member that is number v of the core.
  int member(int v) const noexcept { return v < pairs ? 2 * v : v + pairs; }

  /// Before the rounds: a member outside the core hands its data to its left neighbour and waits for the result. True
  /// where nothing is left for this member to do.
  bool is_served(const all_reduce_phase& phase, builder& out) const {
    const region_list own = at(phase.input, phase.whole), result = at(buffer::output, phase.whole);
    if (phase.members.size == 1) out.copy(result, own);
    if (has_self()) return phase.members.size == 1;
    const rank left = phase.members.at(phase.members.self - 1);
    out.send(left, own);
    out.recv(left, result);
    return true;
  }
  /// Where this member absorbs its right neighbour's data, their sum goes to `sum`.
  void absorb(const all_reduce_phase& phase, const region_list& sum, builder& out) const {
    if (absorbs) out.recv_reduce(phase.members.at(phase.members.self + 1), sum, at(phase.input, phase.whole));
  }
  /// After the rounds: the neighbour whose data was absorbed gets the result.
  void give_back(const all_reduce_phase& phase, builder& out) const {
    if (absorbs) out.send(phase.members.at(phase.members.self + 1), at(buffer::output, phase.whole));
  }
};

namespace detail {

/// Whether pairs of the first members, and then a core that halves, are the canonical tree of n members: n is a run of
/// ones in binary, followed by zeros.
constexpr bool core_sums_canonically(std::int64_t n, std::int64_t) {
  while (!is_power_of_two(n)) {
    const std::int64_t core = std::int64_t{1} << floor_log2(n);
    if (2 * (n - core) < core) return false;
    n -= core;
  }
  return true;
}

}  // namespace detail

}  // namespace hawser::algorithm
