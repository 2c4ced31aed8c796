// Multicast memory of NVLink switches (NVLS) by PTX: sm_90 and later; older targets trap, and are never asked to.
#pragma once

#include <hawser/cuda/device/multimem.hpp>

#include "cta.cuh"

namespace hawser::cuda::device {

namespace ptx {

/// Defines `load_reduce` of 16 bytes for a type and operator. Sums of 16-bit floats are accumulated in float32.
#if __CUDA_ARCH__ >= 900
#define HAWSER_LOAD_REDUCE(type, op, instruction, constraint, register_type)                     \
  template <>                                                                                    \
  __device__ __forceinline__ vec16 load_reduce<type, op>(const std::byte* from) {                \
    register_type r[4];                                                                          \
    asm volatile("multimem.ld_reduce.relaxed.sys.global." instruction " {%0, %1, %2, %3}, [%4];" \
                 : constraint(r[0]), constraint(r[1]), constraint(r[2]), constraint(r[3])        \
                 : "l"(__cvta_generic_to_global(from))                                           \
                 : "memory");                                                                    \
    vec16 result;                                                                                \
    std::memcpy(&result, r, sizeof result);                                                      \
    return result;                                                                               \
  }
#else
#define HAWSER_LOAD_REDUCE(type, op, instruction, constraint, register_type) \
  template <>                                                                \
  __device__ __forceinline__ vec16 load_reduce<type, op>(const std::byte*) { \
    __trap();                                                                \
    return {};                                                               \
  }
#endif

template <class T, class Op>
__device__ vec16 load_reduce(const std::byte* from);
HAWSER_LOAD_REDUCE(float, add, "add.v4.f32", "=f", float)
HAWSER_LOAD_REDUCE(float16, add, "add.acc::f32.v4.f16x2", "=r", std::uint32_t)
HAWSER_LOAD_REDUCE(float16, lesser, "min.v4.f16x2", "=r", std::uint32_t)
HAWSER_LOAD_REDUCE(float16, greater, "max.v4.f16x2", "=r", std::uint32_t)
HAWSER_LOAD_REDUCE(bfloat16, add, "add.acc::f32.v4.bf16x2", "=r", std::uint32_t)
HAWSER_LOAD_REDUCE(bfloat16, lesser, "min.v4.bf16x2", "=r", std::uint32_t)
HAWSER_LOAD_REDUCE(bfloat16, greater, "max.v4.bf16x2", "=r", std::uint32_t)
#undef HAWSER_LOAD_REDUCE

}  // namespace ptx

/// The multicast address of everyone's window. Offsets are those of the windows.
struct switch_memory {
  std::byte* base = nullptr;

  template <class T, class Op>
  __device__ vec16 load_reduce(std::uint64_t offset) const {
    return ptx::load_reduce<T, Op>(base + offset);
  }
  __device__ void store(std::uint64_t offset, const vec16& v) const {
#if __CUDA_ARCH__ >= 900
    asm volatile(
        "multimem.st.relaxed.sys.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(base + offset)),
        "f"(__uint_as_float(v.word[0])), "f"(__uint_as_float(v.word[1])), "f"(__uint_as_float(v.word[2])),
        "f"(__uint_as_float(v.word[3]))
        : "memory");
#else
    __trap();
#endif
  }
};

static_assert(multicast<switch_memory>);

}  // namespace hawser::cuda::device
