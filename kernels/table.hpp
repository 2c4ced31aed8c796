// The compiled kernels by what they do: addresses for cudaLaunchKernel. No CUDA header is needed to ask.
#pragma once

#include <cstdint>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>

namespace hawser::cuda::kernels {

/// Kernels that reduce. `local` takes a `local_call`, the others a `device::reduce_call`.
enum class reducing : std::uint8_t { local, one_shot, two_shot, low_latency, reduce_scatter };
/// Kernels that move bytes; they take a `device::exchange_call`.
enum class moving : std::uint8_t { broadcast, all_gather, all_to_all, all_to_all_v };
/// Kernels on multicast memory (sm_90 and later). The first two take a `device::reduce_call` and the multicast address
/// of the windows, the others a `device::exchange_call` and this address.
enum class multicasting : std::uint8_t { all_reduce, reduce_scatter, all_gather, broadcast };

/// The kernel, or null where the pair is illegal (docs/types.md). Types and operators with equal bits share kernels:
/// the sign matters to min and max only, bitwise operators see bytes, and avg and premul_sum are sums with a scaling.
const void* find_kernel(reducing what, data_type type, reduce_kind kind) noexcept;
/// Never null.
const void* find_kernel(moving what) noexcept;
/// Messages between pairs of ranks; takes a `device::message_call`. Never null.
const void* find_message_kernel() noexcept;
/// Null for what the switch cannot do: sums of float32, float16 and bfloat16 it can, min and max of the latter two.
const void* find_kernel(multicasting what, data_type type, reduce_kind kind) noexcept;
/// A local sum that is stored in another type: between float32 and the floats of 8 and 16 bits; else null.
const void* find_cast_kernel(data_type from, data_type to) noexcept;

/// Bytes per element of the kernel that `find_kernel` gives: bitwise kernels count bytes. `count` scales by size /
/// this.
constexpr std::uint32_t kernel_element_bytes(data_type type, reduce_kind kind) noexcept {
  const bool is_bitwise = kind >= reduce_kind::bit_and && kind <= reduce_kind::bit_xor;
  return is_bitwise ? 1 : static_cast<std::uint32_t>(size_of(type));
}

namespace detail {

/// One translation unit per type; integers by their size, of which min and max have both signs.
const void* find_float16(reducing what, reduce_kind kind) noexcept;
const void* find_bfloat16(reducing what, reduce_kind kind) noexcept;
const void* find_float32(reducing what, reduce_kind kind) noexcept;
const void* find_float64(reducing what, reduce_kind kind) noexcept;
const void* find_float8_e4m3(reducing what, reduce_kind kind) noexcept;
const void* find_float8_e5m2(reducing what, reduce_kind kind) noexcept;
const void* find_integer8(reducing what, reduce_kind kind, bool is_signed) noexcept;
const void* find_integer16(reducing what, reduce_kind kind, bool is_signed) noexcept;
const void* find_integer32(reducing what, reduce_kind kind, bool is_signed) noexcept;
const void* find_integer64(reducing what, reduce_kind kind, bool is_signed) noexcept;
/// On bytes.
const void* find_bitwise(reducing what, reduce_kind kind) noexcept;

}  // namespace detail

}  // namespace hawser::cuda::kernels
