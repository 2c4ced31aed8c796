// The kernels of integers of 64 bits.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_integer64(reducing what, reduce_kind kind, bool is_signed) noexcept {
  return find_integer<std::int64_t, std::uint64_t>(what, kind, is_signed);
}

}  // namespace hawser::cuda::kernels::detail
