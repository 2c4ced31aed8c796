// The operators on accumulators. min and max: NaN wins, as the canonical one, and -0 < +0 (docs/types.md).
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <hawser/core/reduce_op.hpp>
#include <hawser/cuda/device/qualifiers.hpp>

namespace hawser::cuda::device {

/// a + b; integers wrap around.
struct add {
  template <class A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    if constexpr (std::integral<A>)
      return static_cast<A>(static_cast<std::make_unsigned_t<A>>(a) + static_cast<std::make_unsigned_t<A>>(b));
    else
      return a + b;
  }
};

/// a * b; integers wrap around.
struct multiply {
  template <class A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    if constexpr (std::integral<A>)
      return static_cast<A>(static_cast<std::make_unsigned_t<A>>(a) * static_cast<std::make_unsigned_t<A>>(b));
    else
      return a * b;
  }
};

/// The smaller, or with `IsMax` the greater one.
template <bool IsMax>
struct extreme {
  template <class A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    if constexpr (std::floating_point<A>) {
      if (a != a || b != b) return std::numeric_limits<A>::quiet_NaN();
      if (a == b) return is_negative(a) != IsMax ? a : b;  // they differ in the sign of zero at most
    }
    return (b < a) != IsMax ? b : a;
  }

 private:
  template <class A>
  static HAWSER_DEVICE bool is_negative(A value) {
#if defined(__CUDA_ARCH__)
    return signbit(value);
#else
    return __builtin_signbit(value);
#endif
  }
};
using lesser = extreme<false>;
using greater = extreme<true>;

/// Bit by bit.
struct bitwise_and {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return a & b;
  }
};
/// Bit by bit.
struct bitwise_or {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return a | b;
  }
};
/// Bit by bit.
struct bitwise_xor {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return a ^ b;
  }
};

/// 1 or 0; every value but 0 is true.
struct truth_and {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return static_cast<A>(a != 0 && b != 0);
  }
};
/// 1 or 0; every value but 0 is true.
struct truth_or {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return static_cast<A>(a != 0 || b != 0);
  }
};
/// 1 or 0; every value but 0 is true.
struct truth_xor {
  template <std::integral A>
  HAWSER_DEVICE A operator()(A a, A b) const {
    return static_cast<A>((a != 0) != (b != 0));
  }
};

namespace detail {

template <reduce_kind Kind>
constexpr auto operator_value() {
  if constexpr (Kind == reduce_kind::prod)
    return multiply{};
  else if constexpr (Kind == reduce_kind::min)
    return lesser{};
  else if constexpr (Kind == reduce_kind::max)
    return greater{};
  else if constexpr (Kind == reduce_kind::bit_and)
    return bitwise_and{};
  else if constexpr (Kind == reduce_kind::bit_or)
    return bitwise_or{};
  else if constexpr (Kind == reduce_kind::bit_xor)
    return bitwise_xor{};
  else if constexpr (Kind == reduce_kind::logical_and)
    return truth_and{};
  else if constexpr (Kind == reduce_kind::logical_or)
    return truth_or{};
  else if constexpr (Kind == reduce_kind::logical_xor)
    return truth_xor{};
  else
    return add{};  // sum; avg and premul_sum add too, and scale
}

}  // namespace detail

/// The operator of a kind; avg and premul_sum add, what they scale is an epilogue's or a prologue's affair.
template <reduce_kind Kind>
using operator_of = decltype(detail::operator_value<Kind>());

}  // namespace hawser::cuda::device
