// The kernels of float8_e5m2.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_float8_e5m2(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<float8_e5m2>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
