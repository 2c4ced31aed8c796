// Walking lists of contiguous pieces of memory side by side.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include <hawser/executor/layout.hpp>

namespace hawser::executor {

/// Their bytes together.
inline std::size_t total_bytes(std::span<const run> runs) {
  std::size_t total = 0;
  for (const run& each : runs) total += each.bytes;
  return total;
}

/// Calls f(a, b, bytes) for the longest pieces that are contiguous in both lists, which have equal totals.
template <class F>
void for_each_pair(std::span<const run> a, std::span<const run> b, F&& f) {
  std::size_t i = 0, j = 0, in_a = 0, in_b = 0;
  while (i < a.size() && j < b.size()) {
    const std::size_t bytes = std::min(a[i].bytes - in_a, b[j].bytes - in_b);
    f(a[i].data + in_a, b[j].data + in_b, bytes);
    if ((in_a += bytes) == a[i].bytes) ++i, in_a = 0;
    if ((in_b += bytes) == b[j].bytes) ++j, in_b = 0;
  }
}

/// Calls f(a, b, c, bytes) for the longest pieces that are contiguous in all three lists, which have equal totals.
template <class F>
void for_each_triple(std::span<const run> a, std::span<const run> b, std::span<const run> c, F&& f) {
  std::size_t k = 0, in_c = 0;
  for_each_pair(a, b, [&](std::byte* at_a, std::byte* at_b, std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t part = std::min(bytes, c[k].bytes - in_c);
      f(at_a, at_b, c[k].data + in_c, part);
      at_a += part, at_b += part, bytes -= part;
      if ((in_c += part) == c[k].bytes) ++k, in_c = 0;
    }
  });
}

/// Copies a list to one contiguous buffer.
inline void gather_runs(std::span<const run> from, std::byte* to) {
  for (const run& each : from) {
    std::memcpy(to, each.data, each.bytes);
    to += each.bytes;
  }
}

/// Copies one contiguous buffer to a list.
inline void scatter_runs(const std::byte* from, std::span<const run> to) {
  for (const run& each : to) {
    std::memcpy(each.data, from, each.bytes);
    from += each.bytes;
  }
}

}  // namespace hawser::executor
