// float8_e4m3 and float8_e5m2 of the OCP 8-bit Floating Point Specification 1.0 as storage types; arithmetic is in
// float.
#pragma once

#include <compare>
#include <cstdint>

#include <hawser/core/small_float.hpp>

namespace hawser {

/// E4M3, known as "fn": no infinity, one NaN per sign, largest number 448. From float: the nearest number, ties to
/// even; overflow and infinity saturate to 448 with the sign (the specification's saturating mode); NaN stays NaN.
struct float8_e4m3 {
  std::uint8_t bits;

  float8_e4m3() = default;  // trivial, like a float: not initialised unless written as float8_e4m3{}
  explicit constexpr float8_e4m3(float value)
      : bits(static_cast<std::uint8_t>(detail::encode(value, detail::float8_e4m3_format))) {}
  explicit constexpr operator float() const { return detail::decode(bits, detail::float8_e4m3_format); }

  /// The value with this bit pattern.
  static constexpr float8_e4m3 from_bits(std::uint8_t pattern) {
    float8_e4m3 result{};
    result.bits = pattern;
    return result;
  }

  /// Compares the numbers: -0 equals +0, and NaN nothing.
  friend constexpr bool operator==(float8_e4m3 a, float8_e4m3 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
  friend constexpr std::partial_ordering operator<=>(float8_e4m3 a, float8_e4m3 b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }
};

/// E5M2: the top half of a binary16, largest number 57344, with infinity. From float: the nearest number, ties to even;
/// overflow gives infinity (the specification's non-saturating mode), so that it stays visible; NaN stays NaN.
struct float8_e5m2 {
  std::uint8_t bits;

  float8_e5m2() = default;  // trivial, like a float: not initialised unless written as float8_e5m2{}
  explicit constexpr float8_e5m2(float value)
      : bits(static_cast<std::uint8_t>(detail::encode(value, detail::float8_e5m2_format))) {}
  explicit constexpr operator float() const { return detail::decode(bits, detail::float8_e5m2_format); }

  /// The value with this bit pattern.
  static constexpr float8_e5m2 from_bits(std::uint8_t pattern) {
    float8_e5m2 result{};
    result.bits = pattern;
    return result;
  }

  /// Compares the numbers: -0 equals +0, and NaN nothing.
  friend constexpr bool operator==(float8_e5m2 a, float8_e5m2 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
  friend constexpr std::partial_ordering operator<=>(float8_e5m2 a, float8_e5m2 b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }
};

}  // namespace hawser
