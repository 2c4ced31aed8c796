// Direct reduce-scatter and all-gather: every member talks to every other at once; one round, the shortest latency
// where the members are joined by a switch. Their composition is the two-shot all-reduce. As the all-pairs algorithms
// of NCCL and MSCCL++.
#pragma once

#include <vector>

#include <hawser/algorithm/ordered_fold.hpp>

namespace hawser::algorithm {

namespace detail {

/// One place per pair of neighbouring members, where their contributions to a piece are summed as they arrive; the own
/// contribution lies at `own`. Half the scratch of a place for each.
inline std::vector<summand> receive_pairs(const group& members, const region_list& own, builder& out) {
  const int n = members.size, me = members.self;
  const std::int64_t blocks = piece_blocks(own), scratch = out.reserve_like(own, (n + 1) / 2);
  std::vector<summand> pairs;
  for (int first = 0; first < n; first += 2) {
    const region_list slot = moved(own, buffer::scratch, scratch + blocks * (first / 2));
    const bool has_second = first + 1 < n;
    pairs.push_back({!has_second && first == me ? own : slot, has_second || first != me});
    if (first != me && first + 1 != me) out.recv(members.at(first), slot);
    if (first + 1 == me)
      out.recv_reduce(members.at(first), slot, own, side::left);
    else if (has_second)
      out.recv_reduce(members.at(first + 1), slot, first == me ? own : slot);
  }
  return pairs;
}

}  // namespace detail

/// One round of n - 1 messages, received beside each other and added in the order of the members, in the canonical
/// tree. Scratch: half the contributions.
inline void direct_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const auto& [members, input, accumulator] = phase;
  const int n = members.size, me = members.self;
  const region_list own = input(me, me + 1), result = accumulator(me, me + 1);
  if (n == 1) return out.copy(result, own);
  for (int i = 1; i < n; ++i) {
    const int peer = (me + i) % n;
    out.send(members.at(peer), input(peer, peer + 1));
  }
  if (n == 2) return out.recv_reduce(members.at(1 - me), result, own, me == 0 ? side::right : side::left);
  sum_canonically(detail::receive_pairs(members, own, out), result, out);
}

/// One round of n - 1 messages.
inline void direct_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const int n = members.size, me = members.self;
  for (int i = 1; i < n; ++i) out.send(members.at((me + i) % n), own);
  out.copy(output(me, me + 1), own);
  for (int i = 1; i < n; ++i) {
    const int peer = (me + n - i) % n;
    out.recv(members.at(peer), output(peer, peer + 1));
  }
}

}  // namespace hawser::algorithm
