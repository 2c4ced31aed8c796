// Collectives by multicast memory (NVLS): the switch reduces what it loads and copies what is stored.
#pragma once

#include <concepts>
#include <cstring>

#include <hawser/cuda/device/exchange.hpp>

namespace hawser::cuda::device {

/// A multicast address of everyone's window: `load_reduce` gives 16 bytes reduced over all ranks at a window offset,
/// `store` writes 16 bytes at this offset to all ranks. On the GPU multimem instructions (kernels/multimem.cuh).
template <class M>
concept multicast = requires(const M& m, std::uint64_t offset, vec16 value) {
  { m.template load_reduce<float, add>(offset) } -> std::same_as<vec16>;
  m.store(offset, value);
};

/// The same by loads and stores of every rank's window: for tests, and what the hardware's result is compared with.
template <block_policy Block>
struct emulated_multicast {
  const Block& block;
  const rank_view& view;

  /// In rank order, in the accumulator of T, rounded once.
  template <class T, class Op>
  HAWSER_DEVICE vec16 load_reduce(std::uint64_t offset) const {
    constexpr int width = lanes_of<T>();
    accumulator_of<T> sum[width] = {};
    for (int r = 0; r < view.size; ++r) {
      const auto value = load_lanes<T, width>(block, view.windows[r] + offset);
      for (int l = 0; l < width; ++l) {
        const auto wide = element<T>::widen(value.at[l]);
        sum[l] = r == 0 ? wide : Op{}(sum[l], wide);
      }
    }
    lanes<T, width> result;
    for (int l = 0; l < width; ++l) result.at[l] = element<T>::narrow(sum[l]);
    vec16 raw;
    std::memcpy(&raw, static_cast<const void*>(&result), sizeof raw);
    return raw;
  }
  /// To every window.
  HAWSER_DEVICE void store(std::uint64_t offset, const vec16& value) const {
    for (int r = 0; r < view.size; ++r) block.store(view.at<vec16>(r, offset), value);
  }
};

namespace detail {

/// Staged elements `begin` and on are reduced by the multicast at their window offset, finished, and stored by `Store`
/// (unit offset in bytes, value). Units are whole: what is beyond the count is padding of the staging.
template <class T, class Op, class Epilogue, multicast Multicast, class Store>
struct multicast_reduction {
  static constexpr int width = lanes_of<T>();

  const Multicast& memory;
  std::uint64_t offset;
  const Epilogue& finish;
  const Store& store;

  template <int U>
  HAWSER_DEVICE void units(std::size_t first, std::size_t step) const {
    vec16 raw[U];
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u)
      raw[u] = memory.template load_reduce<T, Op>(offset + (first + static_cast<std::size_t>(u) * step) * vector_bytes);
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u) {
      const std::size_t unit = first + static_cast<std::size_t>(u) * step;
      lanes<T, width> value;
      std::memcpy(static_cast<void*>(&value), &raw[u], sizeof value);
      HAWSER_UNROLL
      for (int l = 0; l < width; ++l)
        value.at[l] = traits::narrow(finish(traits::widen(value.at[l]), unit * width + static_cast<std::size_t>(l)));
      store(unit, value);
    }
  }
  /// The group that the count ends in, by the thread of its first element.
  HAWSER_DEVICE void element(std::size_t i) const {
    if (i % width == 0) units<1>(i / width, 0);
  }

 private:
  using traits = device::element<T>;
};

}  // namespace detail

/// All-reduce: stage (phase 0), meet, each rank reduces its part through the switch and multicasts it (phase 1), meet,
/// copy out (phase 2). 2 S / k per rank over its links, whatever k.
template <class T, class Op, class Epilogue, block_policy Block, multicast Multicast>
HAWSER_DEVICE void multimem_all_reduce(const Block& block, const reduce_call& call, const Multicast& memory, const Op&,
                                       const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  std::byte* const own = view.windows[view.rank] + staging;
  for (int r = 0; r < view.size && call.phases.runs(0); ++r) {
    const part p = part_of<T>(call.count, view.size, r);
    stage<T, Op>(block, call.input + p.begin * sizeof(T), own + p.begin * sizeof(T), p.count, call.factor);
  }
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    const part p = part_of<T>(call.count, view.size, view.rank);
    const std::uint64_t offset = staging + p.begin * sizeof(T);
    const auto multicast_it = [&](std::size_t unit, const auto& value) {
      vec16 raw;
      std::memcpy(&raw, static_cast<const void*>(&value), sizeof raw);
      memory.store(offset + unit * vector_bytes, raw);
    };
    const shifted<Epilogue> own_finish{finish, p.begin};
    using work = detail::multicast_reduction<T, Op, shifted<Epilogue>, Multicast, decltype(multicast_it)>;
    for_each_tile<work::width, unroll_of<T>()>(block, p.count, true, work{memory, offset, own_finish, multicast_it});
  }
  if (!meet(block, view, call.phases, number.epoch(2))) return;
  for (int r = 0; r < view.size && call.phases.runs(2); ++r) {
    const part p = part_of<T>(call.count, view.size, r);
    copy_places<T>(block, own + p.begin * sizeof(T), place{call.output + p.begin * sizeof(T)}, p.count);
  }
  end_call(block, view, call.phases, number);
}

