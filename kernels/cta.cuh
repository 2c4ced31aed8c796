// A CTA of a GPU as the device core's block of threads: PTX accesses of system scope.
#pragma once

#include <cstdint>

#include <cuda/atomic>

#include <hawser/cuda/device/block.hpp>

namespace hawser::cuda::device {

/// One thread of a CTA. `Ranks` grids of ctas() CTAs may share one launch: CTA b belongs to rank b / ctas().
class gpu_block {
 public:
  /// `ctas` is the number of CTAs per rank; gridDim.x is a multiple of it.
  __device__ explicit gpu_block(unsigned ctas) : ctas_(ctas) {}

  __device__ unsigned thread() const { return threadIdx.x; }
  __device__ unsigned threads() const { return blockDim.x; }
  __device__ unsigned cta() const { return blockIdx.x % ctas_; }
  __device__ unsigned ctas() const { return ctas_; }
  __device__ unsigned rank() const { return blockIdx.x / ctas_; }

  __device__ void sync() const { __syncthreads(); }
  __device__ bool any(bool condition) const { return __syncthreads_or(condition) != 0; }

  /// Relaxed at system scope: served by L2, never by a line that L1 kept from before a peer wrote.
  __device__ vec16 load(const vec16* from) const {
    vec16 v;
    asm volatile("ld.relaxed.sys.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.word[0]), "=r"(v.word[1]), "=r"(v.word[2]), "=r"(v.word[3])
                 : "l"(__cvta_generic_to_global(from))
                 : "memory");
    return v;
  }
  __device__ void store(vec16* to, const vec16& v) const {
    asm volatile("st.relaxed.sys.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)),
                 "r"(v.word[0]), "r"(v.word[1]), "r"(v.word[2]), "r"(v.word[3])
                 : "memory");
  }

  /// Volatile, as NCCL does: each 8 bytes arrive in one piece.
  __device__ flagged_line load_line(const flagged_line* from) const {
    flagged_line l;
    asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(l.data0), "=r"(l.flag0), "=r"(l.data1), "=r"(l.flag1)
                 : "l"(__cvta_generic_to_global(from))
                 : "memory");
    return l;
  }
  __device__ void store_line(flagged_line* to, const flagged_line& l) const {
    asm volatile("st.volatile.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)), "r"(l.data0),
                 "r"(l.flag0), "r"(l.data1), "r"(l.flag1)
                 : "memory");
  }

  __device__ std::uint32_t load_acquire(const std::uint32_t* from) const {
    return word(from).load(::cuda::memory_order_acquire);
  }
  __device__ std::uint32_t load_relaxed(const std::uint32_t* from) const {
    return word(from).load(::cuda::memory_order_relaxed);
  }
  __device__ void store_release(std::uint32_t* to, std::uint32_t value) const {
    word(to).store(value, ::cuda::memory_order_release);
  }
  __device__ void store_relaxed(std::uint32_t* to, std::uint32_t value) const {
    word(to).store(value, ::cuda::memory_order_relaxed);
  }
  __device__ void claim(std::uint32_t* to, std::uint32_t value) const {
    std::uint32_t expected = 0;
    word(to).compare_exchange_strong(expected, value, ::cuda::memory_order_relaxed);
  }

  __device__ std::uint64_t nanoseconds() const {
    std::uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
  }
  __device__ void pause() const {}

 private:
  using system_word = ::cuda::atomic_ref<std::uint32_t, ::cuda::thread_scope_system>;

  static __device__ system_word word(const std::uint32_t* at) { return system_word(const_cast<std::uint32_t&>(*at)); }

  unsigned ctas_;
};

static_assert(block_policy<gpu_block>);

}  // namespace hawser::cuda::device
