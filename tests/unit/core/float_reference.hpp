// A slow, independent reference of the small floating formats: a table of every number, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <hawser/core/bfloat16.hpp>
#include <hawser/core/float16.hpp>
#include <hawser/core/float8.hpp>

namespace reference {

/// What the standards say about a format. Patterns without the sign.
struct format {
  int exponent_bits;
  int mantissa_bits;
  std::uint32_t largest_finite;
  std::uint32_t overflow;  ///< pattern that overflow becomes
  bool has_infinity;

  std::uint32_t sign_bit() const { return 1U << (exponent_bits + mantissa_bits); }
  std::uint32_t infinity() const { return largest_finite + 1; }

  /// The number of a finite pattern without the sign.
  double value(std::uint32_t pattern) const {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(pattern >> mantissa_bits);
    const double fraction = std::ldexp(static_cast<double>(pattern & ((1U << mantissa_bits) - 1)), -mantissa_bits);
    return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
  }
};

template <class T>
format format_of();
template <>
inline format format_of<hawser::float16>() {
  return {5, 10, 0x7bff, 0x7c00, true};
}
template <>
inline format format_of<hawser::bfloat16>() {
  return {8, 7, 0x7f7f, 0x7f80, true};
}
template <>
inline format format_of<hawser::float8_e4m3>() {
  return {4, 3, 0x7e, 0x7e, false};
}
template <>
inline format format_of<hawser::float8_e5m2>() {
  return {5, 2, 0x7b, 0x7c, true};
}

template <class T>
const std::vector<double>& finite_values() {
  static const std::vector<double> values = [] {
    const format f = format_of<T>();
    std::vector<double> all;
    for (std::uint32_t pattern = 0; pattern <= f.largest_finite; ++pattern) all.push_back(f.value(pattern));
    return all;
  }();
  return values;
}

/// The pattern nearest to a number that is not NaN, ties to even.
template <class T>
std::uint32_t nearest(double value) {
  const format f = format_of<T>();
  const std::vector<double>& values = finite_values<T>();
  const std::uint32_t sign = std::signbit(value) ? f.sign_bit() : 0;
  const double magnitude = std::abs(value);
  const double last_step = values.back() - values[values.size() - 2];
  if (magnitude >= values.back() + last_step / 2) return sign | f.overflow;
  if (magnitude >= values.back()) return sign | f.largest_finite;
  const auto above =
      static_cast<std::uint32_t>(std::upper_bound(values.begin(), values.end(), magnitude) - values.begin());
  const std::uint32_t below = above - 1;
  const double to_below = magnitude - values[below];
  const double to_above = values[above] - magnitude;
  if (to_below != to_above) return sign | (to_below < to_above ? below : above);
  return sign | (below % 2 == 0 ? below : above);
}

}  // namespace reference
