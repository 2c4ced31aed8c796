// The kernels of integers of 16 bits.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_integer16(reducing what, reduce_kind kind, bool is_signed) noexcept {
  return find_integer<std::int16_t, std::uint16_t>(what, kind, is_signed);
}

}  // namespace hawser::cuda::kernels::detail
