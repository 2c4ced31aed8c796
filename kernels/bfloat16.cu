// The kernels of bfloat16.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_bfloat16(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<bfloat16>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
