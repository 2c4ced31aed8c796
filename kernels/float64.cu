// The kernels of float64.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_float64(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<double>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
