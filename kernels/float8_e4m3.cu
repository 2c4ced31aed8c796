// The kernels of float8_e4m3.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_float8_e4m3(reducing what, reduce_kind kind) noexcept {
  return find_arithmetic<float8_e4m3>(what, kind);
}

}  // namespace hawser::cuda::kernels::detail
