// Butterflies whose partners are near on either side (Bine): reduce-scatter, all-gather, and all-reduce of short
// vectors. De Sensi et al.: Bine trees: enhancing collective operations by optimizing communication locality (SC 2025).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hawser/algorithm/power_of_two_core.hpp>
#include <hawser/algorithm/recursive_doubling.hpp>
#include <hawser/algorithm/swing.hpp>

namespace hawser::algorithm {

namespace detail {

/// Who of a group of any size meets whom, near partners first, and for which members' pieces each is responsible.
/// Swing's partners are the same: its all-reduce is Bine's for long vectors.
class bine_butterfly {
 public:
  explicit bine_butterfly(const power_of_two_core& core) : core_(core), partners_(core.size()) {}

  int partner(int round) const { return partners_.partner(core_.self, round); }
  /// The pieces of the members that number v of the core reaches from a round on, itself included, in order.
  region_list pieces(const locator& where, int v, int from_round) const {
    std::vector<int> reached{v};
    for (int round = core_.rounds; round-- > from_round;)
      for (std::size_t i = 0, known = reached.size(); i < known; ++i)
        reached.push_back(partners_.partner(reached[i], round));
    std::sort(reached.begin(), reached.end());
    region_list list;
    for (const int each : reached) {
      const int first = core_.member(each);
      join(list, where(first, first + (each < core_.pairs ? 2 : 1)));
    }
    return list;
  }

 private:
  const power_of_two_core& core_;
  swing_butterfly partners_;
};

/// The longest chain ends at a member that is paired up, if it can begin at one: all distances are added up, to the one
/// side from even numbers and to the other from odd ones.
constexpr std::int64_t bine_butterfly_rounds(std::int64_t n) {
  const std::int64_t rounds = floor_log2(n), core = std::int64_t{1} << rounds, pairs = n - core;
  std::int64_t farthest = 0, distance = 1;  // 1, 1, 3, 5, 11, ...
  for (std::int64_t round = 0; round < rounds; ++round) {
    farthest += distance;
    distance = 2 * distance + (round % 2 == 0 ? -1 : 1);
  }
  for (std::int64_t even = 0; even < pairs; even += 2)
    if ((even + farthest) % core < pairs) return rounds + 2;
  return rounds + (pairs > 0 ? 1 : 0);
}

/// Of so few members neighbours meet neighbours.
constexpr bool bine_sums_canonically(std::int64_t n, std::int64_t root) {
  return n < 8 && core_sums_canonically(n, root);
}

}  // namespace detail

/// log2 n rounds, n - 1 blocks sent; where n is no power of two up to two rounds more, and members that are paired up
/// send all n blocks first. Commutative operators only.
inline void bine_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const auto& [members, input, accumulator] = phase;
  const int n = members.size, me = members.self;
  if (n == 1) return out.copy(accumulator(0, 1), input(0, 1));
  const power_of_two_core core(members);
  if (!core.has_self()) {
    out.send(members.at(me - 1), input(0, n));
    return out.recv(members.at(me - 1), accumulator(me, me + 1));
  }
  if (core.absorbs) out.recv_reduce(members.at(me + 1), accumulator(0, n), input(0, n));
  const detail::bine_butterfly butterfly(core);
  for (int round = 0; round < core.rounds; ++round) {
    const int partner = butterfly.partner(round);
    const rank peer = members.at(core.member(partner));
    const locator& sums = round > 0 || core.absorbs ? accumulator : input;
    out.send(peer, butterfly.pieces(sums, partner, round + 1));
    out.recv_reduce(peer, butterfly.pieces(accumulator, core.self, round + 1),
                    butterfly.pieces(sums, core.self, round + 1), partner < core.self ? side::left : side::right);
  }
  if (core.absorbs) out.send(members.at(me + 1), accumulator(me + 1, me + 2));
}

/// The reduce-scatter backwards: members that are paired up receive n - 1 blocks last.
inline void bine_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), own);
  const power_of_two_core core(members);
  const auto all_but = [&, &where = output](int member) {
    region_list list = where(0, member);
    join(list, where(member + 1, n));
    return list;
  };
  if (!core.has_self()) {
    out.send(members.at(me - 1), output(me, me + 1));
    return out.recv(members.at(me - 1), all_but(me));
  }
  if (core.absorbs) out.recv(members.at(me + 1), output(me + 1, me + 2));
  const detail::bine_butterfly butterfly(core);
  for (int round = core.rounds; round-- > 0;) {
    const int partner = butterfly.partner(round);
    const rank peer = members.at(core.member(partner));
    out.send(peer, butterfly.pieces(output, core.self, round + 1));
    out.recv(peer, butterfly.pieces(output, partner, round + 1));
  }
  if (core.absorbs) out.send(members.at(me + 1), all_but(me + 1));
}

/// Recursive doubling over the same partners: each member sends all the data in every round, over shorter distances.
/// Commutative operators only.
inline void bine_doubling_all_reduce(const all_reduce_phase& phase, builder& out) {
  detail::doubling_all_reduce(phase, out, [](const power_of_two_core& core, int round) {
    return detail::swing_butterfly(core.size()).partner(core.self, round);
  });
}

}  // namespace hawser::algorithm
