// The bitwise kernels: bytes, whatever the integers are.
#include "instantiate.cuh"

namespace hawser::cuda::kernels::detail {

const void* find_bitwise(reducing what, reduce_kind kind) noexcept {
  switch (kind) {
    case reduce_kind::bit_and: return find_one<std::uint8_t, bitwise_and>(what);
    case reduce_kind::bit_or: return find_one<std::uint8_t, bitwise_or>(what);
    default: return find_one<std::uint8_t, bitwise_xor>(what);
  }
}

}  // namespace hawser::cuda::kernels::detail
