// Recursive halving and doubling, near partners first: the rounds that carry most stay inside aligned groups.
// Rabenseifner: Optimization of collective reduction operations (ICCS 2004).
#pragma once

#include <hawser/algorithm/butterfly.hpp>

namespace hawser::algorithm {

namespace detail {

/// Partners are 1, 2, 4, ... apart, so that ranges of members that meet are neighbours, in order.
struct hypercube {
  explicit hypercube(int) {}
  int partner(int v, int round) const { return v ^ (1 << round); }
  bool keeps_lower(int v, int round) const { return (v >> round & 1) == 0; }
};

constexpr std::int64_t halving_doubling_rounds(std::int64_t n) {
  return 2 * floor_log2(n) + (is_power_of_two(n) ? 0 : 2);
}

}  // namespace detail

/// 2 log2 n rounds, 2(n - 1)/n of the data sent; where n is no power of two, two rounds more, and the members that are
/// paired up move all the data once more. Neighbouring ranges of members meet in order.
inline void halving_doubling_all_reduce(const all_reduce_phase& phase, builder& out) {
  butterfly_all_reduce<detail::hypercube>(phase, out);
}

}  // namespace hawser::algorithm
