// bfloat16: the top half of a float (1 sign, 8 exponent, 7 mantissa bits) as a storage type; arithmetic is done in
// float.
#pragma once

#include <compare>
#include <cstdint>

#include <hawser/core/small_float.hpp>

namespace hawser {

/// A bfloat16 number. From float: the nearest number, ties to even, subnormal numbers included; overflow gives
/// infinity; NaN stays NaN (quiet, with sign and top payload bits). To float: exact.
struct bfloat16 {
  std::uint16_t bits;

  bfloat16() = default;  // trivial, like a float: not initialised unless written as bfloat16{}
  explicit constexpr bfloat16(float value)
      : bits(static_cast<std::uint16_t>(detail::encode(value, detail::bfloat16_format))) {}
  explicit constexpr operator float() const { return detail::decode(bits, detail::bfloat16_format); }

  /// The value with this bit pattern.
  static constexpr bfloat16 from_bits(std::uint16_t pattern) {
    bfloat16 result{};
    result.bits = pattern;
    return result;
  }

  /// Compares the numbers: -0 equals +0, and NaN nothing.
  friend constexpr bool operator==(bfloat16 a, bfloat16 b) { return static_cast<float>(a) == static_cast<float>(b); }
  friend constexpr std::partial_ordering operator<=>(bfloat16 a, bfloat16 b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }
};

}  // namespace hawser
