// All-reduce by recursive halving and doubling on a butterfly: in every round each member meets another one, which of
// them is what algorithms differ in.
#pragma once

#include <cstdint>

#include <hawser/algorithm/power_of_two_core.hpp>

namespace hawser::algorithm {

/// `Butterfly(core size)` says whom number v of the core meets in a round, `partner(v, round)`, and which half of what
/// both still sum it keeps, `keeps_lower(v, round)`. Two that meet have kept the same halves before, and then differ.
template <class Butterfly>
void butterfly_all_reduce(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  const power_of_two_core core(members);
  if (core.is_served(phase, out)) return;
  core.absorb(phase, at(buffer::output, phase.whole), out);

  const Butterfly butterfly(core.size());
  buffer from = core.absorbs ? buffer::output : phase.input;
  std::int64_t first = 0, last = core.size();  // the parts of `core.size()` that this member still sums
  const auto parts = [&](buffer where, std::int64_t begin, std::int64_t end) {
    return at(where, phase.whole.parts(begin, end, core.size()));
  };
  for (int round = 0; round < core.rounds; ++round) {
    const rank peer = members.at(core.member(butterfly.partner(core.self, round)));
    const std::int64_t middle = (first + last) / 2;
    const bool keeps_lower = butterfly.keeps_lower(core.self, round);
    out.send(peer, keeps_lower ? parts(from, middle, last) : parts(from, first, middle));
    (keeps_lower ? last : first) = middle;
    out.recv_reduce(peer, parts(buffer::output, first, last), parts(from, first, last),
                    keeps_lower ? side::right : side::left);
    from = buffer::output;
  }
  for (int round = core.rounds; round-- > 0;) {
    const rank peer = members.at(core.member(butterfly.partner(core.self, round)));
    const std::int64_t size = last - first;
    out.send(peer, parts(buffer::output, first, last));
    const bool keeps_lower = butterfly.keeps_lower(core.self, round);
    const std::int64_t missing = keeps_lower ? last : first - size;
    out.recv(peer, parts(buffer::output, missing, missing + size));
    (keeps_lower ? last : first) += keeps_lower ? size : -size;
  }
  core.give_back(phase, out);
}

}  // namespace hawser::algorithm
