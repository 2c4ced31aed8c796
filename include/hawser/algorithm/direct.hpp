// Direct reduce-scatter and all-gather: every member talks to every other at once; one round, the shortest latency
// where the members are joined by a switch. Their composition is the two-shot all-reduce. As the all-pairs algorithms
// of NCCL and MSCCL++.
#pragma once

#include <vector>

#include <hawser/algorithm/ordered_fold.hpp>

namespace hawser::algorithm {

namespace detail {

/// The sums of pairs of neighbouring members' contributions to a piece; the own contribution lies at `own`. Every
/// message has a place of its own and can be received at once: one that waited for another would hold up its peer's
/// connection.
inline std::vector<summand> receive_pairs(const group& members, const region_list& own, builder& out) {
  const int n = members.size, me = members.self;
  const std::int64_t blocks = piece_blocks(own), scratch = out.reserve_like(own, n - 1);
  const auto slot = [&](int member) {
    return moved(own, buffer::scratch, scratch + blocks * (member < me ? member : member - 1));
  };
  std::vector<summand> pairs;
  for (int first = 0; first < n; first += 2) {
    const int second = first + 1;
    if (second < n && (first == me || second == me)) {
      const int other = first + second - me;
      out.recv_reduce(members.at(other), slot(other), own, other == first ? side::left : side::right);
      pairs.push_back({slot(other), true});
      continue;
    }
    if (first != me) out.recv(members.at(first), slot(first));
    pairs.push_back(first == me ? summand{own, false} : summand{slot(first), true});
    if (second == n) continue;
    out.recv(members.at(second), slot(second));
    out.reduce(slot(first), slot(first), slot(second));
  }
  return pairs;
}

}  // namespace detail

/// One round of n - 1 messages, received beside each other and added in the order of the members, in the canonical
/// tree. Scratch: the others' contributions.
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
