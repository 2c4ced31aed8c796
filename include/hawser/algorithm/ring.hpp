// Ring reduce-scatter and all-gather: n - 1 rounds to the next neighbour, bandwidth-optimal, latency linear in n.
// Patarasuk, Yuan: Bandwidth optimal all-reduce algorithms for clusters of workstations (JPDC 2009).
#pragma once

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// n - 1 rounds; each member sends (n - 1)/n of the data. The order of reduction rotates: commutative operators only.
inline void ring_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const auto& [members, input, accumulator] = phase;
  const int n = members.size, me = members.self;
  if (n == 1) return out.copy(accumulator(0, 1), input(0, 1));
  const rank next = members.at((me + 1) % n), previous = members.at((me + n - 1) % n);
  for (int round = 1; round < n; ++round) {
    // The piece of member m starts its way at m + 1 and ends, complete, at m.
    const int sent = (me + n - round) % n, received = (me + n - round - 1) % n;
    out.send(next, round == 1 ? input(sent, sent + 1) : accumulator(sent, sent + 1));
    out.recv_reduce(previous, accumulator(received, received + 1), input(received, received + 1), side::left);
  }
}

/// n - 1 rounds; each member sends (n - 1)/n of the data.
inline void ring_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), own);
  const rank next = members.at((me + 1) % n), previous = members.at((me + n - 1) % n);
  for (int round = 1; round < n; ++round) {
    const int sent = (me + n - round + 1) % n, received = (me + n - round) % n;
    out.send(next, output(sent, sent + 1));
    out.recv(previous, output(received, received + 1));
  }
}

}  // namespace hawser::algorithm
