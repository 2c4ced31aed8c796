// hawser's tag in an MPI tag.
#pragma once

#include <bit>

#include <hawser/core/error.hpp>
#include <hawser/mpi/transport.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::mpi {

/// Folding modulo 2^n is safe because equal MPI tags match in the order of posting on both sides: it would take two
/// transfers with different tags and the same fold to be posted in different orders. A rank posts operation
/// k + 2^operation_bits (segment s + 2^segment_bits) only when all of its transfers of k (of s) are complete, hence
/// posted; so on every rank the earlier one of two equal folds is posted first.
class tag_layout {
 public:
  /// From MPI_TAG_UB. Throws errc::unsupported where the least widths do not fit.
  explicit tag_layout(int upper_bound) {
    constexpr unsigned folded = context_bits + operation_bits + segment_bits;
    // All values of so many bits are at most the bound.
    const auto usable = static_cast<unsigned>(std::bit_width(static_cast<unsigned>(upper_bound) + 1U)) - 1U;
    if (usable < folded + least_channel_bits)
      fail(errc::unsupported, "MPI's tags are too small for hawser", "MPI_TAG_UB is " + std::to_string(upper_bound),
           "use another transport");
    channel_bits_ = usable - folded;
  }

  bool fits(transport::tag match) const noexcept { return match.channel < 1U << channel_bits_; }

  int fold(transport::tag match) const noexcept {
    constexpr auto low = [](unsigned value, unsigned bits) { return value & ((1U << bits) - 1); };
    unsigned folded = low(match.context, context_bits);
    folded = folded << operation_bits | low(match.operation, operation_bits);
    folded = folded << segment_bits | low(match.segment, segment_bits);
    return static_cast<int>(folded << channel_bits_ | match.channel);
  }

 private:
  unsigned channel_bits_ = 0;
};

}  // namespace hawser::mpi
