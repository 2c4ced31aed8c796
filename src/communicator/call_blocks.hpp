// The blocks of a call's buffers: their sizes and places.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include <hawser/communicator/call.hpp>
#include <hawser/executor/layout.hpp>
#include <hawser/schedule/request.hpp>

namespace hawser::detail {

inline std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

/// Where each block begins.
inline std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), std::int64_t{0});
  return offsets;
}

/// Elements per block that all ranks agree on; the mean where blocks differ.
std::int64_t agreed_count(const call& made, int ranks);

/// Whether ranks know more than their own counts.
constexpr bool are_counts_agreed(const call& made) noexcept {
  return !(made.what == schedule::collective::all_to_all_v || (made.is_ragged && schedule::has_root(made.what)));
}

/// A buffer's blocks, without an address: with counts of their own, all of one count, or, of a ragged call that has one
/// block there, all of its elements. The vectors must outlive it.
executor::block_layout layout_of(const std::vector<std::int64_t>& counts, const std::vector<std::int64_t>& offsets,
                                 bool is_ragged, std::int64_t elements, std::int64_t count, std::size_t element_bytes);

/// Elements of each scratch block of a ragged call, which is as large as a block of its buffers (`scratch_like`).
std::vector<std::int64_t> scratch_counts_of(const call& made, const std::vector<std::int64_t>& scratch_like);

}  // namespace hawser::detail
