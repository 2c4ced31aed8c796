// Bruck's all-to-all: ceil(log2 n) rounds for every n, each carrying about half of the blocks; for small messages.
// Bruck, Ho, Kipnis, Upfal, Weathersby: Efficient algorithms for all-to-all communications (IEEE TPDS 1997).
#pragma once

#include <vector>

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// Round k moves by 2^k places every block that has bit k in the distance it travels. Input and output are disjoint,
/// pieces are whole blocks, and every block is written once: the first hop starts in the input, the last ends in the
/// output, those between lie in scratch of their own. So a pass over the blocks' sizes can run the same schedule first.
inline void bruck_all_to_all(const all_to_all_phase& phase, builder& out) {
  const auto& [members, input, output] = phase;
  const int n = members.size, me = members.self;
  out.copy(output(me, me + 1), input(me, me + 1));
  std::vector<region_list> waiting(static_cast<std::size_t>(n));  // by distance: where blocks that moved before lie
  for (int hop = 1; hop < n; hop *= 2) {
    region_list sent, received;
    for (int distance = hop; distance < n; ++distance) {
      if ((distance & hop) == 0) continue;
      region_list& between = waiting[static_cast<std::size_t>(distance)];
      const int to = (me + distance) % n, from = (me + n - distance) % n;
      join(sent, between.empty() ? input(to, to + 1) : between);
      if (distance < 2 * hop) {
        join(received, output(from, from + 1));
        continue;
      }
      const region_list piece = output(from, from + 1);
      between = moved(piece, buffer::scratch, out.reserve_scratch(piece_blocks(piece)));
      join(received, between);
    }
    out.send(members.at((me + hop) % n), sent);
    out.recv(members.at((me + n - hop) % n), received);
  }
}

}  // namespace hawser::algorithm
