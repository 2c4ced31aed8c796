// All-reduce over peer memory: one-shot (every rank reads everything) and two-shot (reads its part, pushes the result).
#pragma once

#include <hawser/cuda/device/call.hpp>

namespace hawser::cuda::device {

/// One-shot: each rank stages its input (phase 0), meets the others, reduces all inputs for itself (phase 1). Ranks get
/// the same bits, since all add in rank order. (k-1)S read per rank; one meeting.
template <class T, class Op, class Epilogue, block_policy Block>
HAWSER_DEVICE void one_shot_all_reduce(const Block& block, const reduce_call& call, const Op& op,
                                       const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  if (call.phases.runs(0) && !call.inputs.is_mapped)
    stage<T, Op>(block, call.input, view.windows[view.rank] + staging, call.count, call.factor);
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1))
    reduce_places<T>(block, everyone(view, call.inputs, staging, 0), place{call.output}, call.count, op, finish);
  // peers may change a mapped input once they return; staging stays until the call after the next
  if (call.inputs.is_mapped && !meet(block, view, call.phases, number.epoch(2))) return;
  end_call(block, view, call.phases, number);
}

/// Two-shot: stage (phase 0), meet, reduce one's own part from all inputs and push it to all outputs (phase 1), meet,
/// copy out of staging (phase 2). Where input and output are mapped phases 0 and 2 are empty. 2(k-1)/k S over the links
/// per rank.
template <class T, class Op, class Epilogue, block_policy Block>
HAWSER_DEVICE void two_shot_all_reduce(const Block& block, const reduce_call& call, const Op& op,
                                       const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  std::byte* const own = view.windows[view.rank] + staging;
  // part by part, so that each CTA stages what the CTAs of its number will read
  for (int r = 0; r < view.size && call.phases.runs(0) && !call.inputs.is_mapped; ++r) {
    const part p = part_of<T>(call.count, view.size, r);
    const std::uint64_t at = p.begin * sizeof(T);
    stage<T, Op>(block, call.input + at, own + at, p.count, call.factor);
  }
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    const part p = part_of<T>(call.count, view.size, view.rank);
    const std::uint64_t at = p.begin * sizeof(T);
    reduce_places<T>(block, everyone(view, call.inputs, staging, at), everyone_in_turn(view, call.outputs, staging, at),
                     p.count, op, shifted<Epilogue>{finish, p.begin});
  }
  if (!meet(block, view, call.phases, number.epoch(2))) return;
  for (int r = 0; r < view.size && call.phases.runs(2) && !call.outputs.is_mapped; ++r) {
    const part p = part_of<T>(call.count, view.size, r);
    const std::uint64_t at = p.begin * sizeof(T);
    copy_places<T>(block, own + at, place{call.output + at}, p.count);
  }
  end_call(block, view, call.phases, number);
}

/// Reduce-scatter by push: block p of the input goes to rank p's staging (phase 0), meet, each rank reduces the blocks
/// that arrived (phase 1). `count` elements per block.
template <class T, class Op, class Epilogue, block_policy Block>
HAWSER_DEVICE void push_reduce_scatter(const Block& block, const reduce_call& call, const Op& op,
                                       const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  const std::uint64_t bytes = call.count * sizeof(T);
  const std::uint64_t stride = window_layout::rounded(bytes);
  for (int i = 0; i < view.size && call.phases.runs(0); ++i) {
    const int peer = (view.rank + i) % view.size;
    stage<T, Op>(block, call.input + bytes * static_cast<std::uint64_t>(peer),
                 view.windows[peer] + staging + stride * static_cast<std::uint64_t>(view.rank), call.count,
                 call.factor);
  }
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    const strided_places arrived{view.windows[view.rank] + staging, view.size, stride};
    reduce_places<T>(block, arrived, place{call.output}, call.count, op, finish);
  }
  end_call(block, view, call.phases, number);
}

}  // namespace hawser::cuda::device
