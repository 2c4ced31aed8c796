// Kernels for AVX-512 F, BW, DQ and VL. Headers come before the target, so that nothing shared is compiled for it.
#include "reduce_kernels.hpp"

#ifdef HAWSER_X86_KERNELS
#include <immintrin.h>

#include <cstdint>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif

#define HAWSER_VECTOR_BYTES 64
#define HAWSER_WIDEN_FLOAT16(half) _mm512_maskz_cvtph_ps(0xffff, half)
#define HAWSER_NARROW_FLOAT16(single) _mm512_maskz_cvtps_ph(0xffff, single, _MM_FROUND_TO_NEAREST_INT)
#define HAWSER_SUBTRACT_SATURATING(a, b) _mm512_subs_epu16((__m512i)(a), (__m512i)(b))
#define HAWSER_FLOAT16_VECTOR __m256i
#include "reduce_kernels.inc"

#ifdef __clang__
#pragma clang attribute pop
#endif

const hawser::executor::kernel_table& hawser::executor::avx512_kernels() noexcept {
  return table;
}
#endif
