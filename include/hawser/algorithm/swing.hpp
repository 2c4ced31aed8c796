// Swing all-reduce: partners swing around a member, 1, -1, 3, -5, 11, ... away, which on rings and tori is nearer than
// 1, 2, 4, 8, ... De Sensi, Bonato, Saam, Hoefler: Swing: short-cutting rings for higher bandwidth allreduce (NSDI
// 2024).
#pragma once

#include <cstdint>

#include <hawser/algorithm/butterfly.hpp>

namespace hawser::algorithm {

namespace detail {

struct swing_butterfly {
  explicit swing_butterfly(int members) : size(members) {}

  /// Even members go 1, -1, 3, -5, ... = (1 - (-2)^(round + 1)) / 3, odd ones the other way.
  int partner(int v, int round) const {
    const int power = 2 << round, distance = (1 - (round % 2 == 0 ? -power : power)) / 3;
    return (v + (v % 2 == 0 ? distance : -distance)) & (size - 1);
  }
  /// By the Gray code of the member's number to the base -2 (negated where it is even): those that meet in a round
  /// agree in the digits before it and differ in its own (Bine trees, SC 2025, section 3), so that intervals stay
  /// whole.
  bool keeps_lower(int v, int round) const {
    constexpr std::uint32_t odd_digits = 0xAAAAAAAA;
    const auto number = static_cast<std::uint32_t>(v % 2 == 0 ? -v : v);
    const std::uint32_t digits = ((odd_digits + number) ^ odd_digits) & static_cast<std::uint32_t>(size - 1);
    return ((digits ^ digits >> 1) >> round & 1) == 0;
  }

  int size;
};

}  // namespace detail

/// 2 log2 n rounds, 2(n - 1)/n of the data sent; where n is no power of two, two rounds more, and the members that are
/// paired up move all the data once more, as in halving_doubling. Commutative operators only.
inline void swing_all_reduce(const all_reduce_phase& phase, builder& out) {
  butterfly_all_reduce<detail::swing_butterfly>(phase, out);
}

}  // namespace hawser::algorithm
