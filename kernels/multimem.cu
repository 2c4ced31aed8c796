// The kernels on multicast memory.
#include "kernels.cuh"
#include "multimem.cuh"
#include "table.hpp"

namespace hawser::cuda::kernels {

template <bool Scatters, class T, class Op>
__global__ void __launch_bounds__(most_threads)
    multimem_reduce_kernel(const __grid_constant__ reduce_call call, std::byte* windows) {
  const gpu_block block(gridDim.x);
  const switch_memory memory{windows};
  const output_scaling how{call.how, call.divisor};
  if constexpr (Scatters)
    multimem_reduce_scatter<T>(block, call, memory, Op{}, built_in_epilogue<T, Op>(how));
  else
    multimem_all_reduce<T>(block, call, memory, Op{}, built_in_epilogue<T, Op>(how));
}

template <bool IsBroadcast>
__global__ void __launch_bounds__(most_threads)
    multimem_exchange_kernel(const __grid_constant__ exchange_call call, std::byte* windows) {
  const gpu_block block(gridDim.x);
  if constexpr (IsBroadcast)
    multimem_broadcast(block, call, switch_memory{windows});
  else
    multimem_all_gather(block, call, switch_memory{windows});
}

namespace {

template <class T, class Op>
const void* find_one(multicasting what) noexcept {
  return what == multicasting::all_reduce ? reinterpret_cast<const void*>(&multimem_reduce_kernel<false, T, Op>)
                                          : reinterpret_cast<const void*>(&multimem_reduce_kernel<true, T, Op>);
}

template <class T>
const void* find_extremes_too(multicasting what, reduce_kind kind, bool adds) noexcept {
  if (adds) return find_one<T, add>(what);
  if (kind == reduce_kind::min) return find_one<T, lesser>(what);
  return kind == reduce_kind::max ? find_one<T, greater>(what) : nullptr;
}

}  // namespace

const void* find_kernel(multicasting what, data_type type, reduce_kind kind) noexcept {
  if (what == multicasting::broadcast) return reinterpret_cast<const void*>(&multimem_exchange_kernel<true>);
  if (what == multicasting::all_gather) return reinterpret_cast<const void*>(&multimem_exchange_kernel<false>);
  const bool adds = kind == reduce_kind::sum || kind == reduce_kind::avg || kind == reduce_kind::premul_sum;
  switch (type) {
    case data_type::float32: return adds ? find_one<float, add>(what) : nullptr;
    case data_type::float16: return find_extremes_too<float16>(what, kind, adds);
    case data_type::bfloat16: return find_extremes_too<bfloat16>(what, kind, adds);
    default: return nullptr;
  }
}

}  // namespace hawser::cuda::kernels
