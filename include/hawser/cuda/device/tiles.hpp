// How the elements of a part are dealt to CTAs and threads: tiles, round robin; inside a tile 16 bytes per thread and
// step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hawser/cuda/device/block.hpp>
#include <hawser/cuda/device/vec16.hpp>

namespace hawser::cuda::device {

/// Elements per tile. It follows from the count, the grid and the type alone: whoever writes a part and whoever reads
/// it agree which CTA has which element, whatever the alignment of their buffers. Few elements make small tiles, so
/// that all CTAs have something to do.
template <int Lanes, int Unroll, block_policy Block>
HAWSER_DEVICE std::size_t tile_elements(const Block& block, std::size_t count) {
  const std::size_t step = static_cast<std::size_t>(block.threads()) * Lanes;
  return count >= step * Unroll * block.ctas() ? step * Unroll : step;
}

/// Calls `job.template units<U>(first, step)` for groups of `Lanes` elements, U of them `step` groups apart, and
/// `job.element(i)` for what does not fill a group, or for all where not `in_vectors`.
template <int Lanes, int Unroll, block_policy Block, class Job>
HAWSER_DEVICE void for_each_tile(const Block& block, std::size_t count, bool in_vectors, const Job& job) {
  const std::size_t tile = tile_elements<Lanes, Unroll>(block, count);
  const std::size_t threads = block.threads();
  const std::size_t full = threads * Lanes * Unroll;
  for (std::size_t begin = block.cta() * tile; begin < count; begin += block.ctas() * tile) {
    const std::size_t end = count - begin < tile ? count : begin + tile;
    std::size_t rest = begin;
    if (in_vectors) {
      const std::size_t first = begin / Lanes + block.thread();
      if (end - begin == full) {
        job.template units<Unroll>(first, threads);
      } else {
        for (std::size_t unit = first; (unit + 1) * Lanes <= end; unit += threads) job.template units<1>(unit, threads);
      }
      rest = end / Lanes * Lanes;
    }
    for (std::size_t i = rest + block.thread(); i < end; i += threads) job.element(i);
  }
}

/// A job of elements that no vector holds: its groups are single elements.
template <class Job>
struct scalar_only {
  const Job& job;

  /// Never called: such a job is not done in vectors.
  template <int U>
  HAWSER_DEVICE void units(std::size_t, std::size_t) const {}
  HAWSER_DEVICE void element(std::size_t i) const { job.element(i); }
};

/// One element, at any address.
template <class T>
HAWSER_DEVICE T load_element(const std::byte* from) {
  T value;
#if defined(__CUDA_ARCH__)
  if (reinterpret_cast<std::uintptr_t>(from) % alignof(T) == 0) return *reinterpret_cast<const T*>(from);
#endif
  std::memcpy(static_cast<void*>(&value), from, sizeof(T));
  return value;
}

/// The same the other way.
template <class T>
HAWSER_DEVICE void store_element(std::byte* to, const T& value) {
#if defined(__CUDA_ARCH__)
  if (reinterpret_cast<std::uintptr_t>(to) % alignof(T) == 0) {
    *reinterpret_cast<T*>(to) = value;
    return;
  }
#endif
  std::memcpy(to, static_cast<const void*>(&value), sizeof(T));
}

/// A group of elements, in whole vectors.
template <class T, int Lanes, block_policy Block>
HAWSER_DEVICE lanes<T, Lanes> load_lanes(const Block& block, const std::byte* from) {
  lanes<T, Lanes> value;
  vec16 raw[lanes<T, Lanes>::vectors];
  HAWSER_UNROLL
  for (int v = 0; v < lanes<T, Lanes>::vectors; ++v) raw[v] = block.load(reinterpret_cast<const vec16*>(from) + v);
  std::memcpy(static_cast<void*>(&value), raw, sizeof value);
  return value;
}

/// The same the other way.
template <class T, int Lanes, block_policy Block>
HAWSER_DEVICE void store_lanes(const Block& block, std::byte* to, const lanes<T, Lanes>& value) {
  vec16 raw[lanes<T, Lanes>::vectors];
  std::memcpy(raw, static_cast<const void*>(&value), sizeof value);
  HAWSER_UNROLL
  for (int v = 0; v < lanes<T, Lanes>::vectors; ++v) block.store(reinterpret_cast<vec16*>(to) + v, raw[v]);
}

}  // namespace hawser::cuda::device
