// Conversion between float and the formats of 8 and 16 bits, from the parameters of the format; integers only, so that
// it is constexpr and the same on every machine. Sources: IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0.
#pragma once

#include <bit>
#include <cstdint>

namespace hawser::detail {

/// A format: sign, exponent, mantissa, from the top. Patterns are given without the sign.
struct small_float_format {
  int exponent_bits;
  int mantissa_bits;
  std::uint32_t largest;  ///< what overflow and infinity become: the pattern of infinity, or of the largest number
  std::uint32_t nan;      ///< the canonical NaN; the smallest NaN is `largest` + 1
  bool has_nan_payload;   ///< a NaN carries the top bits of the payload of a float's NaN

  constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  constexpr std::uint32_t magnitude_mask() const { return (1U << (exponent_bits + mantissa_bits)) - 1; }
};

inline constexpr small_float_format float16_format{5, 10, 0x7c00, 0x7e00, true};
inline constexpr small_float_format bfloat16_format{8, 7, 0x7f80, 0x7fc0, true};
inline constexpr small_float_format float8_e4m3_format{4, 3, 0x7e, 0x7f, false};
inline constexpr small_float_format float8_e5m2_format{5, 2, 0x7c, 0x7e, true};

inline constexpr std::uint32_t float_magnitude_mask = 0x7fffffff;
inline constexpr std::uint32_t float_infinity = 0x7f800000;
inline constexpr std::uint32_t float_quiet_bit = 0x00400000;
inline constexpr int float_mantissa_bits = 23;
inline constexpr int float_bias = 127;

/// `value` shifted right with rounding to nearest, ties to even. `shift` in 1 .. 31.
constexpr std::uint32_t shift_to_nearest_even(std::uint32_t value, int shift) {
  const std::uint32_t half_below = (1U << (shift - 1)) - 1;
  const std::uint32_t is_odd = value >> shift & 1;
  return (value + half_below + is_odd) >> shift;
}

/// The pattern of the nearest number, ties to even; overflow gives `largest`, NaN a quiet NaN of the same sign.
constexpr std::uint32_t encode(float value, const small_float_format& format) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << (format.exponent_bits + format.mantissa_bits);
  const std::uint32_t magnitude = bits & float_magnitude_mask;
  const int narrowing = float_mantissa_bits - format.mantissa_bits;
  if (magnitude > float_infinity)
    return sign | format.nan | (format.has_nan_payload ? magnitude >> narrowing & format.magnitude_mask() : 0);

  const int exponent = static_cast<int>(magnitude >> float_mantissa_bits) - float_bias + format.bias();
  std::uint32_t pattern = 0;
  if (exponent >= 1) {
    const auto rebias = static_cast<std::uint32_t>(float_bias - format.bias()) << float_mantissa_bits;
    pattern = shift_to_nearest_even(magnitude - rebias, narrowing);
  } else if (format.exponent_bits == 8) {  // subnormal in both: the same scale
    pattern = shift_to_nearest_even(magnitude, narrowing);
  } else {
    const int shift = narrowing + 1 - exponent;
    const std::uint32_t significand = (magnitude & ((1U << float_mantissa_bits) - 1)) | 1U << float_mantissa_bits;
    if (shift <= float_mantissa_bits + 1) pattern = shift_to_nearest_even(significand, shift);
  }
  return sign | (pattern < format.largest ? pattern : format.largest);
}

/// The number that a pattern means, exactly; a NaN becomes a quiet NaN with the same sign and payload.
constexpr float decode(std::uint32_t pattern, const small_float_format& format) {
  const std::uint32_t sign = pattern >> (format.exponent_bits + format.mantissa_bits) << 31;
  const std::uint32_t magnitude = pattern & format.magnitude_mask();
  const int widening = float_mantissa_bits - format.mantissa_bits;
  const std::uint32_t mantissa = magnitude & ((1U << format.mantissa_bits) - 1);
  const bool has_infinity = format.largest + 1 < format.nan;
  std::uint32_t bits = 0;
  if (magnitude > format.largest) {
    bits = float_infinity | float_quiet_bit | (format.has_nan_payload ? mantissa << widening : 0);
  } else if (has_infinity && magnitude == format.largest) {
    bits = float_infinity;
  } else if (magnitude >> format.mantissa_bits != 0) {
    bits = (magnitude << widening) + (static_cast<std::uint32_t>(float_bias - format.bias()) << float_mantissa_bits);
  } else if (format.exponent_bits == 8) {
    bits = magnitude << widening;
  } else if (mantissa != 0) {
    const int leading = 31 - std::countl_zero(mantissa);
    const int exponent = float_bias + 1 - format.bias() - format.mantissa_bits + leading;
    const std::uint32_t fraction = mantissa << (float_mantissa_bits - leading) & ((1U << float_mantissa_bits) - 1);
    bits = static_cast<std::uint32_t>(exponent) << float_mantissa_bits | fraction;
  }
  return std::bit_cast<float>(sign | bits);
}

}  // namespace hawser::detail
