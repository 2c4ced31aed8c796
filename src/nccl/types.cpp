// NCCL 2.28.9's types and operators; its numbers have not changed since it has them.
#include <hawser/nccl/types.hpp>

#include <cstring>

#include "nccl/native_types.hpp"

namespace hawser::nccl {

std::optional<ncclDataType_t> native_type(data_type type) noexcept {
  switch (type) {
    case data_type::int8: return ncclInt8;
    case data_type::uint8: return ncclUint8;
    case data_type::int32: return ncclInt32;
    case data_type::uint32: return ncclUint32;
    case data_type::int64: return ncclInt64;
    case data_type::uint64: return ncclUint64;
    case data_type::float16: return ncclFloat16;
    case data_type::bfloat16: return static_cast<ncclDataType_t>(9);  // older headers lack it for an older CUDA
    case data_type::float32: return ncclFloat32;
    case data_type::float64: return ncclFloat64;
    case data_type::float8_e4m3: return static_cast<ncclDataType_t>(10);  // since 2.24
    case data_type::float8_e5m2: return static_cast<ncclDataType_t>(11);
    case data_type::int16:
    case data_type::uint16:
    case data_type::user: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<ncclRedOp_t> native_operator(reduce_kind kind) noexcept {
  switch (kind) {
    case reduce_kind::sum: return ncclSum;
    case reduce_kind::prod: return ncclProd;
    case reduce_kind::min: return ncclMin;
    case reduce_kind::max: return ncclMax;
    case reduce_kind::avg: return ncclAvg;
    default: return std::nullopt;
  }
}

std::array<std::byte, 8> as_element(double factor, data_type type) noexcept {
  std::array<std::byte, 8> bytes{};
  const auto put = [&](auto value) { std::memcpy(bytes.data(), &value, sizeof value); };
  switch (type) {
    case data_type::float64: put(factor); break;
    case data_type::float16: put(float16(static_cast<float>(factor))); break;
    case data_type::bfloat16: put(bfloat16(static_cast<float>(factor))); break;
    case data_type::float8_e4m3: put(float8_e4m3(static_cast<float>(factor))); break;
    case data_type::float8_e5m2: put(float8_e5m2(static_cast<float>(factor))); break;
    default: put(static_cast<float>(factor));
  }
  return bytes;
}

std::optional<std::string_view> why_not_native(const capabilities& of, data_type type, reduce_kind kind) noexcept {
  if (const auto illegal = legality(type, kind)) return illegal;
  if (kind == reduce_kind::user) return "NCCL has no operators of the user's own";
  if (kind >= reduce_kind::bit_and) return "NCCL has no bitwise or logical operators";
  if (!native_type(type)) return "NCCL has no 16-bit integers";
  if (is_float8(type) && !of.has_float8) return "NCCL has 8-bit floats from 2.24 on";
  return std::nullopt;
}

std::optional<std::string_view> how_native_differs(data_type type, reduce_kind kind) noexcept {
  if (!is_floating(type)) return std::nullopt;
  if (kind == reduce_kind::min || kind == reduce_kind::max)
    return "NCCL drops a NaN where the other operand is a number";
  if (kind == reduce_kind::avg) return "NCCL multiplies by 1/n, rounded to the type, before it adds";
  if (is_float8(type)) return "NCCL rounds to 8 bits after every addition";
  if (kind == reduce_kind::premul_sum && size_of(type) == 2)
    return "NCCL rounds the factor and the product to 16 bits before it adds";
  return std::nullopt;
}

}  // namespace hawser::nccl
