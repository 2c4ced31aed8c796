// The kernels: each body of the device core as a __global__ function of one rank, or of several in one grid.
#pragma once

#include <hawser/cuda/device/all_reduce.hpp>
#include <hawser/cuda/device/exchange_v.hpp>
#include <hawser/cuda/device/low_latency.hpp>

#include "cta.cuh"
#include "local_call.hpp"

namespace hawser::cuda::kernels {

using namespace hawser::cuda::device;

/// Threads per CTA that every kernel is compiled for; a launch may use fewer.
inline constexpr int most_threads = 512;

/// The epilogue of a built-in operator: sums can be scaled, anything else is stored as it is.
template <class T, class Op, class Call>
__device__ auto built_in_epilogue(const Call& call) {
  if constexpr (std::same_as<Op, add>)
    return scaled<T>{call.how, call.divisor, static_cast<accumulator_of<T>>(call.factor)};
  else
    return identity{};
}

template <class T, class Out, class Op>
__global__ void __launch_bounds__(most_threads) local_kernel(const __grid_constant__ local_call call) {
  const places sources{call.inputs, call.input_count};
  reduce_places<T, Out>(gpu_block(gridDim.x), sources, place{call.output}, call.count, Op{},
                        built_in_epilogue<T, Op>(call));
}

/// How the result of a call on peer memory is scaled; its factor has been applied to the input.
struct output_scaling {
  scaling how;
  std::uint32_t divisor;
  double factor = 1;
};

/// The algorithms on peer memory, as template arguments.
enum class on_peers { one_shot, two_shot, low_latency, reduce_scatter };

template <on_peers Algorithm, class T, class Op, class Epilogue>
__device__ void run_on_peers(const gpu_block& block, const reduce_call& call, const Epilogue& finish) {
  if constexpr (Algorithm == on_peers::one_shot)
    one_shot_all_reduce<T>(block, call, Op{}, finish);
  else if constexpr (Algorithm == on_peers::two_shot)
    two_shot_all_reduce<T>(block, call, Op{}, finish);
  else if constexpr (Algorithm == on_peers::low_latency)
    low_latency_all_reduce<T>(block, call, Op{}, finish);
  else
    push_reduce_scatter<T>(block, call, Op{}, finish);
}

/// One rank per launch: production.
template <on_peers Algorithm, class T, class Op>
__global__ void __launch_bounds__(most_threads) reduce_kernel(const __grid_constant__ reduce_call call) {
  const output_scaling how{call.how, call.divisor};
  run_on_peers<Algorithm, T, Op>(gpu_block(gridDim.x), call, built_in_epilogue<T, Op>(how));
}

}  // namespace hawser::cuda::kernels
