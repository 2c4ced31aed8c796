// Kernels for AVX2 and F16C. Headers come before the target, so that nothing shared is compiled for it. Without FMA,
// which could contract a product and a sum.
#include "reduce_kernels.hpp"

#ifdef HAWSER_X86_KERNELS
#include <immintrin.h>

#include <cstdint>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,f16c")
#endif

#define HAWSER_VECTOR_BYTES 32
#define HAWSER_WIDEN_FLOAT16(half) _mm256_cvtph_ps(half)
#define HAWSER_NARROW_FLOAT16(single) _mm256_cvtps_ph(single, _MM_FROUND_TO_NEAREST_INT)
#define HAWSER_SUBTRACT_SATURATING(a, b) _mm256_subs_epu16((__m256i)(a), (__m256i)(b))
#define HAWSER_FLOAT16_VECTOR __m128i
#include "reduce_kernels.inc"

#ifdef __clang__
#pragma clang attribute pop
#endif

const hawser::executor::kernel_table& hawser::executor::avx2_kernels() noexcept {
  return table;
}
#endif
