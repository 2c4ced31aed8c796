// Collectives that only move data, all by push: broadcast, all-gather, all-to-all, all-to-all-v.
#pragma once

#include <hawser/cuda/device/call.hpp>

namespace hawser::cuda::device {

namespace detail {

inline constexpr int copy_unroll = 4;

/// Bytes, by 16 where both ends are aligned.
template <block_policy Block, class Destinations>
HAWSER_DEVICE void push(const Block& block, const std::byte* from, const Destinations& to, std::uint64_t bytes) {
  copy_places<std::byte, copy_unroll>(block, from, to, bytes);
}

/// Where rank `to` receives block `index` of a call whose blocks have one size.
HAWSER_DEVICE std::byte* slot(const exchange_call& call, std::uint64_t staging, int to, int index) {
  const auto i = static_cast<std::uint64_t>(index);
  if (call.outputs.is_mapped) return call.outputs.of[to] + i * call.block_bytes;
  return call.view.windows[to] + staging + i * window_layout::rounded(call.block_bytes);
}

/// From staging to the caller's output, `blocks` blocks.
template <block_policy Block>
HAWSER_DEVICE void copy_out(const Block& block, const exchange_call& call, std::uint64_t staging, int blocks) {
  for (int r = 0; r < blocks; ++r)
    push(block, slot(call, staging, call.view.rank, r),
         place{call.output + static_cast<std::uint64_t>(r) * call.block_bytes}, call.block_bytes);
}

/// A mapped output may be written once its owner has come to the call, staging once it is free.
template <block_policy Block>
HAWSER_DEVICE bool may_push(const Block& block, const exchange_call& call, call_number number) {
  if (call.outputs.is_mapped) return meet(block, call.view, call.phases, number.epoch(1));
  return may_stage(block, call.view, call.phases, number);
}

/// What follows a push: meet, copy out of staging, count the call.
template <block_policy Block>
HAWSER_DEVICE void end_push(const Block& block, const exchange_call& call, call_number number, int blocks) {
  if (!meet(block, call.view, call.phases, number.epoch(2))) return;
  if (call.phases.runs(1) && !call.outputs.is_mapped)
    copy_out(block, call, call.view.layout.staging(number.parity()), blocks);
  end_call(block, call.view, call.phases, number);
}

}  // namespace detail

/// The root pushes its input to every rank (phase 0); out of staging in phase 1. Between hosts-kept phases, and before
/// phase 0 where outputs are mapped, the host makes the ranks meet. So do all of these.
template <block_policy Block>
HAWSER_DEVICE void push_broadcast(const Block& block, const exchange_call& call) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!detail::may_push(block, call, number)) return;
  if (call.phases.runs(0) && view.rank == call.root)
    detail::push(block, call.input, everyone_in_turn(view, call.outputs, view.layout.staging(number.parity()), 0),
                 call.block_bytes);
  detail::end_push(block, call, number, 1);
}

/// Each rank pushes its block to every rank.
template <block_policy Block>
HAWSER_DEVICE void push_all_gather(const Block& block, const exchange_call& call) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!detail::may_push(block, call, number)) return;
  const std::uint64_t stride = call.outputs.is_mapped ? call.block_bytes : window_layout::rounded(call.block_bytes);
  if (call.phases.runs(0))
    detail::push(block, call.input,
                 everyone_in_turn(view, call.outputs, view.layout.staging(number.parity()),
                                  stride * static_cast<std::uint64_t>(view.rank)),
                 call.block_bytes);
  detail::end_push(block, call, number, view.size);
}

/// Each rank pushes block p of its input to rank p.
template <block_policy Block>
HAWSER_DEVICE void push_all_to_all(const Block& block, const exchange_call& call) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!detail::may_push(block, call, number)) return;
  for (int i = 0; i < view.size && call.phases.runs(0); ++i) {
    const int peer = (view.rank + i) % view.size;
    detail::push(block, call.input + static_cast<std::uint64_t>(peer) * call.block_bytes,
                 place{detail::slot(call, view.layout.staging(number.parity()), peer, view.rank)}, call.block_bytes);
  }
  detail::end_push(block, call, number, view.size);
}

}  // namespace hawser::cuda::device
