// The n-input reduction that every kernel shares: n sources, m destinations, in rank order, accumulated in wide
// registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/element.hpp>
#include <hawser/cuda/device/epilogue.hpp>
#include <hawser/cuda/device/operators.hpp>
#include <hawser/cuda/device/places.hpp>
#include <hawser/cuda/device/tiles.hpp>

namespace hawser::cuda::device {

/// What one thread does with its elements: loads them from all sources, two sources in flight, and stores the result to
/// all destinations. Every source is read before any destination is written, so that they may be the same.
template <class In, class Out, class Op, class Epilogue, block_policy Block, class Sources, class Destinations>
struct reduction {
  static constexpr int width = lanes_of<In, Out>();
  using accumulator = accumulator_of<In>;

  const Block& block;
  const Sources& sources;
  const Destinations& destinations;
  const Op& op;
  const Epilogue& finish;

  /// Groups first, first + step, ... of `width` elements.
  template <int U>
  HAWSER_DEVICE void units(std::size_t first, std::size_t step) const {
    accumulator sum[U][width];
    lanes<In, width> a[U], b[U];
    load(a, 0, first, step);
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u) {
      HAWSER_UNROLL
      for (int l = 0; l < width; ++l) sum[u][l] = traits::widen(a[u].at[l]);
    }
    int j = 1;
    for (; j + 1 < sources.count; j += 2) {
      load(a, j, first, step);
      load(b, j + 1, first, step);
      combine(sum, a);
      combine(sum, b);
    }
    if (j < sources.count) {
      load(a, j, first, step);
      combine(sum, a);
    }
    store(sum, first, step);
  }

  /// One element, at any alignment.
  HAWSER_DEVICE void element(std::size_t i) const {
    accumulator sum = traits::widen(load_element<In>(sources.at(0) + i * sizeof(In)));
    for (int j = 1; j < sources.count; ++j)
      sum = op(sum, traits::widen(load_element<In>(sources.at(j) + i * sizeof(In))));
    const Out result = narrow_to<In, Out>(finish(sum, i));
    for (int d = 0; d < destinations.count; ++d) store_element(destinations.at(d) + i * sizeof(Out), result);
  }

 private:
  using traits = device::element<In>;

  template <int U>
  HAWSER_DEVICE void load(lanes<In, width> (&to)[U], int source, std::size_t first, std::size_t step) const {
    const std::byte* from = sources.at(source) + first * sizeof(lanes<In, width>);
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u)
      to[u] = load_lanes<In, width>(block, from + static_cast<std::size_t>(u) * step * sizeof(lanes<In, width>));
  }

  template <int U>
  HAWSER_DEVICE void combine(accumulator (&sum)[U][width], const lanes<In, width> (&with)[U]) const {
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u) {
      HAWSER_UNROLL
      for (int l = 0; l < width; ++l) sum[u][l] = op(sum[u][l], traits::widen(with[u].at[l]));
    }
  }

  template <int U>
  HAWSER_DEVICE void store(const accumulator (&sum)[U][width], std::size_t first, std::size_t step) const {
    HAWSER_UNROLL
    for (int u = 0; u < U; ++u) {
      const std::size_t unit = first + static_cast<std::size_t>(u) * step;
      lanes<Out, width> result;
      HAWSER_UNROLL
      for (int l = 0; l < width; ++l) result.at[l] = narrow_to<In, Out>(finish(sum[u][l], unit * width + l));
      for (int d = 0; d < destinations.count; ++d)
        store_lanes(block, destinations.at(d) + unit * sizeof(lanes<Out, width>), result);
    }
  }
};

/// destinations[d][i] = finish(sources[0][i] op sources[1][i] op ..., i), for `count` elements; this block does its
/// share. `Sources` and `Destinations` are places. In a call with several phases the shares of all of them agree for
/// `In == Out`.
template <class In, class Out = In, class Op, class Epilogue, block_policy Block, class Sources, class Destinations>
HAWSER_DEVICE void reduce_places(const Block& block, const Sources& sources, const Destinations& destinations,
                                 std::size_t count, const Op& op, const Epilogue& finish) {
  using work = reduction<In, Out, Op, Epilogue, Block, Sources, Destinations>;
  const work job{block, sources, destinations, op, finish};
  if constexpr (is_vectorised<In, Out>())
    for_each_tile<work::width, unroll_of<In>()>(block, count, sources.is_aligned() && destinations.is_aligned(), job);
  else
    for_each_tile<work::width, unroll_of<In>()>(block, count, false, scalar_only<work>{job});
}

}  // namespace hawser::cuda::device
