// On a GPU: ranks as threads of one process on device 0, which therefore phase their calls by the host.
#include <cstring>
#include <thread>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/cuda/group.hpp>

#include "gpu/device_memory.hpp"
#include "unit/cuda/numbers.hpp"

namespace gpu_testing {
namespace {

template <class Body>
void run_ranks(int ranks, const Body& body) {
  const auto job = hawser::bootstrap::in_process_job::create(ranks);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      const auto door = job->join(r);
      hawser::cuda::group group(*door, "test", {.staging_bytes = 1 << 20, .mode = {}, .policy = {}});
      cudaStream_t stream = nullptr;
      EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
      body(group, r, stream);
      group.check(stream);
      cudaStreamDestroy(stream);
      door->leave();
    });
  for (std::thread& each : threads) each.join();
}

TEST(group_on_one_gpu, sums_averages_and_gathers) {
  constexpr int ranks = 4;
  constexpr std::size_t count = 600'001;  // more than staging holds at a time
  device_bytes in(ranks * count * 4), out(ranks * count * 4), blocks(ranks * ranks * 1000);
  auto* const input = reinterpret_cast<float*>(in.data());
  auto* const output = reinterpret_cast<float*>(out.data());
  for (std::size_t i = 0; i < ranks * count; ++i) input[i] = static_cast<float>(i % 1000);
  run_ranks(ranks, [&](hawser::cuda::group& group, int r, cudaStream_t stream) {
    EXPECT_EQ(group.mode(), hawser::cuda::synchronisation::host_phased);
    const auto at = static_cast<std::size_t>(r);
    group.all_reduce(input + at * count, output + at * count, count, hawser::data_type::float32, hawser::op::avg,
                     stream);
    group.all_gather(input + at * count, blocks.data() + at * ranks * 1000, 1000, stream);
  });
  for (std::size_t r = 0; r < ranks; ++r) {
    for (std::size_t i = 0; i < count; ++i) {
      float sum = 0;
      for (std::size_t p = 0; p < ranks; ++p) sum += input[p * count + i];
      ASSERT_EQ(output[r * count + i], sum / ranks) << r << ", " << i;
    }
    for (std::size_t p = 0; p < ranks; ++p)
      ASSERT_EQ(std::memcmp(blocks.data() + (r * ranks + p) * 1000, input + p * count, 1000), 0);
  }
}

}  // namespace
}  // namespace gpu_testing
