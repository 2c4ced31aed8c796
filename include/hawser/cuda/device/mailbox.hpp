// Where messages between two ranks of a group pass: slots in the receiver's window, and how far both sides have come.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/window.hpp>

namespace hawser::cuda::device {

/// What the mailboxes of a group are made for; the same on all ranks.
struct mailbox_shape {
  std::int32_t ranks = 1;
  std::int32_t shares = 8;                     ///< parts that a message is cut into at most, each with slots of its own
  std::uint32_t slots = 2;                     ///< per sender and share
  std::uint64_t slot_bytes = 256 << 10;        ///< a multiple of 128
  std::uint64_t least_share_bytes = 64 << 10;  ///< shorter messages have fewer shares
};

/// Parts of a message: both of its ends know them from its size alone.
constexpr std::int32_t shares_of(const mailbox_shape& shape, std::uint64_t bytes) {
  const std::uint64_t most = (bytes + shape.least_share_bytes - 1) / shape.least_share_bytes;
  return most < 1                                          ? 1
         : most < static_cast<std::uint64_t>(shape.shares) ? static_cast<std::int32_t>(most)
                                                           : shape.shares;
}

/// Byte offsets inside a window. The first word is the group's abort word, as in `window_layout`. Whatever one rank
/// writes has lines of its own.
struct mailbox_layout {
  mailbox_shape shape{};

  /// Pieces that this rank has pushed to `peer`, and taken from it, over all calls: for itself alone.
  constexpr std::uint64_t sent(int peer, int share) const { return line_of(0, peer, share); }
  constexpr std::uint64_t taken(int peer, int share) const { return line_of(1, peer, share); }
  /// Pieces that `peer` has pushed to this rank: written by `peer`.
  constexpr std::uint64_t filled(int peer, int share) const { return line_of(2, peer, share); }
  /// Pieces of this rank's that `peer` has taken: written by `peer`.
  constexpr std::uint64_t drained(int peer, int share) const { return line_of(3, peer, share); }
  /// Where piece number `piece` from `peer` lies.
  constexpr std::uint64_t slot(int peer, int share, std::uint32_t piece) const {
    return line_of(4, 0, 0) +
           shape.slot_bytes * (shape.slots * index_of(peer, share) + static_cast<std::uint64_t>(piece % shape.slots));
  }
  /// Of the whole window.
  constexpr std::uint64_t bytes() const { return slot(shape.ranks, 0, 0); }

 private:
  constexpr std::uint64_t index_of(int peer, int share) const {
    return static_cast<std::uint64_t>(peer) * static_cast<std::uint64_t>(shape.shares) +
           static_cast<std::uint64_t>(share);
  }
  constexpr std::uint64_t line_of(int kind, int peer, int share) const {
    return window_layout::line *
           (1 + static_cast<std::uint64_t>(kind) * index_of(shape.ranks, 0) + index_of(peer, share));
  }
};

}  // namespace hawser::cuda::device
