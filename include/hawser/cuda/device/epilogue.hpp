// What happens to a reduced value before it is stored: nothing, the scaling of an average, or a functor of the user.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <hawser/cuda/device/element.hpp>
#include <hawser/cuda/device/qualifiers.hpp>

namespace hawser::cuda::device {

/// An epilogue on elements of T: `accumulator operator()(accumulator value, std::size_t index) const`, where index is
/// the element's place in the output of this call. A bias or residual is added by a functor that holds a device
/// pointer.
template <class F, class T>
concept epilogue = std::is_trivially_copyable_v<F> && requires(const F& f, accumulator_of<T> value, std::size_t index) {
  { f(value, index) } -> std::convertible_to<accumulator_of<T>>;
};

/// Stores what was reduced.
struct identity {
  template <class A>
  HAWSER_DEVICE A operator()(A value, std::size_t) const {
    return value;
  }
};

/// The epilogue of a part that begins at element `begin` of the output.
template <class Epilogue>
struct shifted {
  const Epilogue& finish;
  std::size_t begin;

  template <class A>
  HAWSER_DEVICE A operator()(A value, std::size_t index) const {
    return finish(value, begin + index);
  }
};

/// What a sum is scaled by: nothing, divided (an average; signed or unsigned integers truncate), or multiplied
/// (floats).
enum class scaling : std::uint32_t { none, divide, divide_signed, multiply };

/// The scaling of a sum, chosen at run time. Integers are cut to the width of T first, so that a wrapped sum is
/// divided.
template <class T>
struct scaled {
  scaling how = scaling::none;
  std::uint32_t divisor = 1;
  accumulator_of<T> factor{};

  HAWSER_DEVICE accumulator_of<T> operator()(accumulator_of<T> value, std::size_t) const {
    using A = accumulator_of<T>;
    if (how == scaling::none) return value;
    if constexpr (std::integral<T>) {
      const T cut = static_cast<T>(value);
      if (how == scaling::divide_signed) {
        using signed_type = std::make_signed_t<std::conditional_t<sizeof(T) < 8, std::int64_t, T>>;
        const auto wide = static_cast<signed_type>(static_cast<std::make_signed_t<T>>(cut));
        return static_cast<A>(wide / static_cast<signed_type>(divisor));
      }
      return static_cast<A>(cut / static_cast<std::conditional_t<sizeof(T) < 8, std::uint32_t, T>>(divisor));
    } else {
      return how == scaling::multiply ? value * factor : value / static_cast<A>(divisor);
    }
  }
};

}  // namespace hawser::cuda::device
