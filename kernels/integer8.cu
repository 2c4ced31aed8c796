// The kernels of integers of 8 bits.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_integer8(reducing what, reduce_kind kind, bool is_signed) noexcept {
  return find_integer<std::int8_t, std::uint8_t>(what, kind, is_signed);
}

}  // namespace hawser::cuda::kernels::detail
