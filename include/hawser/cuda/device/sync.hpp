// Waiting for other ranks: bounded by a clock, ended by the abort word, counted in epochs that only grow.
// The protocol is model-checked: tests/models/device_flags.hpp changes with it.
#pragma once

#include <cstdint>

#include <hawser/cuda/device/block.hpp>
#include <hawser/cuda/device/rank_view.hpp>

namespace hawser::cuda::device {

/// A wait looks at the clock and at the abort word once in so many polls.
inline constexpr std::uint32_t polls_between_checks = 64;
/// Epochs per call; a call meets its peers fewer times than that.
inline constexpr std::uint32_t epochs_per_call = 4;

/// Ends the calls of the whole group: the first fault stays, here and in every peer's window.
template <block_policy Block>
HAWSER_DEVICE void report(const Block& block, const rank_view& view, fault what) {
  for (int i = 0; i < view.size; ++i) {
    const int r = (view.rank + i) % view.size;  // one's own first
    block.claim(view.at<std::uint32_t>(r, view.layout.abort_word()), what.word());
  }
}

/// Polls `is_ready` until it holds; false after the time-out, which blames `peer`, or once the group has failed.
template <block_policy Block, class Ready>
HAWSER_DEVICE bool wait_until(const Block& block, const rank_view& view, int peer, const Ready& is_ready) {
  std::uint64_t start = 0;
  for (std::uint32_t polls = 1; !is_ready(); ++polls) {
    block.pause();
    if (polls % polls_between_checks != 0) continue;
    if (block.load_relaxed(view.at<std::uint32_t>(view.rank, view.layout.abort_word())) != 0) return false;
    const std::uint64_t now = block.nanoseconds();
    if (start == 0) start = now;
    if (now - start > view.timeout_ns) {
      report(block, view, {fault_reason::never_arrived, peer});
      return false;
    }
  }
  return true;
}

/// The number of a call, and what follows from it.
struct call_number {
  std::uint32_t sequence = 0;

  /// Which half of staging and lines the call uses.
  HAWSER_DEVICE unsigned parity() const { return sequence % 2; }
  /// Grows from call to call and from meeting to meeting; compared by difference, since it wraps around.
  HAWSER_DEVICE std::uint32_t epoch(int meeting) const {
    return sequence * epochs_per_call + static_cast<std::uint32_t>(meeting);
  }
};

/// The call that begins now. All CTAs of all ranks of the group count alike.
template <block_policy Block>
HAWSER_DEVICE call_number begin_call(const Block& block, const rank_view& view, const phase_control& phases) {
  if (phases.only != phase_control::all) return {phases.sequence};
  const auto* own = view.at<std::uint32_t>(view.rank, view.layout.sequence(static_cast<int>(block.cta())));
  return {block.load_relaxed(own) + 1};
}

/// Counts the call, for the CTAs that were not launched too. Not to be called after a fault.
template <block_policy Block>
HAWSER_DEVICE void end_call(const Block& block, const rank_view& view, const phase_control& phases, call_number call) {
  if (phases.only != phase_control::all) return;
  block.sync();  // every thread has read the number
  for (unsigned c = block.cta() + block.thread() * block.ctas(); c < static_cast<unsigned>(view.layout.shape.ctas);
       c += block.threads() * block.ctas())
    block.store_relaxed(view.at<std::uint32_t>(view.rank, view.layout.sequence(static_cast<int>(c))), call.sequence);
}

/// Tells every peer that this rank has begun the call, and so has ended all before it. CTA 0 speaks for all: it is
/// always launched, and a call begins when all CTAs of the one before have ended. `meet` says the same, by the way.
template <block_policy Block>
HAWSER_DEVICE void announce(const Block& block, const rank_view& view, call_number call) {
  if (block.cta() != 0) return;
  for (unsigned i = block.thread() + 1; i < static_cast<unsigned>(view.size); i += block.threads()) {
    const int peer = (view.rank + static_cast<int>(i)) % view.size;
    block.store_release(view.at<std::uint32_t>(peer, view.layout.flag(0, view.rank)), call.epoch(0));
  }
}

/// Waits until `flag` has come to `epoch`; false after a fault.
template <block_policy Block>
HAWSER_DEVICE bool has_come(const Block& block, const rank_view& view, int cta, int peer, std::uint32_t epoch) {
  const auto* flag = view.at<std::uint32_t>(view.rank, view.layout.flag(cta, peer));
  return wait_until(block, view, peer,
                    [&] { return static_cast<std::int32_t>(block.load_acquire(flag) - epoch) >= 0; });
}

/// Before a call writes to its half of any staging: all peers have begun the previous call, so none still reads what
/// the call before that one left in this half. Mostly true already. False after a fault, in all threads of the block.
template <block_policy Block>
HAWSER_DEVICE bool may_stage(const Block& block, const rank_view& view, const phase_control& phases, call_number call) {
  if (phases.only != phase_control::all) return true;
  bool is_late = false;
  for (unsigned i = block.thread() + 1; i < static_cast<unsigned>(view.size) && !is_late; i += block.threads()) {
    const int peer = (view.rank + static_cast<int>(i)) % view.size;
    is_late = !has_come(block, view, 0, peer, call.epoch(0) - epochs_per_call);
  }
  return !block.any(is_late);
}

/// CTA c of every rank meets CTA c of every other one: what they stored before is seen after. False after a fault, in
/// all threads of the block. Does nothing where the host keeps the phases apart.
template <block_policy Block>
HAWSER_DEVICE bool meet(const Block& block, const rank_view& view, const phase_control& phases, std::uint32_t epoch) {
  if (phases.only != phase_control::all) return true;
  const int cta = static_cast<int>(block.cta());
  block.sync();
  for (unsigned i = block.thread() + 1; i < static_cast<unsigned>(view.size); i += block.threads()) {
    const int peer = (view.rank + static_cast<int>(i)) % view.size;
    block.store_release(view.at<std::uint32_t>(peer, view.layout.flag(cta, view.rank)), epoch);
  }
  bool is_late = false;
  for (unsigned i = block.thread() + 1; i < static_cast<unsigned>(view.size) && !is_late; i += block.threads()) {
    const int peer = (view.rank + static_cast<int>(i)) % view.size;
    is_late = !has_come(block, view, cta, peer, epoch);
  }
  return !block.any(is_late);
}

}  // namespace hawser::cuda::device
