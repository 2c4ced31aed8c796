// Sums of floats as sums of integers, the same for every order: each contribution becomes a 64-bit multiple of a power
// of two that all ranks agreed on. After Demmel and Nguyen, Fast reproducible floating-point summation (ARITH 2013).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace hawser {

/// Contributions that a sum may have, so that it fits 63 bits whatever they are. A bound, and not the number of ranks:
/// the bits must not depend on it.
inline constexpr std::int64_t most_integer_summands = std::int64_t{1} << 20;

namespace detail {

/// The largest contribution has 43 bits: 63 less those of the number of summands.
inline constexpr int integer_sum_bits = 42;
/// The scale of infinities and NaN; finite numbers have their float32's biased exponent, 0 only for zeros.
inline constexpr std::uint8_t special_scale = 255;
/// What special values count as: three counters of 21 bits side by side.
inline constexpr int special_counter_bits = 21;

/// 2^exponent; exponents of normal doubles.
constexpr double exponential_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}

/// 2^this is what an integer of a scale counts.
constexpr int quantum_exponent(std::uint8_t scale) {
  return static_cast<int>(scale) - 127 - integer_sum_bits;
}

inline std::int64_t special_to_integer(float value) {
  if (std::isnan(value)) return std::int64_t{1} << (2 * special_counter_bits);
  if (std::isinf(value)) return value > 0 ? 1 : std::int64_t{1} << special_counter_bits;
  return 0;
}

inline float special_from_integer(std::int64_t sum) {
  constexpr std::int64_t mask = (std::int64_t{1} << special_counter_bits) - 1;
  const bool has_positive = (sum & mask) != 0, has_negative = (sum >> special_counter_bits & mask) != 0;
  const bool has_nan = sum >> (2 * special_counter_bits) != 0;
  if (has_nan || has_positive == has_negative) return std::numeric_limits<float>::quiet_NaN();
  return has_positive ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
}

/// Rounds to so many binary digits, to nearest, ties to even.
inline double round_to_digits(std::int64_t value, int digits) {
  const bool is_negative = value < 0;
  std::uint64_t size = is_negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  if (const int excess = static_cast<int>(std::bit_width(size)) - digits; excess > 0) {
    const std::uint64_t unit = std::uint64_t{1} << excess, rest = size & (unit - 1), half = unit / 2;
    size -= rest;
    if (rest > half || (rest == half && (size & unit) != 0)) size += unit;
  }
  const auto rounded = static_cast<double>(size);
  return is_negative ? -rounded : rounded;
}

}  // namespace detail

/// How large a contribution is, for the ranks to agree on the largest: 0 for zeros, 255 for infinities and NaN.
constexpr std::uint8_t integer_scale_of(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value) & 0x7fffffffU;
  const auto exponent = static_cast<std::uint8_t>(bits >> 23);
  return bits != 0 && exponent == 0 ? 1 : exponent;  // denormals have the exponent of the least normal
}

/// A contribution in units of the agreed scale, rounded to nearest even: to 2^-42 of the power of two at or below the
/// largest contribution. `scale` is at least the value's own.
inline std::int64_t to_integer(float value, std::uint8_t scale) noexcept {
  if (scale == detail::special_scale) return detail::special_to_integer(value);
  // Adding 1.5 * 2^52 leaves the nearest integer in the low bits; the product is exact.
  constexpr double shift = 0x1.8p52;
  const double product = static_cast<double>(value) * detail::exponential_of_two(-detail::quantum_exponent(scale));
  return std::bit_cast<std::int64_t>(product + shift) - std::bit_cast<std::int64_t>(shift);
}

/// The sum of such integers, rounded once to `digits` of significand (24 for float32, 11 for float16, 8 for bfloat16).
/// A sum of zero is +0; what is too large is infinite; NaN is the canonical quiet one.
inline float from_integer(std::int64_t sum, std::uint8_t scale, int digits) noexcept {
  if (scale == detail::special_scale) return detail::special_from_integer(sum);
  // Exact: no digit lies below the least denormal of the type, of which all contributions are multiples.
  return static_cast<float>(detail::round_to_digits(sum, digits) *
                            detail::exponential_of_two(detail::quantum_exponent(scale)));
}

}  // namespace hawser
