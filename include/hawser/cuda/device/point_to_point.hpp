// Messages between two ranks of a group, any number in one call and each at its own pace: a send pushes pieces into
// slots of the receiver's window, the receive takes them out.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/copy.hpp>
#include <hawser/cuda/device/mailbox.hpp>
#include <hawser/cuda/device/sync.hpp>

namespace hawser::cuda::device {

/// One message of this rank.
struct message {
  std::byte* data = nullptr;  ///< any alignment; a send only reads it
  std::uint64_t bytes = 0;    ///< the same on both sides
  std::int16_t peer = 0;
  std::uint8_t is_send = 0;
};

/// The messages of one call and the CTAs that move them. Messages of one peer and direction lie together, in their
/// order, and share CTAs: CTA `first_cta + s` moves share s of each of them.
struct message_call {
  static constexpr int most = 2 * (max_ranks - 1);

  rank_view view{};  ///< with the windows of `mail`; its own layout counts for nothing but the abort word
  mailbox_layout mail{};
  std::int32_t count = 0;
  std::int32_t ctas = 0;
  message messages[most] = {};
  std::int16_t first_cta[most] = {};
};

namespace detail {

/// A block that has its work to itself, whatever else is in the grid.
template <block_policy Block>
class alone {
 public:
  HAWSER_DEVICE explicit alone(const Block& block) : block_(block) {}

  HAWSER_DEVICE unsigned thread() const { return block_.thread(); }
  HAWSER_DEVICE unsigned threads() const { return block_.threads(); }
  HAWSER_DEVICE unsigned cta() const { return 0; }
  HAWSER_DEVICE unsigned ctas() const { return 1; }
  HAWSER_DEVICE void sync() const { block_.sync(); }
  HAWSER_DEVICE bool any(bool condition) const { return block_.any(condition); }
  HAWSER_DEVICE vec16 load(const vec16* from) const { return block_.load(from); }
  HAWSER_DEVICE void store(vec16* to, const vec16& value) const { block_.store(to, value); }
  HAWSER_DEVICE flagged_line load_line(const flagged_line* from) const { return block_.load_line(from); }
  HAWSER_DEVICE void store_line(flagged_line* to, const flagged_line& line) const { block_.store_line(to, line); }
  HAWSER_DEVICE std::uint32_t load_acquire(const std::uint32_t* from) const { return block_.load_acquire(from); }
  HAWSER_DEVICE std::uint32_t load_relaxed(const std::uint32_t* from) const { return block_.load_relaxed(from); }
  HAWSER_DEVICE void store_release(std::uint32_t* to, std::uint32_t value) const { block_.store_release(to, value); }
  HAWSER_DEVICE void store_relaxed(std::uint32_t* to, std::uint32_t value) const { block_.store_relaxed(to, value); }
  HAWSER_DEVICE void claim(std::uint32_t* word, std::uint32_t value) const { block_.claim(word, value); }
  HAWSER_DEVICE std::uint64_t nanoseconds() const { return block_.nanoseconds(); }
  HAWSER_DEVICE void pause() const { block_.pause(); }

 private:
  const Block& block_;
};

/// Waits until a flag of this rank's window has come to `number`; false after a fault, in all threads of the block.
template <block_policy Block>
HAWSER_DEVICE bool has_reached(const Block& block, const rank_view& view, int peer, std::uint64_t flag,
                               std::uint32_t number) {
  bool is_late = false;
  if (block.thread() == 0) {
    const auto* const word = view.at<std::uint32_t>(view.rank, flag);
    is_late = !wait_until(block, view, peer,
                          [&] { return static_cast<std::int32_t>(block.load_acquire(word) - number) >= 0; });
  }
  return !block.any(is_late);
}

/// Share `share` of a message, piece by piece. A sender is at most `slots` pieces ahead of what the receiver has taken.
/// False after a fault.
template <block_policy Block>
HAWSER_DEVICE bool move_share(const Block& block, const message_call& call, const message& what, int share,
                              int shares) {
  const rank_view& view = call.view;
  const mailbox_layout& mail = call.mail;
  const int peer = what.peer;
  const std::uint64_t size = window_layout::rounded((what.bytes + static_cast<std::uint64_t>(shares) - 1) /
                                                    static_cast<std::uint64_t>(shares));
  const std::uint64_t begin = size * static_cast<std::uint64_t>(share);
  const std::uint64_t end = begin + size < what.bytes ? begin + size : what.bytes;
  auto* const own = view.at<std::uint32_t>(view.rank, what.is_send ? mail.sent(peer, share) : mail.taken(peer, share));
  const std::uint32_t slots = mail.shape.slots;
  block.sync();  // what the message before has counted
  std::uint32_t number = block.load_relaxed(own);
  for (std::uint64_t at = begin; at < end; at += mail.shape.slot_bytes, ++number) {
    const std::uint64_t bytes = end - at < mail.shape.slot_bytes ? end - at : mail.shape.slot_bytes;
    if (what.is_send) {
      if (!has_reached(block, view, peer, mail.drained(peer, share), number + 1 - slots)) return false;
      copy_places<std::byte, 4>(block, what.data + at, place{view.windows[peer] + mail.slot(view.rank, share, number)},
                                bytes);
      block.sync();
      if (block.thread() == 0)
        block.store_release(view.at<std::uint32_t>(peer, mail.filled(view.rank, share)), number + 1);
    } else {
      if (!has_reached(block, view, peer, mail.filled(peer, share), number + 1)) return false;
      copy_places<std::byte, 4>(block, view.windows[view.rank] + mail.slot(peer, share, number), place{what.data + at},
                                bytes);
      block.sync();
      if (block.thread() == 0)
        block.store_release(view.at<std::uint32_t>(peer, mail.drained(view.rank, share)), number + 1);
    }
  }
  block.sync();  // every thread has read the number
  if (block.thread() == 0) block.store_relaxed(own, number);
  return true;
}

}  // namespace detail

/// Moves the messages of a call; every CTA of the grid must be resident, since a send may wait for a receive. No CTA
/// waits for another one of its rank, so that a message whose peer has come is not held up by one whose peer has not.
template <block_policy Block>
HAWSER_DEVICE void move_messages(const Block& block, const message_call& call) {
  const detail::alone<Block> alone(block);
  const int cta = static_cast<int>(block.cta());
  for (int m = 0; m < call.count; ++m) {
    const message& each = call.messages[m];
    const int shares = shares_of(call.mail.shape, each.bytes);
    const int share = cta - call.first_cta[m];
    if (share < 0 || share >= shares) continue;
    if (!detail::move_share(alone, call, each, share, shares)) return;
  }
}

}  // namespace hawser::cuda::device
