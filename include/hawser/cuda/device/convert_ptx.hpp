// Conversions of the floats of 8 and 16 bits by the GPU's own instructions; empty but where nvcc compiles for the
// device.
#pragma once

#include <cstdint>

#include <hawser/core/data_type.hpp>
#include <hawser/cuda/device/qualifiers.hpp>

#if defined(__CUDA_ARCH__)

namespace hawser::cuda::device::ptx {

/// Exact.
HAWSER_DEVICE float widen(float16 value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}
/// Exact.
HAWSER_DEVICE float widen(bfloat16 value) {
  return __uint_as_float(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Through binary16, which holds every number of both formats; before sm_89 by integer arithmetic.
HAWSER_DEVICE float widen(float8_e4m3 value) {
#if __CUDA_ARCH__ >= 890
  std::uint32_t pair;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<std::uint16_t>(value.bits)));
  return widen(float16::from_bits(static_cast<std::uint16_t>(pair)));
#else
  return detail::decode(value.bits, detail::float8_e4m3_format);
#endif
}
/// The top half of a binary16.
HAWSER_DEVICE float widen(float8_e5m2 value) {
  return widen(float16::from_bits(static_cast<std::uint16_t>(value.bits << 8)));
}

/// To the nearest, ties to even; NaN becomes the canonical one of the format (hawser/core/small_float.hpp).
template <class T>
HAWSER_DEVICE T narrow(float value);

/// As above.
template <>
HAWSER_DEVICE float16 narrow<float16>(float value) {
  std::uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return float16::from_bits(value != value ? std::uint16_t{0x7e00} : bits);
}
/// As above.
template <>
HAWSER_DEVICE bfloat16 narrow<bfloat16>(float value) {
  std::uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bfloat16::from_bits(value != value ? std::uint16_t{0x7fc0} : bits);
}
/// As above, saturating.
template <>
HAWSER_DEVICE float8_e4m3 narrow<float8_e4m3>(float value) {
#if __CUDA_ARCH__ >= 890
  std::uint16_t pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0F), "f"(value));
  return float8_e4m3::from_bits(static_cast<std::uint8_t>(value != value ? 0x7f : pair & 0xff));
#else
  return float8_e4m3(value);
#endif
}

/// The instruction saturates, the library's e5m2 goes to infinity: from 61440 on, the middle of 57344 and 65536.
template <>
HAWSER_DEVICE float8_e5m2 narrow<float8_e5m2>(float value) {
#if __CUDA_ARCH__ >= 890
  constexpr float first_infinite = 61440.0F;
  std::uint16_t pair;
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0F), "f"(value));
  std::uint32_t bits = pair & 0xff;
  if (fabsf(value) >= first_infinite) bits = (bits & 0x80) | 0x7c;
  return float8_e5m2::from_bits(static_cast<std::uint8_t>(value != value ? 0x7e : bits));
#else
  return float8_e5m2(value);
#endif
}

}  // namespace hawser::cuda::device::ptx

#endif
