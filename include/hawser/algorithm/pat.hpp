// PAT, parallel aggregated trees (NCCL 2.23): a reversed Bruck for every n; the large messages travel short distances.
// Jeaugey: PAT: a new algorithm for all-gather and reduce-scatter operations at scale (arXiv:2506.20252, 2025).
#pragma once

#include <hawser/algorithm/flat.hpp>

namespace hawser::algorithm {

namespace detail {

/// Calls f(offset) for the offsets of the pieces that move by `distance`: from member r + offset + distance (mod n) to
/// r + offset in the reduce-scatter of piece r. Descending, so that the pieces' numbers ascend.
template <class F>
void each_pat_offset(int n, int distance, F&& f) {
  for (int offset = (n - distance - 1) / (2 * distance) * 2 * distance; offset >= 0; offset -= 2 * distance) f(offset);
}

}  // namespace detail

/// ceil(log2 n) rounds at distances 1, 2, 4, ...; each member sends (n - 1)/n. Commutative operators only.
inline void pat_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const group& members = phase.members;
  const locator &input = phase.input, &accumulator = phase.accumulator;
  const int n = members.size, me = members.self;
  if (n == 1) return out.copy(accumulator(0, 1), input(0, 1));
  for (int distance = 1; distance < n; distance *= 2) {
    region_list sent, summed, target;
    detail::each_pat_offset(n, distance, [&](int offset) {
      const int piece = (me + n - offset) % n, away = (piece + n - distance) % n;
      // The first round gives every even offset a sum, except the last one where it has no partner.
      const bool has_sum = distance > 1 && offset + distance + 1 < n;
      join(sent, has_sum ? accumulator(away, away + 1) : input(away, away + 1));
      if (distance == 1) join(summed, input(piece, piece + 1));
      join(target, accumulator(piece, piece + 1));
    });
    out.send(members.at((me + n - distance) % n), sent);
    out.recv_reduce(members.at((me + distance) % n), target, distance == 1 ? summed : target);
  }
}

/// The reduce-scatter backwards: distances ..., 4, 2, 1.
inline void pat_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), own);
  for (int distance = 1 << detail::ceil_log2(n) >> 1; distance >= 1; distance /= 2) {
    region_list sent, received;
    detail::each_pat_offset(n, distance, [&](int offset) {
      const int piece = (me + n - offset) % n, away = (piece + n - distance) % n;
      join(sent, offset == 0 ? phase.own : phase.output(piece, piece + 1));
      join(received, phase.output(away, away + 1));
    });
    out.send(members.at((me + distance) % n), sent);
    out.recv(members.at((me + n - distance) % n), received);
  }
}

}  // namespace hawser::algorithm
