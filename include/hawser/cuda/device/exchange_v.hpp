// All-to-all-v by push. Each rank knows its own sizes only; what it must know of a peer travels in notices.
#pragma once

#include <hawser/cuda/device/exchange.hpp>

namespace hawser::cuda::device {

namespace detail {

/// The notice that rank `from` left for this CTA of rank `to`.
template <block_policy Block>
HAWSER_DEVICE block_notice* notice(const Block& block, const rank_view& view, int to, int from) {
  return view.at<block_notice>(to, view.layout.notice(static_cast<int>(block.cta()), from));
}

/// Tells each peer: offsets[peer] and bytes[peer] of this rank.
template <block_policy Block>
HAWSER_DEVICE void leave_notices(const Block& block, const rank_view& view, const std::uint64_t* offsets,
                                 const std::uint64_t* bytes) {
  for (unsigned p = block.thread(); p < static_cast<unsigned>(view.size); p += block.threads())
    *notice(block, view, static_cast<int>(p), view.rank) = {offsets[p], bytes[p]};
}

/// Whether all peers' notices agree with this rank's own sizes; if not, the group's call fails and names the first that
/// does not. All threads of the block come to the same answer.
template <block_policy Block>
HAWSER_DEVICE bool notices_agree(const Block& block, const rank_view& view, const std::uint64_t* bytes) {
  for (int r = 0; r < view.size; ++r) {
    if (notice(block, view, view.rank, r)->bytes == bytes[r]) continue;
    if (block.thread() == 0) report(block, view, {fault_reason::block_mismatch, r});
    return false;
  }
  return true;
}

}  // namespace detail

/// Largest block of a staged all-to-all-v.
constexpr std::uint64_t largest_staged_block(const window_layout& layout) {
  return layout.shape.staging_bytes / static_cast<std::uint64_t>(layout.shape.ranks) / window_layout::line *
         window_layout::line;
}

/// Through staging (phase 0: notices of what is sent, and the push; phase 1: check, copy out); no block is longer than
/// `largest_staged_block`. Sizes that do not match end the call with `block_mismatch`.
template <block_policy Block>
HAWSER_DEVICE void staged_all_to_all_v(const Block& block, const exchange_call& call) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  const std::uint64_t stride = largest_staged_block(view.layout);
  if (call.phases.runs(0)) {
    detail::leave_notices(block, view, call.send_offsets, call.send_bytes);
    for (int i = 0; i < view.size; ++i) {
      const int peer = (view.rank + i) % view.size;
      detail::push(block, call.input + call.send_offsets[peer],
                   place{view.windows[peer] + staging + stride * static_cast<std::uint64_t>(view.rank)},
                   call.send_bytes[peer]);
    }
  }
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    if (!detail::notices_agree(block, view, call.recv_bytes)) return;
    for (int r = 0; r < view.size; ++r)
      detail::push(block, view.windows[view.rank] + staging + stride * static_cast<std::uint64_t>(r),
                   place{call.output + call.recv_offsets[r]}, call.recv_bytes[r]);
  }
  // notices exist once: nobody may write the next ones before all have read these
  if (!meet(block, view, call.phases, number.epoch(2))) return;
  end_call(block, view, call.phases, number);
}

/// Into mapped outputs (phase 0: notices of where each block goes; phase 1: check, push), blocks of any length.
template <block_policy Block>
HAWSER_DEVICE void direct_all_to_all_v(const Block& block, const exchange_call& call) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (call.phases.runs(0)) detail::leave_notices(block, view, call.recv_offsets, call.recv_bytes);
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    if (!detail::notices_agree(block, view, call.send_bytes)) return;
    for (int i = 0; i < view.size; ++i) {
      const int peer = (view.rank + i) % view.size;
      detail::push(block, call.input + call.send_offsets[peer],
                   place{call.outputs.of[peer] + detail::notice(block, view, view.rank, peer)->offset},
                   call.send_bytes[peer]);
    }
  }
  if (!meet(block, view, call.phases, number.epoch(2))) return;
  end_call(block, view, call.phases, number);
}

/// Through mapped outputs where there are, else through staging.
template <block_policy Block>
HAWSER_DEVICE void push_all_to_all_v(const Block& block, const exchange_call& call) {
  if (call.outputs.is_mapped)
    direct_all_to_all_v(block, call);
  else
    staged_all_to_all_v(block, call);
}

}  // namespace hawser::cuda::device
