// Reduce-scatter and all-gather on a circulant graph: ceil(log2 n) rounds and (n - 1)/n of the data, for every n.
// Traeff: Optimal, non-pipelined reduce-scatter and allreduce algorithms (arXiv:2410.14234, 2024).
#pragma once

#include <algorithm>
#include <vector>

#include <hawser/algorithm/flat.hpp>

namespace hawser::algorithm {

namespace detail {

/// n, ceil(n/2), ceil(n/4), ..., 1: how many pieces a member still holds before each round of the reduce-scatter.
inline std::vector<int> circulant_skips(int n) {
  std::vector<int> skips{n};
  while (skips.back() > 1) skips.push_back((skips.back() + 1) / 2);
  return skips;
}

}  // namespace detail

/// Member r holds the pieces r, r + 1, ... of which each round sends the farther half. Commutative operators only.
inline void circulant_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const group& members = phase.members;
  const locator &input = phase.input, &accumulator = phase.accumulator;
  const int n = members.size, me = members.self;
  if (n == 1) return out.copy(accumulator(0, 1), input(0, 1));
  const std::vector<int> skips = detail::circulant_skips(n);
  int summed = 0;  // pieces me, me + 1, ... that have a partial sum in the accumulator
  const auto values = [&](int first, int last) {
    const int split = std::clamp(summed, first, last);
    region_list list;
    if (split > first) list = wrapped(accumulator, me + first, split - first, n);
    if (last > split)
      for (const region& each : wrapped(input, me + split, last - split, n)) list.push_back(each);
    return list;
  };
  for (std::size_t round = 0; round + 1 < skips.size(); ++round) {
    const int skip = skips[round + 1], sent = skips[round] - skip;
    out.send(members.at((me + skip) % n), values(skip, skip + sent));
    out.recv_reduce(members.at((me + n - skip) % n), wrapped(accumulator, me, sent, n), values(0, sent));
    summed = std::max(summed, sent);
  }
}

/// The reduce-scatter backwards.
inline void circulant_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const int n = members.size, me = members.self;
  const std::vector<int> skips = detail::circulant_skips(n);
  out.copy(output(me, me + 1), own);
  for (std::size_t round = skips.size(); round-- > 1;) {
    const int skip = skips[round], sent = skips[round - 1] - skip;
    out.send(members.at((me + n - skip) % n), skip == 1 ? own : wrapped(output, me, sent, n));
    out.recv(members.at((me + skip) % n), wrapped(output, me + skip, sent, n));
  }
}

}  // namespace hawser::algorithm