/// Reduce-scatter: stage the whole input (phase 0), meet, reduce one's own block through the switch (phase 1).
template <class T, class Op, class Epilogue, block_policy Block, multicast Multicast>
HAWSER_DEVICE void multimem_reduce_scatter(const Block& block, const reduce_call& call, const Multicast& memory,
                                           const Op&, const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t staging = view.layout.staging(number.parity());
  const std::uint64_t bytes = call.count * sizeof(T), stride = window_layout::rounded(bytes);
  for (int r = 0; r < view.size && call.phases.runs(0); ++r) {
    const auto i = static_cast<std::uint64_t>(r);
    stage<T, Op>(block, call.input + bytes * i, view.windows[view.rank] + staging + stride * i, call.count,
                 call.factor);
  }
  if (!meet(block, view, call.phases, number.epoch(1))) return;
  if (call.phases.runs(1)) {
    const std::uint64_t offset = staging + stride * static_cast<std::uint64_t>(view.rank);
    const bool in_vectors = is_aligned(call.output);
    const auto keep_it = [&](std::size_t unit, const auto& value) {
      constexpr std::size_t width = lanes_of<T>();
      std::byte* const to = call.output + unit * vector_bytes;
      if (in_vectors && (unit + 1) * width <= call.count) return store_lanes(block, to, value);
      for (std::size_t l = 0; l < width && unit * width + l < call.count; ++l)
        store_element(to + l * sizeof(T), value.at[l]);
    };
    using work = detail::multicast_reduction<T, Op, Epilogue, Multicast, decltype(keep_it)>;
    for_each_tile<work::width, unroll_of<T>()>(block, call.count, true, work{memory, offset, finish, keep_it});
  }
  end_call(block, view, call.phases, number);
}

namespace detail {

/// Bytes of the caller, multicast to everyone's window.
template <multicast Multicast, block_policy Block>
struct multicast_copy {
  const Multicast& memory;
  const Block& block;
  const std::byte* source;
  std::uint64_t offset;
  std::uint64_t bytes;

  template <int U>
  HAWSER_DEVICE void units(std::size_t first, std::size_t step) const {
    vec16 raw[U];
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u)
      raw[u] = block.load(reinterpret_cast<const vec16*>(source) + first + static_cast<std::size_t>(u) * step);
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u)
      memory.store(offset + (first + static_cast<std::size_t>(u) * step) * vector_bytes, raw[u]);
  }
  /// Sixteen bytes from byte i on, where i begins such a group; with zeros beyond the end.
  HAWSER_DEVICE void element(std::size_t i) const {
    if (i % vector_bytes != 0) return;
    std::byte gathered[vector_bytes] = {};
    for (std::size_t b = 0; b < vector_bytes && i + b < bytes; ++b) gathered[b] = source[i + b];
    vec16 raw;
    std::memcpy(&raw, gathered, sizeof raw);
    memory.store(offset + i, raw);
  }
};

template <block_policy Block, multicast Multicast>
HAWSER_DEVICE void multicast_push(const Block& block, const exchange_call& call, const Multicast& memory,
                                  std::uint64_t offset) {
  const multicast_copy<Multicast, Block> job{memory, block, call.input, offset, call.block_bytes};
  for_each_tile<static_cast<int>(vector_bytes), copy_unroll>(block, call.block_bytes, is_aligned(call.input), job);
}

}  // namespace detail

/// All-gather: each rank multicasts its block into everyone's staging (phase 0), meet, copy out (phase 1).
template <block_policy Block, multicast Multicast>
HAWSER_DEVICE void multimem_all_gather(const Block& block, const exchange_call& call, const Multicast& memory) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  const std::uint64_t own = window_layout::rounded(call.block_bytes) * static_cast<std::uint64_t>(view.rank);
  if (call.phases.runs(0)) detail::multicast_push(block, call, memory, view.layout.staging(number.parity()) + own);
  detail::end_push(block, call, number, view.size);
}

/// Broadcast: the root multicasts.
template <block_policy Block, multicast Multicast>
HAWSER_DEVICE void multimem_broadcast(const Block& block, const exchange_call& call, const Multicast& memory) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, call.phases);
  if (!may_stage(block, view, call.phases, number)) return;
  if (call.phases.runs(0) && view.rank == call.root)
    detail::multicast_push(block, call, memory, view.layout.staging(number.parity()));
  detail::end_push(block, call, number, 1);
}

}  // namespace hawser::cuda::device
