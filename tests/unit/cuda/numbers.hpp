// Elements, and what a reduction of them must give: integers exactly, floats within the bound of their float64 sum.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "unit/cuda/host_grid.hpp"
#include "unit/executor/reduce_reference.hpp"

namespace device_testing {

using hawser::reduce_kind;

/// Integers of random bits; floats whose sums and products of 16 neither overflow nor vanish in any format; for min and
/// max random bits with all that is special.
template <class T>
std::vector<T> elements_for(reduce_kind kind, std::mt19937_64& random, std::size_t count) {
  if (std::is_integral_v<T> || kind == reduce_kind::min || kind == reduce_kind::max)
    return reduce_testing::random_elements<T>(random, count);
  std::uniform_real_distribution<double> any(-6, 6), near_one(0.8, 1.25);
  std::vector<T> result(count);
  for (T& each : result) each = reduce_testing::rounded<T>(kind == reduce_kind::prod ? near_one(random) : any(random));
  return result;
}

/// Half a unit in the last place of T at 1.
template <class T>
double rounding() {
  if constexpr (!reduce_testing::is_small<T>)
    return std::numeric_limits<T>::epsilon() / 2;
  else if constexpr (std::is_same_v<T, hawser::float16>)
    return 0x1p-11;
  else if constexpr (std::is_same_v<T, hawser::bfloat16>)
    return 0x1p-8;
  else
    return std::is_same_v<T, hawser::float8_e4m3> ? 0x1p-4 : 0x1p-3;
}

/// The smallest step of T near 0, where its rounding is absolute.
template <class T>
double smallest_step() {
  if constexpr (std::is_same_v<T, hawser::float8_e4m3>) return 0x1p-9;
  if constexpr (std::is_same_v<T, hawser::float8_e5m2>) return 0x1p-16;
  if constexpr (std::is_same_v<T, hawser::float16>) return 0x1p-24;
  return std::numeric_limits<float>::min();
}

/// `actual` against the reduction of `values` in order: n roundings of the accumulator (float32, or float64 for
/// float64), of which each is relative to the partial results, and one of T.
template <class T>
::testing::AssertionResult is_reduction(reduce_kind kind, const std::vector<T>& values, T actual, double scale = 1) {
  using reduce_testing::wide;
  const bool is_exact = std::is_integral_v<T> || kind == reduce_kind::min || kind == reduce_kind::max;
  if (is_exact) {
    T expected = values[0];
    for (std::size_t j = 1; j < values.size(); ++j) expected = reduce_testing::reference_of(kind, expected, values[j]);
    // one input is not reduced, but its NaN may become quiet
    if (reduce_testing::is_same(values.size() == 1 ? reduce_kind::sum : kind, actual, expected))
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << wide(actual) << ", not exactly " << wide(expected);
  }
  long double exact = static_cast<long double>(wide(values[0])), magnitude = std::fabs(exact);
  for (std::size_t j = 1; j < values.size(); ++j) {
    const long double next = static_cast<long double>(wide(values[j]));
    exact = kind == reduce_kind::prod ? exact * next : exact + next;
    magnitude = kind == reduce_kind::prod ? std::fabs(exact) : magnitude + std::fabs(next);
  }
  exact *= scale;
  magnitude *= std::fabs(scale);
  const double accumulator = std::is_same_v<T, double> ? 0x1p-53 : 0x1p-24;
  const auto n = static_cast<double>(values.size() + 1);
  const double bound = n * accumulator * static_cast<double>(magnitude) +
                       (1 + n * accumulator) * rounding<T>() * std::fabs(static_cast<double>(exact)) +
                       smallest_step<T>() / 2;
  const double difference = std::fabs(static_cast<double>(static_cast<long double>(wide(actual)) - exact));
  if (difference <= bound) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << wide(actual) << " is " << difference << " from " << static_cast<double>(exact)
                                       << ", more than " << bound;
}

}  // namespace device_testing
