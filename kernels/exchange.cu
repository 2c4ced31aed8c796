// The kernels that move bytes, and the sums that are stored in another type.
#include "kernels.cuh"
#include "table.hpp"

namespace hawser::cuda::kernels {

template <moving What>
__global__ void __launch_bounds__(most_threads) exchange_kernel(const __grid_constant__ exchange_call call) {
  const gpu_block block(gridDim.x);
  if constexpr (What == moving::broadcast)
    push_broadcast(block, call);
  else if constexpr (What == moving::all_gather)
    push_all_gather(block, call);
  else if constexpr (What == moving::all_to_all)
    push_all_to_all(block, call);
  else
    push_all_to_all_v(block, call);
}

const void* find_kernel(moving what) noexcept {
  switch (what) {
    case moving::broadcast: return reinterpret_cast<const void*>(&exchange_kernel<moving::broadcast>);
    case moving::all_gather: return reinterpret_cast<const void*>(&exchange_kernel<moving::all_gather>);
    case moving::all_to_all: return reinterpret_cast<const void*>(&exchange_kernel<moving::all_to_all>);
    case moving::all_to_all_v: break;
  }
  return reinterpret_cast<const void*>(&exchange_kernel<moving::all_to_all_v>);
}

namespace {

template <class T>
const void* cast_of(bool widens) noexcept {
  return widens ? reinterpret_cast<const void*>(&local_kernel<T, float, add>)
                : reinterpret_cast<const void*>(&local_kernel<float, T, add>);
}

}  // namespace

const void* find_cast_kernel(data_type from, data_type to) noexcept {
  const bool widens = to == data_type::float32;
  if (!widens && from != data_type::float32) return nullptr;
  switch (widens ? from : to) {
    case data_type::float16: return cast_of<float16>(widens);
    case data_type::bfloat16: return cast_of<bfloat16>(widens);
    case data_type::float8_e4m3: return cast_of<float8_e4m3>(widens);
    case data_type::float8_e5m2: return cast_of<float8_e5m2>(widens);
    default: return nullptr;
  }
}

}  // namespace hawser::cuda::kernels
