// What the registry knows of a flat algorithm: its name, how to generate it, and what it can and cannot do.
#pragma once

#include <cstdint>
#include <string_view>

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// An algorithm over one group of members that are all alike. `Phase` says what it does.
template <class Phase>
struct flat_algorithm {
  std::string_view name;
  void (*generate)(const Phase&, builder&) = nullptr;
  /// Length of the longest chain of dependent messages for n members (tests count it in the schedules).
  std::int64_t (*rounds)(std::int64_t n) = nullptr;
  /// How many times what the busiest member sends passes one after the other along the longest chain, where that is
  /// more than once: trees and chains hand the whole data on, and depend on segments to overlap. Null: once.
  double (*serial)(std::int64_t n) = nullptr;
  /// Upper bound of one member's steps for n members; the planner skips what is too long for a machine.
  std::int64_t (*steps)(std::int64_t n) = nullptr;
  /// Reductions meet their operands in the order of the members, so that non-commutative operators are right.
  bool keeps_order = false;
  /// Every member sends, receives and reduces as much as any other where their pieces are equal (tests compare them).
  bool is_symmetric = false;
  /// Reduces what pairs of members sent as it arrives: by whom each is paired with, members that move the same differ
  /// in time.
  bool pairs_members = false;
  /// Whether sums are associated as in the canonical tree over n > 1 members (schedule/canonical_tree.hpp), for a root
  /// where there is one. Null: never. Tests prove it of the schedules.
  bool (*sums_canonically)(std::int64_t n, std::int64_t root) = nullptr;
  /// Of reduce-scatters: keeps partial sums of pieces that are not its own.
  bool needs_accumulator = true;
  /// Of rooted ones: a member is done with a segment once it has handed it on, while the segment still travels; of the
  /// others a member waits until what depends on it has come back.
  bool hands_on = false;
  /// What speaks for it is that its messages reach less far than another's that moves as much: over members that are
  /// all as far apart as any others, as those of one level are, it is no candidate.
  bool is_near_first = false;
  /// Sends to the group's switch, and so fits only where that can reduce (algorithm/in_network.hpp).
  bool needs_switch = false;
  /// Right where each rank knows only its own block sizes (all-to-all-v and the like).
  bool works_with_private_counts = false;
};

namespace detail {

constexpr std::int64_t ceil_log2(std::int64_t n) {
  std::int64_t rounds = 0;
  while ((std::int64_t{1} << rounds) < n) ++rounds;
  return rounds;
}
constexpr std::int64_t floor_log2(std::int64_t n) {
  std::int64_t rounds = 0;
  while ((std::int64_t{2} << rounds) <= n) ++rounds;
  return rounds;
}

constexpr bool is_power_of_two(std::int64_t n) {
  return n > 0 && (n & (n - 1)) == 0;
}

/// Dependent messages among ceil(log2 n) rounds of a circulant, PAT or Bruck: one round less where n is at most 3/4 of
/// a power of two, since two of the rounds then carry nothing of each other.
constexpr std::int64_t overlapping_log2(std::int64_t n) {
  const std::int64_t rounds = ceil_log2(n);
  return rounds >= 2 && 4 * n <= (std::int64_t{3} << rounds) ? rounds - 1 : rounds;
}

}  // namespace detail

/// An all-reduce made of a reduce-scatter and an all-gather over equal parts of the interval.
template <void (*ReduceScatter)(const reduce_scatter_phase&, builder&),
          void (*AllGather)(const all_gather_phase&, builder&)>
void reduce_scatter_all_gather(const all_reduce_phase& phase, builder& out) {
  const int n = phase.members.size, me = phase.members.self;
  const locator result = split(buffer::output, phase.whole, n);
  ReduceScatter({phase.members, split(phase.input, phase.whole, n), result}, out);
  AllGather({phase.members, result(me, me + 1), result}, out);
}

}  // namespace hawser::algorithm
