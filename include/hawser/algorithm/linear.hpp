// Linear broadcast, reduce, gather and scatter: the root talks to every member itself. One round, and no member needs
// to know another's sizes. As MPICH's and Open MPI's linear (flat tree) algorithms.
#pragma once

#include <hawser/algorithm/ordered_fold.hpp>

namespace hawser::algorithm {

/// One round of n - 1 messages of all the data from the root.
inline void linear_broadcast(const rooted_phase& phase, builder& out) {
  const auto& [members, root, whole, input] = phase;
  const region_list result = at(buffer::output, whole);
  if (members.self != root) return out.recv(members.at(root), result);
  const region_list own = at(input, whole);
  for (int i = 1; i < members.size; ++i) out.send(members.at((root + i) % members.size), own);
  out.copy(result, own);
}

/// One round; the root sums in the order of the members. Scratch at the root: n - 1 vectors.
inline void linear_reduce(const rooted_phase& phase, builder& out) {
  const auto& [members, root, whole, input] = phase;
  const region_list own = at(input, whole);
  if (members.self != root) return out.send(members.at(root), own);
  const contribution_slots slots(own, members, out);
  for (int i = 1; i < members.size; ++i) {
    const int peer = (root + i) % members.size;
    out.recv(members.at(peer), slots.of(peer));
  }
  slots.fold(at(buffer::output, whole), out);
}

/// One round; every piece travels once, straight to its place.
inline void linear_gather(const gather_phase& phase, builder& out) {
  const auto& [members, root, own, output] = phase;
  if (members.self != root) return out.send(members.at(root), own);
  for (int i = 1; i < members.size; ++i) {
    const int peer = (root + i) % members.size;
    out.recv(members.at(peer), output(peer, peer + 1));
  }
  out.copy(output(root, root + 1), own);
}

/// One round; every piece travels once, straight from its place.
inline void linear_scatter(const scatter_phase& phase, builder& out) {
  const auto& [members, root, input, own] = phase;
  if (members.self != root) return out.recv(members.at(root), own);
  for (int i = 1; i < members.size; ++i) {
    const int peer = (root + i) % members.size;
    out.send(members.at(peer), input(peer, peer + 1));
  }
  out.copy(own, input(root, root + 1));
}

/// A reduce to member 0 and its broadcast: the fewest messages in two rounds; a barrier where the data is a token. The
/// first member sends and receives all of them. Summed in the order of the members.
inline void linear_all_reduce(const all_reduce_phase& phase, builder& out) {
  linear_reduce({phase.members, 0, phase.whole, phase.input}, out);
  linear_broadcast({phase.members, 0, phase.whole, buffer::output}, out);
}

}  // namespace hawser::algorithm
