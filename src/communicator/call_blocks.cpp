// See call_blocks.hpp.
#include "call_blocks.hpp"

#include <algorithm>

namespace hawser::detail {

using schedule::collective;

std::int64_t agreed_count(const call& made, int ranks) {
  if (made.what == collective::all_to_all_v ||
      (made.is_ragged && (made.what == collective::gather || made.what == collective::scatter)))
    return std::max<std::int64_t>(1, made.options.typical_block_bytes / static_cast<std::int64_t>(made.element_bytes));
  if (made.is_ragged) {
    const auto& counts = made.what == collective::reduce_scatter ? made.input_counts : made.output_counts;
    return (sum(counts) + ranks - 1) / ranks;
  }
  switch (made.what) {
    case collective::reduce_scatter:
    case collective::scatter: return made.output_elements;
    case collective::all_to_all: return made.input_elements / ranks;
    default: return made.input_elements;
  }
}

executor::block_layout layout_of(const std::vector<std::int64_t>& counts, const std::vector<std::int64_t>& offsets,
                                 bool is_ragged, std::int64_t elements, std::int64_t count, std::size_t element_bytes) {
  if (is_ragged && !counts.empty()) return executor::block_layout::ragged(nullptr, counts, offsets, element_bytes);
  return executor::block_layout::uniform(nullptr, is_ragged ? elements : count, element_bytes);
}

std::vector<std::int64_t> scratch_counts_of(const call& made, const std::vector<std::int64_t>& scratch_like) {
  std::vector<std::int64_t> counts;
  counts.reserve(scratch_like.size());
  const bool is_like_input = made.what == collective::reduce_scatter || made.what == collective::all_to_all_v;
  for (const std::int64_t like : scratch_like)
    counts.push_back((is_like_input ? made.input_counts : made.output_counts)[static_cast<std::size_t>(like)]);
  return counts;
}

}  // namespace hawser::detail
