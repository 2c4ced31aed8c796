// Direct reduce-scatter and all-gather: every member talks to every other at once; one round, the shortest latency
// where the members are joined by a switch. Their composition is the two-shot all-reduce. As the all-pairs algorithms of
// NCCL and MSCCL++.
#pragma once

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// One round of n - 1 messages, received beside each other and added in the order of the members: keeps the order.
inline void direct_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const auto& [members, input, accumulator] = phase;
  const int n = members.size, me = members.self;
  const region_list own = input(me, me + 1), result = accumulator(me, me + 1);
  if (n == 1) return out.copy(result, own);
  for (int i = 1; i < n; ++i) {
    const int peer = (me + i) % n;
    out.send(members.at(peer), input(peer, peer + 1));
  }
  // The sum runs in member order: everything before self is gathered in scratch, then self, then the rest.
  const std::int64_t blocks = piece_blocks(own);
  const std::int64_t scratch = out.reserve_like(own, std::max(1, me));
  const auto slot = [&](int peer) { return moved(own, buffer::scratch, scratch + blocks * peer); };
  for (int peer = 0; peer < me; ++peer) out.recv(members.at(peer), slot(peer));
  for (int peer = 1; peer < me; ++peer) out.reduce(slot(0), slot(0), slot(peer));
  if (me > 0) out.reduce(result, own, slot(0), side::left);
  for (int peer = me + 1; peer < n; ++peer)
    out.recv_reduce(members.at(peer), result, peer == me + 1 && me == 0 ? own : result);
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
