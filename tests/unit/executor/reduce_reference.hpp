// Scalar references, random elements and misaligned buffers for the tests of the kernels.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/executor/reduce.hpp>

#include "unit/core/float_reference.hpp"

namespace reduce_testing {

using hawser::data_type;
using hawser::reduce_kind;
using hawser::executor::instruction_set;
using hawser::executor::instruction_sets;

constexpr std::size_t odd_sizes[] = {0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 1001};

template <class T>
constexpr bool is_small = std::is_class_v<T>;

/// A number rounded to T from double; exact sums and products of small formats are rounded once this way.
template <class T>
T rounded(double value) {
  if constexpr (!is_small<T>)
    return static_cast<T>(value);
  else if (std::isnan(value))
    return T(std::numeric_limits<float>::quiet_NaN());
  else
    return T::from_bits(static_cast<decltype(T::bits)>(reference::nearest<T>(value)));
}

template <class T>
double wide(T value) {
  if constexpr (is_small<T>)
    return static_cast<double>(static_cast<float>(value));
  else
    return static_cast<double>(value);
}

template <class T>
bool is_nan(T value) {
  return std::isnan(wide(value));
}

template <class T>
T reference_floating(reduce_kind kind, T a, T b) {
  const double x = wide(a), y = wide(b);
  switch (kind) {
    case reduce_kind::prod: return std::is_same_v<T, float> ? rounded<T>(float(x) * float(y)) : rounded<T>(x * y);
    case reduce_kind::min:
    case reduce_kind::max: {
      if (std::isnan(x) || std::isnan(y)) return rounded<T>(std::numeric_limits<double>::quiet_NaN());
      if (x == y) return std::signbit(x) == (kind == reduce_kind::min) ? a : b;  // differ in the sign of zero only
      return (x < y) == (kind == reduce_kind::min) ? a : b;
    }
    default: return std::is_same_v<T, float> ? rounded<T>(float(x) + float(y)) : rounded<T>(x + y);
  }
}

template <class T>
T reference_integer(reduce_kind kind, T a, T b) {
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  switch (kind) {
    case reduce_kind::prod: return static_cast<T>(x * y);
    case reduce_kind::min: return std::min(a, b);
    case reduce_kind::max: return std::max(a, b);
    case reduce_kind::bit_and: return static_cast<T>(x & y);
    case reduce_kind::bit_or: return static_cast<T>(x | y);
    case reduce_kind::bit_xor: return static_cast<T>(x ^ y);
    case reduce_kind::logical_and: return static_cast<T>(a != 0 && b != 0);
    case reduce_kind::logical_or: return static_cast<T>(a != 0 || b != 0);
    case reduce_kind::logical_xor: return static_cast<T>((a != 0) != (b != 0));
    default: return static_cast<T>(x + y);
  }
}

template <class T>
T reference_of(reduce_kind kind, T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return reference_integer(kind, a, b);
  else
    return reference_floating(kind, a, b);
}

/// Equal bits; the payload of a NaN that arithmetic makes is the processor's affair, that of min and max is not.
template <class T>
bool is_same(reduce_kind kind, T a, T b) {
  const bool payload_counts = kind == reduce_kind::min || kind == reduce_kind::max;
  if constexpr (!std::is_integral_v<T>)
    if (!payload_counts && is_nan(a) && is_nan(b)) return true;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// Elements of random bits, every fourth one a value at which something special happens.
template <class T>
std::vector<T> random_elements(std::mt19937_64& random, std::size_t count) {
  std::vector<T> result(count);
  for (T& element : result) {
    const std::uint64_t bits = random();
    std::memcpy(static_cast<void*>(&element), &bits, sizeof(T));
    if (bits >> 62 != 0) continue;
    if constexpr (std::is_integral_v<T>) {
      const T special[] = {0, 1, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
      element = special[bits % 4];
    } else {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const double special[] = {0.0, -0.0, 1.0, -1.0, infinity, -infinity, std::nan("")};
      element = rounded<T>(special[bits % 7]);
    }
  }
  return result;
}

enum class alias { none, left, right };

/// A buffer whose elements start `offset` bytes off any alignment, with guard bytes on both sides.
template <class T>
class skewed {
 public:
  skewed(const std::vector<T>& elements, std::size_t offset)
      : offset_(offset), memory_(elements.size() * sizeof(T) + offset + guard_bytes, guard) {
    if (!elements.empty()) std::memcpy(data(), elements.data(), elements.size() * sizeof(T));
  }
  std::byte* data() { return memory_.data() + offset_; }
  T operator[](std::size_t i) const {
    T element;
    std::memcpy(&element, memory_.data() + offset_ + i * sizeof(T), sizeof(T));
    return element;
  }
  bool has_intact_guards() const {
    const auto is_guard = [](std::byte b) { return b == guard; };
    return std::all_of(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(offset_), is_guard) &&
           std::all_of(memory_.end() - guard_bytes, memory_.end(), is_guard);
  }

 private:
  static constexpr std::byte guard{0xa5};
  static constexpr std::ptrdiff_t guard_bytes = 64;
  std::size_t offset_;
  std::vector<std::byte> memory_;
};

}  // namespace reduce_testing
