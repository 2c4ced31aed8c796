// The kernels of integers of 32 bits.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_integer32(reducing what, reduce_kind kind, bool is_signed) noexcept {
  return find_integer<std::int32_t, std::uint32_t>(what, kind, is_signed);
}

}  // namespace hawser::cuda::kernels::detail
