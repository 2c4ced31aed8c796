// Bine trees: binomial trees over numbers to the base -2, whose edges reach to both sides and so less far than a
// binomial tree's. De Sensi et al.: Bine trees: enhancing collective operations by optimizing communication locality
// (SC 2025).
#pragma once

#include <cstdint>
#include <vector>

#include <hawser/algorithm/binomial_tree.hpp>
#include <hawser/algorithm/power_of_two_core.hpp>

namespace hawser::algorithm {

namespace detail {

/// One member's place in the Bine tree over a power-of-two core, rooted at number 0: far children first.
struct bine_place {
  int parent = -1;            ///< in the core
  std::vector<int> children;  ///< in the order in which a broadcast sends

  bine_place(int v, int rounds) {
    bool has_data = v == 0;
    for (int round = rounds; round-- > 0;) {
      const std::uint32_t low = (2U << round) - 1, digits = digits_of(v);
      // All lower digits flip: partners are +-(...111 to the base -2) apart.
      const int partner = number_of(digits ^ low) & ((1 << rounds) - 1);
      if (has_data)
        children.push_back(partner);
      else if ((digits & low) == 0 || (digits & low) == low)
        parent = partner, has_data = true;
    }
  }

 private:
  static constexpr std::uint32_t odd_digits = 0xAAAAAAAA;
  static std::uint32_t digits_of(int v) { return (odd_digits + static_cast<std::uint32_t>(v)) ^ odd_digits; }
  static int number_of(std::uint32_t digits) { return static_cast<int>((digits ^ odd_digits) - odd_digits); }
};

}  // namespace detail

/// floor(log2 n) dependent messages, at most one more where n is no power of two: members of the core then serve a
/// neighbour.
inline void bine_broadcast(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const power_of_two_core core(members);
  const region_list result = at(buffer::output, phase.whole);
  if (!core.has_self()) return out.recv(members.at(members.self - 1), result);
  const detail::bine_place place(core.self, core.rounds);
  const region_list source = core.self == 0 ? at(phase.input, phase.whole) : result;
  if (place.parent >= 0) out.recv(members.at(core.member(place.parent)), result);
  for (const int child : place.children) out.send(members.at(core.member(child)), source);
  if (core.absorbs) out.send(members.at(members.self + 1), source);
  out.copy(result, source);
}

/// The broadcast backwards. Commutative operators only.
inline void bine_reduce(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const power_of_two_core core(members);
  const region_list result = at(buffer::output, phase.whole);
  region_list sum = at(phase.input, phase.whole);
  if (!core.has_self()) return out.send(members.at(members.self - 1), sum);
  const auto absorb = [&](int member) {
    out.recv_reduce(members.at(member), result, sum);
    sum = result;
  };
  if (core.absorbs) absorb(members.self + 1);
  const detail::bine_place place(core.self, core.rounds);
  for (auto child = place.children.rbegin(); child != place.children.rend(); ++child) absorb(core.member(*child));
  if (place.parent >= 0)
    out.send(members.at(core.member(place.parent)), sum);
  else
    out.copy(result, sum);
}

namespace detail {

/// The farthest member of the core takes part in all of its rounds; one more where it then serves a neighbour.
constexpr std::int64_t bine_rounds(std::int64_t n) {
  const std::int64_t rounds = floor_log2(n), core = std::int64_t{1} << rounds;
  std::int64_t farthest = 0;  // digits 1010...
  for (std::int64_t k = rounds - 1; k >= 0; k -= 2) farthest += (k % 2 == 0 ? 1 : -1) * (std::int64_t{1} << k);
  return rounds + ((farthest + core) % core < n - core ? 1 : 0);
}

}  // namespace detail

}  // namespace hawser::algorithm
