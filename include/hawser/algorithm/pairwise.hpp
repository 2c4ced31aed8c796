// Pairwise all-to-all: every member sends each piece straight to its destination; the least volume, n - 1 messages.
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH (IJHPCA 2005).
#pragma once

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// One round of n - 1 messages; in step i every member sends to the one i places on, so that no one is sent to twice
/// at a time. Needs no sizes but the caller's own.
inline void pairwise_all_to_all(const all_to_all_phase& phase, builder& out) {
  const auto& [members, input, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), input(me, me + 1));
  for (int i = 1; i < n; ++i) {
    const int to = (me + i) % n, from = (me + n - i) % n;
    out.send(members.at(to), input(to, to + 1));
    out.recv(members.at(from), output(from, from + 1));
  }
}

}  // namespace hawser::algorithm
