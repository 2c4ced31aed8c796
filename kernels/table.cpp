// Which kernel serves a type and an operator.
#include "table.hpp"

namespace hawser::cuda::kernels {

const void* find_kernel(reducing what, data_type type, reduce_kind kind) noexcept {
  if (kind == reduce_kind::user || legality(type, kind)) return nullptr;
  if (kind >= reduce_kind::bit_and && kind <= reduce_kind::bit_xor) return detail::find_bitwise(what, kind);
  const bool is_signed =
      type == data_type::int8 || type == data_type::int16 || type == data_type::int32 || type == data_type::int64;
  switch (type) {
    case data_type::int8:
    case data_type::uint8: return detail::find_integer8(what, kind, is_signed);
    case data_type::int16:
    case data_type::uint16: return detail::find_integer16(what, kind, is_signed);
    case data_type::int32:
    case data_type::uint32: return detail::find_integer32(what, kind, is_signed);
    case data_type::int64:
    case data_type::uint64: return detail::find_integer64(what, kind, is_signed);
    case data_type::float16: return detail::find_float16(what, kind);
    case data_type::bfloat16: return detail::find_bfloat16(what, kind);
    case data_type::float32: return detail::find_float32(what, kind);
    case data_type::float64: return detail::find_float64(what, kind);
    case data_type::float8_e4m3: return detail::find_float8_e4m3(what, kind);
    case data_type::float8_e5m2: return detail::find_float8_e5m2(what, kind);
    case data_type::user: break;
  }
  return nullptr;
}

}  // namespace hawser::cuda::kernels
