// On a GPU: k ranks in one cooperative grid, many calls with random delays, and a rank that never arrives.
#include <chrono>
#include <cstdlib>
#include <string>

#include "device_memory.hpp"
#include "grid.cuh"

namespace gpu_testing {
namespace {

/// Calls of a test: HAWSER_GPU_CALLS, or few; bench/gpu/run_all.sh asks for 100,000.
int calls_asked() {
  const char* const text = std::getenv("HAWSER_GPU_CALLS");
  return text != nullptr ? std::atoi(text) : 2000;
}

const void* kernel_of(on_peers algorithm) {
  switch (algorithm) {
    case on_peers::one_shot: return reinterpret_cast<const void*>(&calls_in_a_row<on_peers::one_shot>);
    case on_peers::two_shot: return reinterpret_cast<const void*>(&calls_in_a_row<on_peers::two_shot>);
    default: return reinterpret_cast<const void*>(&calls_in_a_row<on_peers::low_latency>);
  }
}

/// Views, windows and buffers of k ranks on one GPU.
struct grid {
  grid(int ranks, std::uint64_t count, unsigned ctas, std::uint64_t timeout_ns)
      : layout{{.ranks = ranks,
                .ctas = static_cast<std::int32_t>(ctas),
                .low_latency_bytes = 16 << 10,
                .staging_bytes = 64 << 10}},
        windows(layout.bytes() * static_cast<unsigned>(ranks)),
        views(sizeof(rank_view) * static_cast<unsigned>(ranks)),
        buffers(2 * count * 4 * static_cast<unsigned>(ranks)),
        counters(4096) {
    cudaMemset(windows.data(), 0, layout.bytes() * static_cast<unsigned>(ranks));
    cudaMemset(counters.data(), 0, 4096);
    cudaDeviceSynchronize();
    job.views = reinterpret_cast<rank_view*>(views.data());
    for (int r = 0; r < ranks; ++r) {
      rank_view view{.rank = r, .size = ranks, .timeout_ns = timeout_ns, .layout = layout};
      for (int p = 0; p < ranks; ++p) view.windows[p] = windows.data() + layout.bytes() * static_cast<unsigned>(p);
      job.views[r] = view;
    }
    job.inputs = reinterpret_cast<std::uint32_t*>(buffers.data());
    job.outputs = job.inputs + count * static_cast<unsigned>(ranks);
    job.arrivals = reinterpret_cast<std::uint32_t*>(counters.data());
    job.wrong = reinterpret_cast<unsigned long long*>(counters.data() + 2048);
    job.count = count;
    job.ctas = ctas;
    job.absent = -1;
    job.most_delay_ns = 20'000;
  }
  cudaError_t run(on_peers algorithm, int calls) {
    job.calls = calls;
    void* arguments[] = {&job};
    const unsigned ranks = static_cast<unsigned>(layout.shape.ranks);
    const cudaError_t code =
        cudaLaunchCooperativeKernel(kernel_of(algorithm), dim3(ranks * job.ctas), dim3(256), arguments, 0, nullptr);
    return code != cudaSuccess ? code : cudaDeviceSynchronize();
  }
  fault fault_of(int rank) const {
    return fault::of(*reinterpret_cast<std::uint32_t*>(windows.data() + layout.bytes() * static_cast<unsigned>(rank)));
  }

  window_layout layout;
  device_bytes windows, views, buffers, counters;
  grid_job job{};
};

constexpr on_peers algorithms[] = {on_peers::low_latency, on_peers::one_shot, on_peers::two_shot};

TEST(ranks_in_one_grid, many_calls_with_random_delays) {
  for (const int ranks : {2, 4, 8})
    for (const on_peers algorithm : algorithms) {
      grid all(ranks, 2100, 2, 60'000'000'000);
      ASSERT_CUDA(all.run(algorithm, calls_asked()));
      EXPECT_EQ(*all.job.wrong, 0U) << ranks << " ranks, algorithm " << static_cast<int>(algorithm);
      for (int r = 0; r < ranks; ++r) EXPECT_EQ(all.fault_of(r).reason, fault_reason::none);
    }
}

TEST(ranks_in_one_grid, one_that_never_arrives_is_named_and_the_gpu_stays_usable) {
  for (const on_peers algorithm : algorithms) {
    grid all(4, 2100, 2, 200'000'000);
    all.job.absent = 2;
    const auto start = std::chrono::steady_clock::now();
    ASSERT_CUDA(all.run(algorithm, 1));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    for (const int r : {0, 1, 3}) {
      EXPECT_EQ(all.fault_of(r).reason, fault_reason::never_arrived);
      EXPECT_EQ(all.fault_of(r).peer, 2);
    }
    grid after(4, 2100, 2, 60'000'000'000);
    ASSERT_CUDA(after.run(algorithm, 10));
    EXPECT_EQ(*after.job.wrong, 0U);
  }
}

}  // namespace
}  // namespace gpu_testing
