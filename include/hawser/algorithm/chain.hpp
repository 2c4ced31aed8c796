// Chain broadcast and reduce: each member passes the data on to its neighbour. Pipelined by segments it reaches the
// full bandwidth of every link. Patarasuk, Faraj, Yuan: Pipelined broadcast on Ethernet switched clusters (IPDPS 2006).
#pragma once

#include <hawser/algorithm/binomial_tree.hpp>

namespace hawser::algorithm {

/// n - 1 rounds; every member sends the data once at most.
inline void chain_broadcast(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int me = members.self;
  const region_list result = at(buffer::output, phase.whole);
  const region_list source = me == 0 ? at(phase.input, phase.whole) : result;
  if (me > 0) out.recv(members.at(me - 1), result);
  if (me + 1 < members.size) out.send(members.at(me + 1), source);
  out.copy(result, source);
}

/// The broadcast backwards. Commutative operators only, since the order starts at the root.
inline void chain_reduce(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int me = members.self;
  const region_list result = at(buffer::output, phase.whole);
  region_list sum = at(phase.input, phase.whole);
  if (me + 1 < members.size) {
    out.recv_reduce(members.at(me + 1), result, sum);
    sum = result;
  }
  if (me > 0)
    out.send(members.at(me - 1), sum);
  else
    out.copy(result, sum);
}

}  // namespace hawser::algorithm
