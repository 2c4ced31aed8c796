// One rank's move, and one rank's ordered moves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/rank.hpp>
#include <hawser/schedule/interval.hpp>

namespace hawser::schedule {

/// What a step does; `source`, `target` and `other` are lists of regions.
enum class step_kind : std::uint8_t {
  send,         ///< source -> peer
  recv,         ///< peer -> target
  recv_reduce,  ///< target = source op incoming
  copy,         ///< target = source
  reduce,       ///< target = source op other
};

/// The enumerator's name.
constexpr std::string_view to_string(step_kind kind) noexcept {
  switch (kind) {
    case step_kind::send: return "send";
    case step_kind::recv: return "recv";
    case step_kind::recv_reduce: return "recv_reduce";
    case step_kind::copy: return "copy";
    case step_kind::reduce: return "reduce";
  }
  return "?";
}

/// On which side of the operator the incoming (or other) operand stands, so that non-commutative operators keep order.
enum class side : std::uint8_t { left, right };

/// A list of regions in the schedule's pool.
struct operand {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend constexpr bool operator==(const operand&, const operand&) = default;
};

/// One move of one rank; plain data, whose regions lie in the schedule's pool.
struct step {
  step_kind kind = step_kind::copy;
  side incoming = side::right;
  std::uint16_t channel = 0;
  std::uint16_t phase = 0;
  rank peer = -1;
  operand source{};
  operand target{};
  operand other{};

  bool sends() const noexcept { return kind == step_kind::send; }
  bool receives() const noexcept { return kind == step_kind::recv || kind == step_kind::recv_reduce; }
};

/// One rank's ordered steps. Messages between two ranks match in program order, per channel.
struct schedule {
  rank self;
  std::int64_t input_blocks = 1;
  std::int64_t output_blocks = 1;
  std::int64_t scratch_blocks = 0;
  /// Where blocks are ragged: the block of the caller's buffers that each scratch block is as large as.
  std::vector<std::int64_t> scratch_like{};
  std::vector<step> steps;
  std::vector<region> regions;           ///< pool that the steps' operands index
  std::vector<std::string> phase_names;  ///< for people: "reduce_scatter(direct) over gpu"

  /// The regions of an operand of one of its steps.
  std::span<const region> at(operand o) const { return std::span(regions).subspan(o.first, o.count); }

  /// Bytes of memory that the schedule itself takes.
  std::size_t memory_bytes() const noexcept {
    return sizeof *this + steps.capacity() * sizeof(step) + regions.capacity() * sizeof(region);
  }
};

}  // namespace hawser::schedule
