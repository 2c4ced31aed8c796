// The exact verifier: whether the programs of all ranks do what the request asks, whatever the timing.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <hawser/schedule/verify_order.hpp>
#include <hawser/schedule/verify_race.hpp>

namespace hawser::schedule {

/// How strictly, and how much to report.
struct verify_options {
  bool check_order = false;         ///< reductions must keep rank order, as non-commutative operators need
  bool check_canonical = false;     ///< every sum must be one of the canonical tree (canonical_tree.hpp), in order
  std::int64_t switches = 0;        ///< that reduce: participants beside the ranks, numbered from `ranks` on
  std::size_t max_violations = 16;  ///< stop after so many
};

/// Checks the programs of all ranks, and of switches that reduce, as an executor would run them, against the request:
/// every output block holds each contribution exactly once (a barrier's token at least once) and in order where asked;
/// no deadlock with synchronous sends, no race under the programs' dependences, buffers within bounds, message ends of
/// one size. Nothing found is returned as an empty list. Exact; O(ranks * (blocks * pieces + steps)) memory, so for
/// some hundred ranks. Throws errc::unsupported where that is too much. See docs/verifier.md.
inline std::vector<violation> verify(const request& what, std::int64_t ranks,
                                     const std::function<program(rank)>& program_of,
                                     const verify_options& options = {}) {
  violation_list found(options.max_violations);
  std::vector<program> programs;
  programs.reserve(static_cast<std::size_t>(ranks + options.switches));
  for (std::int32_t r = 0; r < ranks + options.switches; ++r) {
    programs.push_back(program_of(r));
    detail::bounds_check(what, ranks, ranks + options.switches, programs.back(), found).run(r);
  }
  if (!found.is_empty()) return std::move(found).take();  // what is malformed is not looked at further

  const detail::machine all(programs);
  const detail::matching messages = detail::matcher(all, found).run();
  for (std::size_t r = 0; r < all.ranks(); ++r) detail::race_check(all.at(r), all.cuts(), found).run();
  if (!found.is_full() && !found.has(violation_kind::size_mismatch) && !found.has(violation_kind::misaligned_move)) {
    detail::memory data(all, ranks, what, options.check_order, options.check_canonical, found);
    detail::simulated_run(all, messages, data, found).run();
  }
  return std::move(found).take();
}

}  // namespace hawser::schedule
