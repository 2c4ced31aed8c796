// What reductions are held against: a += b written by hand with intrinsics, and memcpy. Chosen by the caller, who asks
// the processor first.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAWSER_BASELINE_HAS_X86 1
#endif

namespace baseline {

/// `count` is a multiple of 64.
using add_function = void (*)(float* into, const float* from, std::size_t count);

struct named_add {
  std::string name;
  add_function add;
};

#ifdef HAWSER_BASELINE_HAS_X86
__attribute__((target("avx2"))) inline void add_avx2(float* into, const float* from, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 32)
#pragma GCC unroll 4
    for (std::size_t j = i; j < i + 32; j += 8)
      _mm256_storeu_ps(into + j, _mm256_add_ps(_mm256_loadu_ps(into + j), _mm256_loadu_ps(from + j)));
}

__attribute__((target("avx512f"))) inline void add_avx512(float* into, const float* from, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 64)
#pragma GCC unroll 4
    for (std::size_t j = i; j < i + 64; j += 16)
      _mm512_storeu_ps(into + j, _mm512_add_ps(_mm512_loadu_ps(into + j), _mm512_loadu_ps(from + j)));
}
#endif

inline void add_plain(float* into, const float* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) into[i] += from[i];
}

/// Those that this processor can run.
inline std::vector<named_add> adds() {
  std::vector<named_add> list{{"plain", add_plain}};
#ifdef HAWSER_BASELINE_HAS_X86
  if (__builtin_cpu_supports("avx2")) list.push_back({"avx2", add_avx2});
  if (__builtin_cpu_supports("avx512f")) list.push_back({"avx512", add_avx512});
#endif
  return list;
}

}  // namespace baseline
