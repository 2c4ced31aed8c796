// Dissemination barrier: in round k every member tells the one 2^k places on; ceil(log2 n) rounds for every n.
// Hensgen, Finkel, Manber: Two algorithms for barrier synchronization (IJPP 1988).
#pragma once

#include <hawser/algorithm/alternating_value.hpp>
#include <hawser/algorithm/flat.hpp>

namespace hawser::algorithm {

/// An all-reduce of a token under union: where n is no power of two, contributions meet more than once.
inline void dissemination_barrier(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  const int n = members.size, me = members.self;
  const int rounds = static_cast<int>(detail::ceil_log2(n));
  const alternating_value heard(phase, rounds, true, out);
  for (int round = 0; round < rounds; ++round) {
    const int distance = 1 << round;
    out.send(members.at((me + distance) % n), heard.after(round));
    out.recv_reduce(members.at((me + n - distance) % n), heard.after(round + 1), heard.after(round));
  }
  heard.finish(out);
}

}  // namespace hawser::algorithm
