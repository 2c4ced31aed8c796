// The kernels of float32.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_float32(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<float>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
