// The one association of sums in mode canonical: a binary tree over rank numbers that knows nothing of machines,
// messages or algorithms (docs/decisions/0010).
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace hawser::schedule {

/// Summands in the left half of a canonical sum of n > 1: the largest power of two below n. So aligned ranges of a
/// power of two of ranks are sums of their own, whatever follows them.
constexpr std::int64_t canonical_split(std::int64_t n) noexcept {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n - 1)));
}

/// Whether the canonical sum of n ranks adds the sum of [middle, last) to that of [first, middle) anywhere.
constexpr bool is_canonical_sum(std::int64_t n, std::int64_t first, std::int64_t middle, std::int64_t last) noexcept {
  std::int64_t low = 0, high = n;
  while (high - low > 1) {
    const std::int64_t split = low + canonical_split(high - low);
    if (first == low && last == high) return middle == split;
    if (last <= split)
      high = split;
    else if (first >= split)
      low = split;
    else
      return false;
  }
  return false;
}

/// Whether the canonical sum over groups of neighbouring ranks, each summed canonically, is the canonical sum over the
/// ranks. `sizes`: ranks per group, in the order of the ranks; at least one.
inline bool groups_sum_canonically(std::span<const std::int64_t> sizes) {
  if (sizes.size() == 1) return true;
  const auto split = static_cast<std::size_t>(canonical_split(static_cast<std::int64_t>(sizes.size())));
  std::int64_t left = 0, all = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    all += sizes[i];
    if (i + 1 == split) left = all;
  }
  return left == canonical_split(all) && groups_sum_canonically(sizes.first(split)) &&
         groups_sum_canonically(sizes.subspan(split));
}

}  // namespace hawser::schedule
