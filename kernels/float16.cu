// The kernels of float16.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_float16(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<float16>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
