// What the caller asks for, in agreed values only: every rank of a communicator holds the same request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/data_type.hpp>
#include <hawser/core/error.hpp>
#include <hawser/core/rank.hpp>
#include <hawser/core/reduce_op.hpp>

namespace hawser::schedule {

/// The collectives that are planned, as MPI defines them.
enum class collective : std::uint8_t {
  all_reduce,
  reduce_scatter,
  all_gather,
  all_to_all,
  all_to_all_v,
  broadcast,
  reduce,
  gather,
  scatter,
  barrier,
};

inline constexpr collective all_collectives[] = {
    collective::all_reduce,   collective::reduce_scatter, collective::all_gather, collective::all_to_all,
    collective::all_to_all_v, collective::broadcast,      collective::reduce,     collective::gather,
    collective::scatter,      collective::barrier};

/// "all_reduce" and the like, as the command line and JSON have it.
constexpr std::string_view to_string(collective what) noexcept {
  switch (what) {
    case collective::all_reduce: return "all_reduce";
    case collective::reduce_scatter: return "reduce_scatter";
    case collective::all_gather: return "all_gather";
    case collective::all_to_all: return "all_to_all";
    case collective::all_to_all_v: return "all_to_all_v";
    case collective::broadcast: return "broadcast";
    case collective::reduce: return "reduce";
    case collective::gather: return "gather";
    case collective::scatter: return "scatter";
    case collective::barrier: return "barrier";
  }
  return "?";
}

/// Reads a collective's name. Throws errc::not_found that lists the names.
inline collective parse_collective(std::string_view name) {
  std::string known;
  for (collective each : all_collectives) {
    if (to_string(each) == name) return each;
    known.append(known.empty() ? "" : ", ").append(to_string(each));
  }
  fail(errc::not_found, "unknown collective \"" + std::string(name) + "\"", {}, "use one of " + known);
}

/// Whether it applies an operator; whether one rank has a part of its own.
constexpr bool reduces(collective what) noexcept {
  return what == collective::all_reduce || what == collective::reduce_scatter || what == collective::reduce;
}
constexpr bool has_root(collective what) noexcept {
  return what == collective::broadcast || what == collective::reduce || what == collective::gather ||
         what == collective::scatter;
}

/// How reproducible a result must be.
enum class mode : std::uint8_t {
  fast,        ///< any order of reduction that the plan fixes
  run_to_run,  ///< the same bits on every run of the same plan: no sums in order of arrival
};

/// "fast" or "run_to_run".
constexpr std::string_view to_string(mode m) noexcept {
  return m == mode::fast ? "fast" : "run_to_run";
}

/// One collective call, as the planner sees it.
struct request {
  collective what = collective::all_reduce;
  std::int64_t count = 0;  ///< elements per block: the vector of an all-reduce, each rank's block of an all-to-all; the
                           ///< mean block where the sizes differ
  data_type type = data_type::float32;
  std::size_t element_bytes = 4;
  reduce_kind op = reduce_kind::sum;
  bool is_commutative = true;
  rank root = 0;
  bool in_place = false;
  bool has_ragged_blocks = false;  ///< the v-collectives: block sizes are run-time data beside the schedule
  bool are_counts_agreed = true;   ///< false where each rank knows only its own block sizes
  mode reproducibility = mode::fast;
  std::string algorithm{};  ///< forced algorithm, empty: the planner chooses

  /// Bytes of one block.
  std::int64_t block_bytes() const { return count * static_cast<std::int64_t>(element_bytes); }
};

/// Blocks of the input buffer for n ranks.
constexpr std::int64_t input_blocks(collective what, std::int64_t n) noexcept {
  switch (what) {
    case collective::reduce_scatter:
    case collective::all_to_all:
    case collective::all_to_all_v:
    case collective::scatter: return n;
    default: return 1;
  }
}

/// Blocks of the output buffer for n ranks.
constexpr std::int64_t output_blocks(collective what, std::int64_t n) noexcept {
  switch (what) {
    case collective::all_gather:
    case collective::all_to_all:
    case collective::all_to_all_v:
    case collective::gather: return n;
    default: return 1;
  }
}

/// Blocks of the larger of a rank's two buffers, by which sizes are counted for people (as nccl-tests does).
constexpr std::int64_t buffer_blocks(collective what, std::int64_t n) noexcept {
  const std::int64_t input = input_blocks(what, n), output = output_blocks(what, n);
  return input > output ? input : output;
}

}  // namespace hawser::schedule
