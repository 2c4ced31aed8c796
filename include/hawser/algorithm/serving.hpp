// Who carries what between two groups of different sizes: member r of g owns [r/g, (r + 1)/g) of what crosses, member
// c of G receives [c/G, (c + 1)/G) of it.
#pragma once

#include <algorithm>
#include <cstdint>

#include <hawser/schedule/interval.hpp>

namespace hawser::algorithm {

/// How the data for a group of G is shared out among the g members that carry it there.
struct serving {
  /// Never cut a block between two carriers, as block sizes that only their owners know demand.
  bool whole_blocks = false;

  /// Calls f(member c of G, part of c's data) for what member r of g carries, c ascending.
  template <class F>
  void each_served(std::int64_t r, std::int64_t g, std::int64_t G, F&& f) const {
    const std::int64_t first = whole_blocks ? (r * G + g - 1) / g : r * G / g, last = ((r + 1) * G + g - 1) / g;
    for (std::int64_t c = first; c < last; ++c) f(c, part(r, g, c, G));
  }
  /// Calls f(member r of g, part of c's data) for those who carry what belongs to member c of G, r ascending.
  template <class F>
  void each_carrier(std::int64_t c, std::int64_t G, std::int64_t g, F&& f) const {
    const std::int64_t first = c * g / G, last = whole_blocks ? first + 1 : ((c + 1) * g + G - 1) / G;
    for (std::int64_t r = first; r < last; ++r) f(r, part(r, g, c, G));
  }

 private:
  /// The overlap of [r/g, (r + 1)/g) with [c/G, (c + 1)/G), relative to the latter.
  schedule::interval part(std::int64_t r, std::int64_t g, std::int64_t c, std::int64_t G) const {
    if (whole_blocks) return {0, 1};
    const std::int64_t low = std::max(r * G, c * g), high = std::min((r + 1) * G, (c + 1) * g);
    return {ratio(low - c * g, g), ratio(high - c * g, g)};
  }
  static schedule::fraction ratio(std::int64_t num, std::int64_t den) {
    return {static_cast<std::uint64_t>(num), static_cast<std::uint64_t>(den)};
  }
};

}  // namespace hawser::algorithm
