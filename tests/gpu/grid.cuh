// Several ranks in one cooperative grid: each makes calls in a row, with random delays, and checks every one on the
// device.
#pragma once

#include "kernels.cuh"

namespace gpu_testing {

using namespace hawser::cuda::device;
using hawser::cuda::kernels::on_peers;

/// What the ranks of a grid share with the host.
struct grid_job {
  rank_view* views;       ///< by rank
  std::uint32_t* inputs;  ///< by rank, `count` each
  std::uint32_t* outputs;
  std::uint32_t* arrivals;    ///< by rank: for the meeting of its CTAs
  unsigned long long* wrong;  ///< elements
  std::uint64_t count;
  unsigned ctas;  ///< per rank
  int calls;
  int absent;  ///< a rank that makes no call, or -1
  std::uint64_t most_delay_ns;
};

__device__ inline std::uint32_t element_of(unsigned rank, int call, std::uint64_t i) {
  return (rank + 1) * 2654435761U + static_cast<std::uint32_t>(call) * 40503U + static_cast<std::uint32_t>(i);
}

/// The CTAs of one rank meet, as at the end of a kernel; the ranks do not.
__device__ inline void end_of_kernel(const gpu_block& block, std::uint32_t* arrivals, std::uint32_t target) {
  block.sync();
  if (block.thread() == 0) {
    ::cuda::atomic_ref<std::uint32_t, ::cuda::thread_scope_system> word(arrivals[block.rank()]);
    word.fetch_add(1, ::cuda::memory_order_acq_rel);
    while (word.load(::cuda::memory_order_acquire) < target) {
    }
  }
  block.sync();
}

template <on_peers Algorithm>
__global__ void __launch_bounds__(512) calls_in_a_row(const grid_job job) {
  const gpu_block block(job.ctas);
  const unsigned rank = block.rank(), ranks = gridDim.x / job.ctas;
  if (static_cast<int>(rank) == job.absent) return;
  std::uint32_t* const input = job.inputs + rank * job.count;
  std::uint32_t* const output = job.outputs + rank * job.count;
  const std::uint64_t first = block.cta() * block.threads() + block.thread(), step = block.ctas() * block.threads();
  std::uint32_t meetings = 0, random = rank * 7919 + block.cta() * 104729 + 1;
  for (int call = 0; call < job.calls; ++call) {
    for (std::uint64_t i = first; i < job.count; i += step) {
      input[i] = element_of(rank, call, i);
      output[i] = 0xcdcdcdcd;
    }
    end_of_kernel(block, job.arrivals, ++meetings * job.ctas);
    random = random * 1664525U + 1013904223U;
    const std::uint64_t delay = random % 8 == 0 ? random % (job.most_delay_ns + 1) : 0, start = block.nanoseconds();
    while (block.nanoseconds() - start < delay) {
    }
    const reduce_call arguments{.view = job.views[rank],
                                .input = reinterpret_cast<const std::byte*>(input),
                                .output = reinterpret_cast<std::byte*>(output),
                                .count = job.count};
    hawser::cuda::kernels::run_on_peers<Algorithm, std::uint32_t, add>(block, arguments, identity{});
    if (block.load_relaxed(
            arguments.view.at<std::uint32_t>(static_cast<int>(rank), arguments.view.layout.abort_word())) != 0)
      return;
    end_of_kernel(block, job.arrivals, ++meetings * job.ctas);
    for (std::uint64_t i = first; i < job.count; i += step) {
      std::uint32_t sum = 0;
      for (unsigned r = 0; r < ranks; ++r) sum += element_of(r, call, i);
      if (output[i] != sum) atomicAdd(job.wrong, 1ULL);
    }
    end_of_kernel(block, job.arrivals, ++meetings * job.ctas);
  }
}

}  // namespace gpu_testing
