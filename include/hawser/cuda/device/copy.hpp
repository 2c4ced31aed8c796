// Moves without arithmetic: one source, any number of destinations, bits as they are.
#pragma once

#include <cstddef>

#include <hawser/cuda/device/places.hpp>
#include <hawser/cuda/device/tiles.hpp>

namespace hawser::cuda::device {

/// What one thread does with its elements.
template <class T, block_policy Block, class Destinations>
struct copying {
  static constexpr int width = lanes_of<T>();

  const Block& block;
  const std::byte* source;
  const Destinations& destinations;

  /// Groups first, first + step, ... of `width` elements.
  template <int U>
  HAWSER_DEVICE void units(std::size_t first, std::size_t step) const {
    constexpr std::size_t bytes = sizeof(lanes<T, width>);
    lanes<T, width> value[U];
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u)
      value[u] = load_lanes<T, width>(block, source + (first + static_cast<std::size_t>(u) * step) * bytes);
    for (int d = 0; d < destinations.count; ++d) {
      std::byte* to = destinations.at(d);
      HAWSER_UNROLL
      for (int u = 0; u < U; ++u)
        store_lanes(block, to + (first + static_cast<std::size_t>(u) * step) * bytes, value[u]);
    }
  }
  /// One element, at any alignment.
  HAWSER_DEVICE void element(std::size_t i) const {
    const T value = load_element<T>(source + i * sizeof(T));
    for (int d = 0; d < destinations.count; ++d) store_element(destinations.at(d) + i * sizeof(T), value);
  }
};

/// destinations[d][i] = source[i] for `count` elements; this block does its share, which is that of `reduce_places` on
/// the same type, unless `Unroll` says otherwise.
template <class T, int Unroll = unroll_of<T>(), block_policy Block, class Destinations>
HAWSER_DEVICE void copy_places(const Block& block, const std::byte* source, const Destinations& destinations,
                               std::size_t count) {
  using work = copying<T, Block, Destinations>;
  const work job{block, source, destinations};
  if constexpr (is_vectorised<T>())
    for_each_tile<work::width, Unroll>(block, count, is_aligned(source) && destinations.is_aligned(), job);
  else
    for_each_tile<work::width, Unroll>(block, count, false, scalar_only<work>{job});
}

}  // namespace hawser::cuda::device
