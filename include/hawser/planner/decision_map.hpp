// The planner's choice over collectives and sizes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <hawser/planner/decisions.hpp>
#include <hawser/planner/planner.hpp>

namespace hawser::planner {

/// Sizes from `least` up to `most`, each twice the one before. Throws errc::invalid_argument where there is none.
inline std::vector<std::int64_t> doubling_sizes(std::int64_t least, std::int64_t most) {
  if (least < 1 || least > most)
    fail(errc::invalid_argument,
         "there is no size from " + std::to_string(least) + " to " + std::to_string(most) + " B",
         "the smallest must be at least 1 and no larger than the largest");
  std::vector<std::int64_t> sizes{least};
  while (sizes.back() <= most / 2) sizes.push_back(2 * sizes.back());
  return sizes;
}

/// Decides each collective at each size (ascending, bytes as `bytes_of` counts them), for float32 and rank 0 as root. A
/// decision holds up to the next size; the last up to `sizes.back()` itself. Sizes below one element per block, and
/// sizes of a barrier beyond the first, are left out, and so is what no algorithm can serve on this machine.
inline decision_table decide(const planner& chooser, std::span<const schedule::collective> collectives,
                             std::span<const std::int64_t> sizes) {
  const std::int64_t n = chooser.tree().size();
  decision_table table{
      .hierarchy = topology::describe(chooser.tree()), .fingerprint = chooser.fingerprint(), .ranks = n};
  for (const schedule::collective what : collectives) {
    schedule::request asked{.what = what};
    asked.has_ragged_blocks = what == schedule::collective::all_to_all_v;
    asked.are_counts_agreed = !asked.has_ragged_blocks;
    const bool is_barrier = what == schedule::collective::barrier;
    for (std::size_t i = 0; i < (is_barrier ? 1 : sizes.size()); ++i) {
      asked.count = is_barrier ? 0 : sizes[i] / 4 / schedule::buffer_blocks(what, n);
      if (asked.count == 0 && !is_barrier) continue;
      const std::int64_t most = i + 1 < sizes.size() ? sizes[i + 1] - 1 : sizes[i];
      try {
        const schedule::plan made = chooser.make_plan(asked);
        table.decisions.push_back({what, is_barrier ? 0 : sizes[i], is_barrier ? 0 : most, made.algorithm,
                                   made.segments, made.predicted, made.lower_bound});
      } catch (const error& refused) {
        if (refused.code() != errc::unsupported) throw;
        break;
      }
    }
  }
  return table;
}

}  // namespace hawser::planner
