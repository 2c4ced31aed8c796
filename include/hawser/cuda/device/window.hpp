// The memory that every rank of a group lends to all others: flags, low-latency lines, staging. Plain offsets.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/block.hpp>

namespace hawser::cuda::device {

/// Ranks of one NVLink domain: GB200 NVL72 has the most.
inline constexpr int max_ranks = 72;

/// What a window is made for; the same on all ranks of a group.
struct window_shape {
  std::int32_t ranks = 1;
  std::int32_t ctas = 32;                      ///< most CTAs of a call
  std::uint64_t low_latency_bytes = 64 << 10;  ///< most payload of a low-latency call, a multiple of 8
  std::uint64_t staging_bytes = 8 << 20;       ///< most payload that is staged at a time, a multiple of 128
};

/// What rank r tells rank s about an all-to-all-v: where in r's output s's block begins, and how long it is; in bytes.
struct block_notice {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Byte offsets inside a window. Staging and lines exist twice, for calls of even and odd number: a rank that knows
/// that all peers have begun call n - 1 knows that they have ended call n - 2, and so that its half is free for call n.
struct window_layout {
  window_shape shape{};

  static constexpr std::uint64_t line = 128;  ///< what is written by different ranks or CTAs is not in one cache line

  /// To whole lines.
  static constexpr std::uint64_t rounded(std::uint64_t bytes) { return (bytes + line - 1) / line * line; }

  /// One word: 0, or why and for whom the group's calls have failed (`fault`).
  constexpr std::uint64_t abort_word() const { return 0; }
  /// The number of the last call that this CTA has ended. Every call counts for all CTAs, launched or not.
  constexpr std::uint64_t sequence(int cta) const { return line * (1 + static_cast<std::uint64_t>(cta)); }
  /// The last epoch at which CTA `cta` of `from` has arrived.
  constexpr std::uint64_t flag(int cta, int from) const {
    return sequence(shape.ctas) + rounded(4 * ranks()) * static_cast<std::uint64_t>(cta) +
           4 * static_cast<std::uint64_t>(from);
  }
  /// `block_notice` that CTA `cta` of rank `from` wrote.
  constexpr std::uint64_t notice(int cta, int from) const {
    return flag(shape.ctas, 0) +
           (ranks() * static_cast<std::uint64_t>(cta) + static_cast<std::uint64_t>(from)) * sizeof(block_notice);
  }
  /// The lines that rank `from` sends in calls of this parity; 16 bytes for 8 of payload.
  constexpr std::uint64_t lines(unsigned parity, int from) const {
    return rounded(notice(shape.ctas, 0)) +
           2 * shape.low_latency_bytes * (parity * ranks() + static_cast<std::uint64_t>(from));
  }
  /// The staged payload of calls of this parity.
  constexpr std::uint64_t staging(unsigned parity) const { return lines(2, 0) + shape.staging_bytes * parity; }
  /// Of the whole window.
  constexpr std::uint64_t bytes() const { return staging(2); }

 private:
  constexpr std::uint64_t ranks() const { return static_cast<std::uint64_t>(shape.ranks); }
};

}  // namespace hawser::cuda::device
