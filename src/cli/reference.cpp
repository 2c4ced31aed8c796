// See reference.hpp.
#include "reference.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace hawser::cli {
namespace {

/// The finalizer of splitmix64 (Steele et al. 2014) over rank, block and index.
std::uint64_t mix(rank from, std::int64_t block, std::int64_t index) {
  std::uint64_t x = static_cast<std::uint64_t>(index) + 0x9e3779b97f4a7c15 * static_cast<std::uint64_t>(block + 1) +
                    0xd1b54a32d192ed03 * static_cast<std::uint64_t>(from.value + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

template <class T>
struct float_facts {
  static constexpr double eps = std::numeric_limits<T>::epsilon();
  static constexpr double least = std::numeric_limits<T>::denorm_min();
};
template <>
struct float_facts<float16> {
  static constexpr double eps = 0x1p-10, least = 0x1p-24;
};
template <>
struct float_facts<bfloat16> {
  static constexpr double eps = 0x1p-7, least = 0x1p-133;
};
template <>
struct float_facts<float8_e4m3> {
  static constexpr double eps = 0x1p-3, least = 0x1p-9;
};
template <>
struct float_facts<float8_e5m2> {
  static constexpr double eps = 0x1p-2, least = 0x1p-16;
};

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else
    return static_cast<T>(static_cast<float>(value));
}

template <class T>
T contribution(const workload& work, rank from, std::int64_t block, std::int64_t index) {
  const std::uint64_t bits = mix(from, block, index);
  if constexpr (std::is_integral_v<T>) {
    const bool is_logical = work.op >= reduce_kind::logical_and && work.op <= reduce_kind::logical_xor;
    if (is_logical && bits % 8 == 0) return 0;  // else all values were true
    return static_cast<T>(bits >> (64 - 8 * sizeof(T)));
  } else {
    constexpr int factors_unlike_one = 8;  // more could leave the range of an 8-bit float
    if (work.op == reduce_kind::prod && schedule::reduces(work.what)) {
      const double away = from.value < factors_unlike_one ? static_cast<double>(bits >> 32 & 3) - 1.5 : 0;
      const double magnitude = 1 + away * float_facts<T>::eps;
      return from_double<T>((bits & 1) != 0 ? magnitude : -magnitude);
    }
    return from_double<T>(static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-63);
  }
}

template <class T>
T combine_integers(reduce_kind op, T a, T b) {
  using U = std::uint64_t;  // wraps, as the library's integers do
  switch (op) {
    case reduce_kind::prod: return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    case reduce_kind::min: return std::min(a, b);
    case reduce_kind::max: return std::max(a, b);
    case reduce_kind::bit_and: return static_cast<T>(a & b);
    case reduce_kind::bit_or: return static_cast<T>(a | b);
    case reduce_kind::bit_xor: return static_cast<T>(a ^ b);
    case reduce_kind::logical_and: return static_cast<T>(a != 0 && b != 0);
    case reduce_kind::logical_or: return static_cast<T>(a != 0 || b != 0);
    case reduce_kind::logical_xor: return static_cast<T>((a != 0) != (b != 0));
    default: return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  }
}

template <class T>
bool is_right_integer(const workload& work, std::int64_t ranks, std::int64_t block, std::int64_t index, T got) {
  T expected = contribution<T>(work, 0, block, index);
  for (std::int32_t r = 1; r < ranks; ++r)
    expected = combine_integers(work.op, expected, contribution<T>(work, r, block, index));
  if (work.op == reduce_kind::avg) {
    using wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    expected = static_cast<T>(static_cast<wide>(expected) / static_cast<wide>(ranks));  // toward zero
  }
  return got == expected;
}

template <class T>
bool is_right_float(const workload& work, std::int64_t ranks, std::int64_t block, std::int64_t index, T stored) {
  using wide = std::conditional_t<std::is_same_v<T, double>, long double, double>;
  const auto number = [](T value) -> wide {
    if constexpr (std::is_same_v<T, double>)
      return value;
    else
      return static_cast<float>(value);
  };
  wide sum = 0, sizes = 0, product = 1, least = std::numeric_limits<wide>::infinity(), most = -least;
  for (std::int32_t r = 0; r < ranks; ++r) {
    wide x = number(contribution<T>(work, r, block, index));
    if (work.op == reduce_kind::premul_sum) x *= premultiplier_of(r);
    sum += x;
    sizes += std::fabs(x);
    product *= x;
    least = std::min(least, x);
    most = std::max(most, x);
  }
  const wide got = number(stored);
  const wide n = static_cast<wide>(ranks);
  constexpr double accumulated = is_float8(data_type_of_v<T>) ? float_facts<float>::eps : float_facts<T>::eps;
  const auto within = [&](wide expected, wide magnitude) {
    const wide bound = n * accumulated * magnitude + float_facts<T>::eps * std::fabs(expected) + float_facts<T>::least;
    return std::fabs(got - expected) <= bound;
  };
  switch (work.op) {
    case reduce_kind::min: return got == least;
    case reduce_kind::max: return got == most;
    case reduce_kind::prod: return within(product, std::fabs(product));
    case reduce_kind::avg: return within(sum / n, sizes / n);
    default: return within(sum, sizes);
  }
}

/// Calls f with a value of the C++ type of a data type.
template <class F>
auto with_type(data_type type, F&& f) {
  switch (type) {
    case data_type::int8: return f(std::int8_t{});
    case data_type::uint8: return f(std::uint8_t{});
    case data_type::int16: return f(std::int16_t{});
    case data_type::uint16: return f(std::uint16_t{});
    case data_type::int32: return f(std::int32_t{});
    case data_type::uint32: return f(std::uint32_t{});
    case data_type::int64: return f(std::int64_t{});
    case data_type::uint64: return f(std::uint64_t{});
    case data_type::float16: return f(float16{});
    case data_type::bfloat16: return f(bfloat16{});
    case data_type::float64: return f(double{});
    case data_type::float8_e4m3: return f(float8_e4m3{});
    case data_type::float8_e5m2: return f(float8_e5m2{});
    default: return f(float{});
  }
}

}  // namespace

void fill_block(const workload& work, rank from, std::int64_t block, std::int64_t count, void* elements) {
  with_type(work.type, [&](auto example) {
    using T = decltype(example);
    T* const to = static_cast<T*>(elements);
    for (std::int64_t i = 0; i < count; ++i) to[i] = contribution<T>(work, from, block, i);
  });
}

std::int64_t count_wrong_moved(const workload& work, rank from, std::int64_t block, std::int64_t count,
                               const void* elements) {
  return with_type(work.type, [&](auto example) {
    using T = decltype(example);
    const T* const got = static_cast<const T*>(elements);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const T expected = contribution<T>(work, from, block, i);
      wrong += std::memcmp(static_cast<const void*>(&expected), static_cast<const void*>(&got[i]), sizeof(T)) != 0;  // bits
    }
    return wrong;
  });
}

std::int64_t count_wrong_reduced(const workload& work, std::int64_t ranks, std::int64_t block, std::int64_t count,
                                 const void* elements) {
  return with_type(work.type, [&](auto example) {
    using T = decltype(example);
    const T* const got = static_cast<const T*>(elements);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<T>)
        wrong += !is_right_integer<T>(work, ranks, block, i, got[i]);
      else
        wrong += !is_right_float<T>(work, ranks, block, i, got[i]);
    }
    return wrong;
  });
}

}  // namespace hawser::cli
