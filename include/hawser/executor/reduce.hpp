// Vectorised reductions, conversions and scalings of host memory, chosen once for the processor that runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/core/reducer.hpp>

namespace hawser::executor {

/// The sets of kernels. All give the same bits, up to the payload of a NaN that arithmetic makes (docs/types.md).
enum class instruction_set : std::uint8_t {
  baseline,  ///< what the compiler's target has, SSE2 on x86-64
  avx2,      ///< AVX2 and F16C
  avx512,    ///< AVX-512 F, BW, DQ and VL
};

/// "baseline", "avx2" or "avx512".
std::string_view to_string(instruction_set set) noexcept;

/// The sets that this processor runs, weakest first; the last one is the default everywhere below.
std::span<const instruction_set> instruction_sets() noexcept;

/// The reducer of a built-in operator on a built-in type. avg and premul_sum reduce as sum: the caller scales. Throws
/// errc::unsupported with the reason where the pair is illegal.
reducer make_reducer(data_type type, reduce_kind kind);
reducer make_reducer(data_type type, reduce_kind kind, instruction_set set);

/// The same for any operator; a user's operator must be made for elements of this type and size in bytes.
reducer make_reducer(data_type type, std::size_t element_bytes, const reduce_op& operation);

/// Converts elements of one type to another. Input and output may not overlap, unless the sizes are equal and they are
/// the same. No alignment is needed.
struct converter {
  void (*function)(void* out, const void* in, std::size_t count) = nullptr;
  std::size_t in_bytes = 0;   ///< per element
  std::size_t out_bytes = 0;  ///< per element

  void operator()(void* out, const void* in, std::size_t count) const { function(out, in, count); }
};

/// Between float32 and every other floating type, rounding to nearest even, and from every type to itself. Throws
/// errc::unsupported for other pairs.
converter make_converter(data_type from, data_type to);
converter make_converter(data_type from, data_type to, instruction_set set);

/// out[i] = in[i] * factor, or in[i] / factor. `out` may be exactly `in`. No alignment is needed.
struct scaler {
  void (*function)(void* out, const void* in, std::size_t count, double factor) = nullptr;
  double factor = 1;

  void operator()(void* out, const void* in, std::size_t count) const { function(out, in, count, factor); }
};

/// The multiplication of a premultiplied sum. The factor is rounded to float32 first (to nothing for float64), and the
/// product rounded once. Throws errc::unsupported for integers and user types.
scaler make_scaler(data_type type, double factor);
scaler make_scaler(data_type type, double factor, instruction_set set);

/// The division of an average: floating types round once, integers truncate toward zero. `divisor` is at least 1;
/// throws errc::invalid_argument for 0 and errc::unsupported for user types.
scaler make_divider(data_type type, std::uint32_t divisor);
scaler make_divider(data_type type, std::uint32_t divisor, instruction_set set);

}  // namespace hawser::executor
