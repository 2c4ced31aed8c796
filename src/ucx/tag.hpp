// hawser's tag and the source rank in the 64 bits of a UCX tag.
#pragma once

#include <cstdint>

#include <hawser/core/rank.hpp>
#include <hawser/transport/transport.hpp>
#include <hawser/ucx/transport.hpp>

namespace hawser::ucx {

static_assert(rank_bits + context_bits + operation_bits + segment_bits + channel_bits == 64);

/// Folding modulo 2^n is safe because equal UCX tags match in the order of posting on both sides: it would take two
/// transfers with different tags and the same fold to be posted in different orders. A rank posts operation
/// k + 2^operation_bits (segment s + 2^segment_bits) only when all of its transfers of k (of s) are complete, hence
/// posted; so on every rank the earlier one of two equal folds is posted first.
constexpr std::uint64_t fold(rank source, transport::tag match) noexcept {
  constexpr auto low = [](std::uint64_t value, unsigned bits) { return value & ((std::uint64_t{1} << bits) - 1); };
  std::uint64_t folded = low(static_cast<std::uint64_t>(source.value), rank_bits);
  folded = folded << context_bits | low(match.context, context_bits);
  folded = folded << operation_bits | low(match.operation, operation_bits);
  folded = folded << segment_bits | low(match.segment, segment_bits);
  return folded << channel_bits | low(match.channel, channel_bits);
}

}  // namespace hawser::ucx
