// float16: IEEE 754 binary16 (1 sign, 5 exponent, 10 mantissa bits) as a storage type; arithmetic is done in float.
#pragma once

#include <compare>
#include <cstdint>

#include <hawser/core/small_float.hpp>

namespace hawser {

/// A binary16 number. From float: the nearest number, ties to even; overflow gives infinity; NaN stays NaN (quiet, with
/// sign and top payload bits). To float: exact.
struct float16 {
  std::uint16_t bits;

  float16() = default;  // trivial, like a float: not initialised unless written as float16{}
  explicit constexpr float16(float value)
      : bits(static_cast<std::uint16_t>(detail::encode(value, detail::float16_format))) {}
  explicit constexpr operator float() const { return detail::decode(bits, detail::float16_format); }

  /// The value with this bit pattern.
  static constexpr float16 from_bits(std::uint16_t pattern) {
    float16 result{};
    result.bits = pattern;
    return result;
  }

  /// Compares the numbers: -0 equals +0, and NaN nothing.
  friend constexpr bool operator==(float16 a, float16 b) { return static_cast<float>(a) == static_cast<float>(b); }
  friend constexpr std::partial_ordering operator<=>(float16 a, float16 b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }
};

}  // namespace hawser
