// What the device computes in: the accumulator of an element type, and the way there and back.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <hawser/core/data_type.hpp>
#include <hawser/cuda/device/convert_ptx.hpp>
#include <hawser/cuda/device/qualifiers.hpp>

namespace hawser::cuda::device {

/// The accumulator of T and the conversions; specialise it for a type of yours that accumulates in something wider.
/// The default keeps T. Conversions must be callable on the device.
template <class T>
struct element {
  using accumulator = T;
  /// To the accumulator, and back.
  static HAWSER_DEVICE accumulator widen(T value) { return value; }
  static HAWSER_DEVICE T narrow(accumulator value) { return value; }
};

/// Integers below 32 bits are computed in 32 bits of the same sign; what a sum carries beyond is cut off at the end.
template <std::integral T>
requires(sizeof(T) < sizeof(std::int32_t)) struct element<T> {
  using accumulator = std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>;
  static HAWSER_DEVICE accumulator widen(T value) { return value; }
  static HAWSER_DEVICE T narrow(accumulator value) { return static_cast<T>(value); }
};

/// The floats of 8 and 16 bits.
template <class T>
concept small_float = std::same_as<T, float16> || std::same_as<T, bfloat16> || std::same_as<T, float8_e4m3> ||
    std::same_as<T, float8_e5m2>;

/// They accumulate in float32 and are rounded once, to nearest even; overflow as docs/types.md says.
template <small_float T>
struct element<T> {
  using accumulator = float;
  static HAWSER_DEVICE float widen(T value) {
#if defined(__CUDA_ARCH__)
    return ptx::widen(value);
#else
    return static_cast<float>(value);
#endif
  }
  static HAWSER_DEVICE T narrow(float value) {
#if defined(__CUDA_ARCH__)
    return ptx::narrow<T>(value);
#else
    return T(value);
#endif
  }
};

template <class T>
using accumulator_of = typename element<T>::accumulator;

/// From the accumulator of `In` to an element of `Out`: a cast on output, through float32 or float64.
template <class In, class Out>
HAWSER_DEVICE Out narrow_to(accumulator_of<In> value) {
  if constexpr (std::same_as<In, Out> || std::same_as<accumulator_of<In>, accumulator_of<Out>>)
    return element<Out>::narrow(value);
  else
    return element<Out>::narrow(static_cast<accumulator_of<Out>>(value));
}

}  // namespace hawser::cuda::device
