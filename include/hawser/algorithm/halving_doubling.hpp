// Recursive halving and doubling, near partners first: the rounds that carry most stay inside aligned groups.
// Rabenseifner: Optimization of collective reduction operations (ICCS 2004).
#pragma once

#include <hawser/algorithm/power_of_two_core.hpp>

namespace hawser::algorithm {

/// 2 log2 n rounds, 2(n - 1)/n of the data sent; where n is no power of two, two rounds more, and the members that are
/// paired up move all the data once more. Neighbouring ranges of members meet in order.
inline void halving_doubling_all_reduce(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  const region_list own = at(phase.input, phase.whole), result = at(buffer::output, phase.whole);
  if (members.size == 1) return out.copy(result, own);
  const power_of_two_core core(members);
  if (!core.has_self()) {
    const rank left = members.at(members.self - 1);
    out.send(left, own);
    return out.recv(left, result);
  }
  if (core.absorbs) out.recv_reduce(members.at(members.self + 1), result, own);

  buffer from = core.absorbs ? buffer::output : phase.input;
  std::int64_t first = 0, last = core.size();  // the parts of `core.size()` that this member still sums
  const auto parts = [&](buffer where, std::int64_t begin, std::int64_t end) {
    return at(where, phase.whole.parts(begin, end, core.size()));
  };
  for (int round = 0; round < core.rounds; ++round) {
    const int partner = core.self ^ (1 << round);
    const rank peer = members.at(core.member(partner));
    const std::int64_t middle = (first + last) / 2;
    const bool keeps_lower = core.self < partner;
    out.send(peer, keeps_lower ? parts(from, middle, last) : parts(from, first, middle));
    (keeps_lower ? last : first) = middle;
    out.recv_reduce(peer, parts(buffer::output, first, last), parts(from, first, last),
                    keeps_lower ? side::right : side::left);
    from = buffer::output;
  }
  for (int round = core.rounds; round-- > 0;) {
    const int partner = core.self ^ (1 << round);
    const rank peer = members.at(core.member(partner));
    const std::int64_t size = last - first;
    out.send(peer, parts(buffer::output, first, last));
    const bool keeps_lower = core.self < partner;
    const std::int64_t missing = keeps_lower ? last : first - size;
    out.recv(peer, parts(buffer::output, missing, missing + size));
    (keeps_lower ? last : first) += keeps_lower ? size : -size;
  }
  if (core.absorbs) out.send(members.at(members.self + 1), result);
}

namespace detail {

constexpr std::int64_t halving_doubling_rounds(std::int64_t n) {
  return 2 * floor_log2(n) + (is_power_of_two(n) ? 0 : 2);
}

}  // namespace detail

}  // namespace hawser::algorithm
