// Ring all-reduce over two rings at once, one each way round: both directions of every link to a neighbour carry half.
// Patarasuk, Yuan (JPDC 2009), striped as NCCL's and MSCCL's rings are: each ring has an interval and a channel.
#pragma once

#include <cstdint>

#include <hawser/algorithm/flat.hpp>
#include <hawser/algorithm/ring.hpp>

namespace hawser::algorithm {

/// Rings that share no link in the same direction: along the members, and backwards.
inline constexpr int rings_of_multi_ring = 2;

/// 2(n - 1) rounds; each member sends 2(n - 1)/n of the data, half of it to either neighbour. The order of reduction
/// rotates: commutative operators only.
inline void multi_ring_all_reduce(const all_reduce_phase& phase, builder& out) {
  const int n = phase.members.size;
  const group backwards{n, n - 1 - phase.members.self, [n, at = phase.members.at](int i) { return at(n - 1 - i); }};
  for (int ring = 0; ring < rings_of_multi_ring; ++ring) {
    out.use_channel(static_cast<std::uint16_t>(ring));
    const group& members = ring == 0 ? phase.members : backwards;
    reduce_scatter_all_gather<ring_reduce_scatter, ring_all_gather>(
        {members, phase.whole.part(ring, rings_of_multi_ring), phase.input}, out);
  }
  out.use_channel(0);
}

}  // namespace hawser::algorithm
