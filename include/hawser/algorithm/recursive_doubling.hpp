// Recursive doubling: exchange the whole vector with partners at distance 1, 2, 4, ...; the fewest rounds, for small
// messages. Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH (IJHPCA 2005).
#pragma once

#include <hawser/algorithm/alternating_value.hpp>
#include <hawser/algorithm/power_of_two_core.hpp>

namespace hawser::algorithm {

namespace detail {

/// In each round the members of the core exchange their whole sums in pairs: `partner(core, round)` is the number in
/// the core of the one that this member meets.
template <class Partner>
void doubling_all_reduce(const all_reduce_phase& phase, builder& out, Partner partner_of) {
  const group& members = phase.members;
  const power_of_two_core core(members);
  if (core.is_served(phase, out)) return;
  const alternating_value sum(phase, core.rounds, !core.absorbs, out);
  core.absorb(phase, sum.after(0), out);
  for (int round = 0; round < core.rounds; ++round) {
    const int partner = partner_of(core, round);
    const rank peer = members.at(core.member(partner));
    out.send(peer, sum.after(round));
    out.recv_reduce(peer, sum.after(round + 1), sum.after(round), partner < core.self ? side::left : side::right);
  }
  sum.finish(out);
  core.give_back(phase, out);
}

/// From a member that was paired up to the complement of its number in the core, and on to its neighbour if that one is
/// paired too.
constexpr std::int64_t recursive_doubling_rounds(std::int64_t n) {
  return is_power_of_two(n) ? floor_log2(n) : overlapping_log2(n) + 1;
}

}  // namespace detail

/// floor(log2 n) rounds, up to two more where n is no power of two; each member sends all the data in every round.
inline void recursive_doubling_all_reduce(const all_reduce_phase& phase, builder& out) {
  detail::doubling_all_reduce(phase, out,
                              [](const power_of_two_core& core, int round) { return core.self ^ (1 << round); });
}

}  // namespace hawser::algorithm
