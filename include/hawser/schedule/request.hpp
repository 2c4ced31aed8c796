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

/// How reproducible a result must be, each more than the one before (docs/modes.md).
enum class mode : std::uint8_t {
  fast,             ///< any order of reduction that the plan fixes
  run_to_run,       ///< the same bits on every run of the same plan: no sums in order of arrival
  canonical,        ///< the same bits by every plan for the same ranks: one association of sums
  order_invariant,  ///< the same bits for every order of the contributions: sums in integers
};

inline constexpr mode all_modes[] = {mode::fast, mode::run_to_run, mode::canonical, mode::order_invariant};

/// "fast" and the like, as the command line and JSON have it.
constexpr std::string_view to_string(mode m) noexcept {
  switch (m) {
    case mode::fast: return "fast";
    case mode::run_to_run: return "run_to_run";
    case mode::canonical: return "canonical";
    case mode::order_invariant: return "order_invariant";
  }
  return "?";
}

/// Reads a mode's name. Throws errc::not_found that lists the names.
inline mode parse_mode(std::string_view name) {
  std::string known;
  for (mode each : all_modes) {
    if (to_string(each) == name) return each;
    known.append(known.empty() ? "" : ", ").append(to_string(each));
  }
  fail(errc::not_found, "unknown mode \"" + std::string(name) + "\"", {}, "use one of " + known);
}

/// Whether the bits of a reduction depend on the order in which it is done: rounding does, and what a user's operator
/// does is not known. Integers, min, max, bits and logic do not.
constexpr bool depends_on_order(data_type type, reduce_kind op) noexcept {
  if (op == reduce_kind::user || type == data_type::user) return true;
  const bool adds =
      op == reduce_kind::sum || op == reduce_kind::prod || op == reduce_kind::avg || op == reduce_kind::premul_sum;
  return adds && is_floating(type);
}

/// Whether mode order_invariant can serve a reduction. Where rounding plays no part every mode is order-invariant.
constexpr bool is_order_invariant(data_type type, reduce_kind op) noexcept {
  if (!depends_on_order(type, op)) return true;
  const bool has_integer_sums = type == data_type::float32 || type == data_type::float16 || type == data_type::bfloat16;
  return has_integer_sums && op != reduce_kind::prod && op != reduce_kind::user;
}

/// Bytes per element of the integers that travel in mode order_invariant instead of floats (core/integer_sum.hpp), and
/// of the scales that are agreed on before.
inline constexpr std::size_t integer_sum_bytes = sizeof(std::int64_t);
inline constexpr std::size_t integer_scale_bytes = 1;

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

  /// Whether only schedules that associate sums canonically may serve.
  bool needs_canonical_sums() const {
    return reproducibility == mode::canonical && reduces(what) && depends_on_order(type, op);
  }
  /// Whether floats are summed as integers; `element_bytes` is then `integer_sum_bytes`, `type` the floats'.
  bool needs_integer_sums() const {
    return reproducibility == mode::order_invariant && reduces(what) && depends_on_order(type, op);
  }
  /// Whether ranks' contributions must meet in the order of the ranks.
  bool needs_order() const { return reduces(what) && (!is_commutative || needs_canonical_sums()); }

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

/// The all-reduce by which ranks agree on the scales of integer sums before a reduction in mode order_invariant.
inline request scales_of(const request& what, std::int64_t n) {
  request scales;
  scales.what = collective::all_reduce;
  scales.count = what.count * input_blocks(what.what, n);
  scales.type = data_type::uint8;
  scales.element_bytes = integer_scale_bytes;
  scales.op = reduce_kind::max;
  return scales;
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
