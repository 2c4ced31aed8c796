// Times k ranks in one cooperative grid: two-shot of 64 MiB, low latency of 8 KiB in replays of a CUDA graph.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <hawser/cuda/device_info.hpp>

#include "kernels.cuh"

namespace {

using namespace hawser::cuda::device;
using hawser::cuda::kernels::on_peers;

constexpr int threads = 512;
constexpr int replays = 200;

void must(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  std::fprintf(stderr, "gpu_bench: cannot %s (%s)\n", what, cudaGetErrorString(code));
  std::exit(1);
}

/// Rank b / ctas makes its call.
template <on_peers Algorithm>
__global__ void __launch_bounds__(threads) all_ranks(const reduce_call* calls, unsigned ctas) {
  const gpu_block block(ctas);
  hawser::cuda::kernels::run_on_peers<Algorithm, float, add>(block, calls[block.rank()], identity{});
}

__global__ void nothing() {}

/// Calls of k ranks of one GPU, with buffers that everyone has mapped.
struct job {
  job(int k, std::uint64_t bytes, int ctas_per_rank, bool is_mapped) : ranks(k), ctas(ctas_per_rank) {
    const window_layout layout{
        {.ranks = k, .ctas = ctas, .low_latency_bytes = 64 << 10, .staging_bytes = is_mapped ? 1 << 20 : bytes}};
    std::byte *windows = nullptr, *buffers = nullptr;
    const auto n = static_cast<std::uint64_t>(k);
    must(cudaMalloc(&windows, layout.bytes() * n), "allocate windows");
    must(cudaMalloc(&buffers, 2 * bytes * n), "allocate buffers");
    must(cudaMemset(windows, 0, layout.bytes() * n), "clear windows");
    must(cudaMemset(buffers, 0, 2 * bytes * n), "clear buffers");
    std::vector<reduce_call> host(n);
    for (std::uint64_t r = 0; r < n; ++r) {
      reduce_call& call = host[r];
      call.view = {.rank = static_cast<int>(r), .size = k, .timeout_ns = 5'000'000'000, .layout = layout};
      call.input = buffers + 2 * r * bytes;
      call.output = buffers + (2 * r + 1) * bytes;
      call.count = bytes / sizeof(float);
      call.inputs.is_mapped = call.outputs.is_mapped = is_mapped;
      for (std::uint64_t p = 0; p < n; ++p) {
        call.view.windows[p] = windows + p * layout.bytes();
        call.inputs.of[p] = buffers + 2 * p * bytes;
        call.outputs.of[p] = buffers + (2 * p + 1) * bytes;
      }
    }
    must(cudaMalloc(&calls, n * sizeof(reduce_call)), "allocate calls");
    must(cudaMemcpy(calls, host.data(), n * sizeof(reduce_call), cudaMemcpyHostToDevice), "copy calls");
    first_window = windows;
  }

  template <on_peers Algorithm>
  void launch(cudaStream_t stream) {
    unsigned per_rank = static_cast<unsigned>(ctas);
    void* arguments[] = {&calls, &per_rank};
    must(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(&all_ranks<Algorithm>),
                                     dim3(static_cast<unsigned>(ranks * ctas)), dim3(threads), arguments, 0, stream),
         "launch all ranks");
  }
  void check() const {
    std::uint32_t word = 0;
    must(cudaMemcpy(&word, first_window, sizeof word, cudaMemcpyDeviceToHost), "read the state");
    if (word != 0) {
      std::fprintf(stderr, "gpu_bench: a call failed (reason %u)\n", word >> 16);
      std::exit(1);
    }
  }

  int ranks, ctas;
  reduce_call* calls = nullptr;
  std::byte* first_window = nullptr;
};

/// Mean seconds of a replay of a graph of what `record` enqueues.
template <class Record>
double replay(const Record& record) {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  cudaEvent_t begin = nullptr, end = nullptr;
  must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "make a stream");
  must(cudaEventCreate(&begin), "make an event");
  must(cudaEventCreate(&end), "make an event");
  must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "capture a graph");
  record(stream);
  must(cudaStreamEndCapture(stream, &graph), "capture a graph");
  must(cudaGraphInstantiate(&ready, graph, 0), "instantiate a graph");
  must(cudaGraphLaunch(ready, stream), "replay a graph");
  must(cudaEventRecord(begin, stream), "record an event");
  for (int i = 0; i < replays; ++i) must(cudaGraphLaunch(ready, stream), "replay a graph");
  must(cudaEventRecord(end, stream), "record an event");
  must(cudaEventSynchronize(end), "run the graph");
  float milliseconds = 0;
  must(cudaEventElapsedTime(&milliseconds, begin, end), "read a time");
  return static_cast<double>(milliseconds) * 1e-3 / replays;
}

}  // namespace

int main() {
  std::string why;
  const auto devices = hawser::cuda::find_devices(&why);
  if (devices.empty()) {
    std::printf("SKIPPED: no CUDA device: %s\n", why.c_str());
    return 77;
  }
  const int multiprocessors = devices[0].multiprocessors;
  std::printf("gpu,%s\ncase,ranks,bytes,time_us\n", devices[0].name.c_str());
  std::printf("empty_kernel_replay,1,0,%.2f\n", 1e6 * replay([](cudaStream_t s) { nothing<<<1, 1, 0, s>>>(); }));
  for (const int k : {2, 4, 8}) {
    job small(k, 8 << 10, 1, false);
    std::printf("low_latency_replay,%d,%d,%.2f\n", k, 8 << 10,
                1e6 * replay([&](cudaStream_t s) { small.launch<on_peers::low_latency>(s); }));
    small.check();
    job large(k, 64 << 20, multiprocessors / k, true);
    std::printf("two_shot_mapped_replay,%d,%d,%.2f\n", k, 64 << 20,
                1e6 * replay([&](cudaStream_t s) { large.launch<on_peers::two_shot>(s); }));
    large.check();
  }
  return 0;
}
