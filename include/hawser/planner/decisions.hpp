// Decisions for ranges of sizes: what a planner would choose on a machine, and what a user pins for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/units.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/topology/fingerprint.hpp>

namespace hawser::planner {

/// What to use for one collective between two sizes, both included. Bytes as nccl-tests counts them
/// (`schedule::buffer_blocks`).
struct decision {
  schedule::collective what = schedule::collective::all_reduce;
  std::int64_t least_bytes = 0;
  std::int64_t most_bytes = 0;
  std::string algorithm{};
  std::int64_t segments = 1;
  seconds predicted{};    ///< at `least_bytes`; 0 in a file that does not say
  seconds lower_bound{};  ///< likewise
  friend bool operator==(const decision&, const decision&) = default;
};

/// The decisions for one machine, by collective and then by size. What lies in no range is left to the cost model.
struct decision_table {
  std::string source{};       ///< the file's name; empty: made by a planner
  std::string hierarchy{};    ///< in one line, for people
  std::string fingerprint{};  ///< of the hierarchy that they are for
  std::int64_t ranks = 1;
  std::vector<decision> decisions{};

  /// The decision for a size; null where there is none.
  const decision* find(schedule::collective what, std::int64_t bytes) const {
    const auto found = std::find_if(decisions.begin(), decisions.end(), [&](const decision& each) {
      return each.what == what && each.least_bytes <= bytes && bytes <= each.most_bytes;
    });
    return found == decisions.end() ? nullptr : &*found;
  }
};

/// What ranks compare to see that they hold the same decisions: 16 hexadecimal digits; "none" for no table. Names of
/// files and predictions do not count.
inline std::string digest(const decision_table* table) {
  if (table == nullptr) return "none";
  topology::detail::hasher hash;
  hash.add(std::string_view(table->fingerprint));
  for (const decision& each : table->decisions) {
    hash.add(static_cast<std::uint64_t>(each.what));
    hash.add(static_cast<std::uint64_t>(each.least_bytes));
    hash.add(static_cast<std::uint64_t>(each.most_bytes));
    hash.add(std::string_view(each.algorithm));
    hash.add(static_cast<std::uint64_t>(each.segments));
  }
  return topology::detail::hexadecimal(hash.value());
}

/// The bytes of a request over n ranks, as nccl-tests counts them.
inline std::int64_t bytes_of(const schedule::request& what, std::int64_t n) {
  return what.block_bytes() * schedule::buffer_blocks(what.what, n);
}

}  // namespace hawser::planner
