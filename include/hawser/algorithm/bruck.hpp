// Bruck's all-to-all of any radix r: one round per digit of n, each member sending (r - 1) ceil(log_r n) messages and
// every block once per digit of its distance that is not 0. A larger radix sends less and more often.
// Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications (IEEE TPDS 1997). With block
// sizes that differ, which go ahead the same way, it is the two-phase form of Fan et al. (HPDC 2022).
#pragma once

#include <vector>

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

namespace detail {

/// Digits of 0 .. n - 1 in a radix: ceil(log_radix n).
constexpr std::int64_t digits_of(std::int64_t n, std::int64_t radix) {
  std::int64_t digits = 0;
  for (std::int64_t place = 1; place < n; place *= radix) ++digits;
  return digits;
}

/// Dependent messages of Bruck's algorithm: one per digit, less one where no distance has both leading digits, because
/// two of the rounds then carry nothing of each other.
constexpr std::int64_t bruck_rounds_of(std::int64_t n, std::int64_t radix) {
  const std::int64_t digits = digits_of(n, radix);
  if (digits < 2) return digits;
  std::int64_t place = 1;  // of the second leading digit
  for (std::int64_t i = 2; i < digits; ++i) place *= radix;
  return place * radix + place < n ? digits : digits - 1;
}

/// One message each way per digit and its value, and the copy of what stays.
constexpr std::int64_t bruck_steps_of(std::int64_t n, std::int64_t radix) {
  return 2 * (radix - 1) * digits_of(n, radix) + 1;
}

/// ceil(sqrt n): every block then travels at most twice, in the fewest messages for that.
constexpr std::int64_t square_root(std::int64_t n) {
  std::int64_t root = 2;
  while (root * root < n) ++root;
  return root;
}

}  // namespace detail

/// The messages of one digit and one of its values go to the member `value * place` places on and carry the blocks
/// whose distance has that value there. Input and output are disjoint, pieces are whole blocks, and every block is
/// written once: the first hop starts in the input, the last ends in the output, those between lie in scratch of their
/// own. So a pass over the blocks' sizes can run the same schedule first. The radix is at least 2.
inline void bruck_all_to_all_of(std::int64_t radix, const all_to_all_phase& phase, builder& out) {
  const auto& [members, input, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), input(me, me + 1));
  std::vector<region_list> waiting(static_cast<std::size_t>(n));  // by distance: where blocks that moved before lie
  for (std::int64_t place = 1; place < n; place *= radix)
    for (std::int64_t hop = place; hop < std::min<std::int64_t>(radix * place, n); hop += place) {
      region_list sent, received;
      for (std::int64_t begin = hop; begin < n; begin += radix * place)
        for (std::int64_t at = begin; at < std::min<std::int64_t>(begin + place, n); ++at) {
          const int distance = static_cast<int>(at), to = (me + distance) % n, from = (me + n - distance) % n;
          region_list& between = waiting[static_cast<std::size_t>(distance)];
          join(sent, between.empty() ? input(to, to + 1) : between);
          if (distance < radix * place) {
            join(received, output(from, from + 1));
            continue;
          }
          const region_list piece = output(from, from + 1);
          between = moved(piece, buffer::scratch, out.reserve_scratch(piece_blocks(piece)));
          join(received, between);
        }
      const int places = static_cast<int>(hop);
      out.send(members.at((me + places) % n), sent);
      out.recv(members.at((me + n - places) % n), received);
    }
}

/// The forms of the registry: one radix for every n, or ceil(sqrt n).
template <std::int64_t Radix>
void bruck_all_to_all(const all_to_all_phase& phase, builder& out) {
  bruck_all_to_all_of(Radix, phase, out);
}
inline void bruck_sqrt_all_to_all(const all_to_all_phase& phase, builder& out) {
  bruck_all_to_all_of(detail::square_root(phase.members.size), phase, out);
}

namespace detail {

template <std::int64_t Radix>
constexpr std::int64_t bruck_rounds(std::int64_t n) {
  return bruck_rounds_of(n, Radix);
}
template <std::int64_t Radix>
constexpr std::int64_t bruck_steps(std::int64_t n) {
  return bruck_steps_of(n, Radix);
}
constexpr std::int64_t bruck_sqrt_rounds(std::int64_t n) {
  return bruck_rounds_of(n, square_root(n));
}
constexpr std::int64_t bruck_sqrt_steps(std::int64_t n) {
  return bruck_steps_of(n, square_root(n));
}

}  // namespace detail

}  // namespace hawser::algorithm
