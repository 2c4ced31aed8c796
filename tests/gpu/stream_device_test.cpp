// On a GPU: the CUDA device of the executor of streams does what the host's kernels do, in order, in graphs too.
#include <cuda_runtime_api.h>

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/communicator/device_communicator.hpp>
#include <hawser/communicator/in_process.hpp>
#include <hawser/cuda/stream_device.hpp>
#include <hawser/executor/reduce.hpp>

namespace gpu_testing {
namespace {

using hawser::data_type;
using hawser::reduce_kind;
using hawser::executor::memory_kind;
using hawser::executor::stream_device;
using hawser::executor::stream_handle;

constexpr std::size_t count = 10'007;

/// Pinned memory, which host and device both touch.
class pinned {
 public:
  pinned(stream_device& device, std::size_t bytes)
      : device_(device), memory_(device.allocate(bytes, memory_kind::pinned)) {}
  pinned(const pinned&) = delete;
  pinned& operator=(const pinned&) = delete;
  ~pinned() { device_.release(memory_, memory_kind::pinned); }
  std::byte* data() const { return static_cast<std::byte*>(memory_); }

 private:
  stream_device& device_;
  void* memory_;
};

/// Bytes that are finite numbers in every floating type.
void fill(std::byte* to, std::size_t bytes, unsigned seed) {
  std::minstd_rand random(seed);
  for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<std::byte>(random() >> 8) & std::byte{0xBF};
}

TEST(gpu_stream_device, reduces_and_scales_as_the_host_does) {
  const auto device = hawser::cuda::open_stream_device();
  const stream_handle stream = device->make_stream();
  const pinned left(*device, count * 8 + 8), right(*device, count * 8 + 8), out(*device, count * 8 + 8);
  fill(left.data(), count * 8 + 8, 1);
  fill(right.data(), count * 8 + 8, 2);
  std::vector<std::byte> expected(count * 8);
  for (std::size_t t = 0; t < hawser::builtin_data_types; ++t)
    for (std::size_t k = 0; k < hawser::builtin_reduce_kinds; ++k) {
      const auto type = static_cast<data_type>(t);
      const auto kind = static_cast<reduce_kind>(k);
      if (hawser::legality(type, kind) || kind == reduce_kind::avg || kind == reduce_kind::premul_sum) continue;
      const std::size_t bytes = count * size_of(type), offset = size_of(type);
      device->reduce(stream, {type, kind}, out.data() + offset, left.data(), right.data() + offset, count);
      device->synchronise(stream);
      hawser::executor::make_reducer(type, kind)(expected.data(), left.data(), right.data() + offset, count);
      EXPECT_EQ(std::memcmp(expected.data(), out.data() + offset, bytes), 0)
          << to_string(type) << " " << to_string(kind);
    }
  for (const data_type type : {data_type::float32, data_type::bfloat16, data_type::int32}) {
    device->scale(stream, {type, 1, 3}, out.data(), left.data(), count);
    device->synchronise(stream);
    hawser::executor::make_divider(type, 3)(expected.data(), left.data(), count);
    EXPECT_EQ(std::memcmp(expected.data(), out.data(), count * size_of(type)), 0) << "divided " << to_string(type);
  }
  device->destroy(stream);
}

TEST(gpu_stream_device, knows_memory_and_orders_streams_by_events_and_flags) {
  const auto device = hawser::cuda::open_stream_device();
  const stream_handle first = device->make_stream(), second = device->make_stream();
  const auto event = device->make_event();
  const pinned host(*device, 4096);
  void* const memory = device->allocate(4096, memory_kind::device);
  int plain = 0;
  EXPECT_EQ(device->kind_of(&plain), memory_kind::host);
  EXPECT_EQ(device->kind_of(host.data()), memory_kind::pinned);
  EXPECT_EQ(device->kind_of(memory), memory_kind::device);
  auto* const flag = reinterpret_cast<std::uint32_t*>(host.data());
  *flag = 0;
  std::memset(host.data() + 1024, 7, 1024);
  device->wait_flag(first, flag, 1);  // the host lets the stream go on
  device->copy(first, memory, host.data() + 1024, 1024);
  device->record(event, first);
  device->wait(second, event);
  device->copy(second, host.data() + 2048, memory, 1024);
  device->write_flag(second, flag, 2);
  EXPECT_FALSE(device->has_passed(event));
  stream_device::write(flag, 1);
  device->synchronise(second);
  EXPECT_TRUE(device->has_passed(event));
  EXPECT_EQ(stream_device::read(flag), 2u);
  EXPECT_EQ(std::memcmp(host.data() + 1024, host.data() + 2048, 1024), 0);
  device->release(memory, memory_kind::device);
  device->destroy(event);
  device->destroy(first);
  device->destroy(second);
}

TEST(gpu_stream_device, is_captured_into_graphs) {
  const auto device = hawser::cuda::open_stream_device();
  const stream_handle stream = device->make_stream();
  const auto native = reinterpret_cast<cudaStream_t>(static_cast<std::uintptr_t>(stream));
  const pinned host(*device, 1024);
  auto* const values = reinterpret_cast<std::int32_t*>(host.data());
  std::fill_n(values, 256, 1);
  EXPECT_FALSE(device->is_capturing(stream));
  ASSERT_EQ(cudaStreamBeginCapture(native, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_TRUE(device->is_capturing(stream));
  device->reduce(stream, {data_type::int32, reduce_kind::sum}, values, values, values, 256);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(native, &graph), cudaSuccess);
  cudaGraphExec_t runnable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&runnable, graph, 0), cudaSuccess);
  for (int replay = 0; replay < 10; ++replay) ASSERT_EQ(cudaGraphLaunch(runnable, native), cudaSuccess);
  device->synchronise(stream);
  EXPECT_EQ(values[255], 1024);
  cudaGraphExecDestroy(runnable);
  cudaGraphDestroy(graph);
  device->destroy(stream);
}

/// Ranks as threads that share the GPU, which nothing joins but the host: more streams than the GPU has queues for.
TEST(gpu_stream_device, joins_ranks_through_the_host) {
  constexpr int ranks = 4;
  hawser::run_in_process(ranks, [](hawser::communicator& members) {
    const auto device = hawser::cuda::open_stream_device();
    hawser::device_communicator devices(members, {device});
    const stream_handle stream = device->make_stream();
    for (const std::size_t elements : {std::size_t{100}, std::size_t{3'000'000}}) {
      const pinned host(*device, elements * 4);
      void* const memory = device->allocate(elements * 4, memory_kind::device);
      auto* const values = reinterpret_cast<std::int32_t*>(host.data());
      for (std::size_t i = 0; i < elements; ++i) values[i] = members.rank().value + static_cast<std::int32_t>(i % 1000);
      device->copy(stream, memory, values, elements * 4);
      devices.on(stream).all_reduce(std::span(static_cast<std::int32_t*>(memory), elements));
      device->copy(stream, values, memory, elements * 4);
      device->synchronise(stream);
      devices.check();
      for (std::size_t i = 0; i < elements; ++i)
        ASSERT_EQ(values[i], 6 + ranks * static_cast<std::int32_t>(i % 1000)) << i << " of " << elements;
      device->release(memory, memory_kind::device);
    }
    device->destroy(stream);
  });
}

}  // namespace
}  // namespace gpu_testing
