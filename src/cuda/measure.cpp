// Times copies and local reductions by events on a stream.
#include <hawser/cuda/measure.hpp>

#include <algorithm>

#include <hawser/cuda/device_info.hpp>

#include "cuda/runtime.hpp"
#include "local_call.hpp"
#include "table.hpp"

namespace hawser::cuda {
namespace {

constexpr int repetitions = 20;
constexpr int most_inputs = 8;
constexpr std::int32_t thread_candidates[] = {256, 512};
constexpr std::int32_t cta_candidates[] = {1, 2, 4};

/// Device memory for the time of a measurement.
class scratch {
 public:
  explicit scratch(std::uint64_t bytes) {
    check(cudaMalloc(&memory_, bytes), "allocate memory to measure with");
    check(cudaMemset(memory_, 0, bytes), "clear memory to measure with");
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { cudaFree(memory_); }
  std::byte* data() const { return static_cast<std::byte*>(memory_); }

 private:
  void* memory_ = nullptr;
};

class timer {
 public:
  timer() {
    check(cudaEventCreate(&begin_), "make an event");
    check(cudaEventCreate(&end_), "make an event");
  }
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }

  /// Median seconds of `work`, after one run that does not count.
  template <class Work>
  double median(const Work& work) {
    std::vector<double> times;
    for (int i = 0; i <= repetitions; ++i) {
      check(cudaEventRecord(begin_), "record an event");
      work();
      check(cudaEventRecord(end_), "record an event");
      check(cudaEventSynchronize(end_), "measure on the GPU");
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin_, end_), "read a time");
      if (i > 0) times.push_back(static_cast<double>(milliseconds) * 1e-3);
    }
    std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
    return times[repetitions / 2];
  }

 private:
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

reduction_measurement measure_one(timer& clock, const scratch& memory, std::uint64_t bytes, int inputs,
                                  std::int32_t threads, std::int32_t ctas_per_sm, std::int32_t multiprocessors) {
  kernels::local_call call{
      .input_count = inputs, .output = memory.data() + bytes * most_inputs, .count = bytes / sizeof(float)};
  for (int j = 0; j < inputs; ++j) call.inputs[j] = memory.data() + bytes * static_cast<std::uint64_t>(j);
  void* arguments[] = {&call};
  const void* const kernel = kernels::find_kernel(kernels::reducing::local, data_type::float32, reduce_kind::sum);
  const double seconds = clock.median([&] {
    check(cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(ctas_per_sm * multiprocessors)),
                           dim3(static_cast<unsigned>(threads)), arguments, 0, nullptr),
          "launch a kernel");
  });
  return {threads, ctas_per_sm, inputs, static_cast<double>(bytes) * (inputs + 1) / seconds};
}

/// The launch whose slowest number of inputs is fastest.
launch_policy policy_of(const device_measurement& measured, launch_policy policy) {
  double best = 0;
  for (const std::int32_t threads : thread_candidates)
    for (const std::int32_t ctas : cta_candidates) {
      double slowest = 1e30;
      for (const reduction_measurement& each : measured.reductions)
        if (each.threads == threads && each.ctas_per_sm == ctas) slowest = std::min(slowest, each.bytes_per_second);
      if (slowest == 1e30 || slowest <= best) continue;
      best = slowest;
      policy.threads = threads;
      policy.local_ctas_per_sm = ctas;
    }
  policy.provenance = "threads and CTAs per SM measured here; thresholds and CTAs per rank assumed";
  return policy;
}

}  // namespace

device_measurement measure_device(std::int32_t device, std::uint64_t bytes) {
  const device_info info = require_device(device);
  check(cudaSetDevice(device), "choose a CUDA device");
  const scratch memory(bytes * (most_inputs + 1));
  timer clock;
  device_measurement result{
      .gpu = info.name, .copy_bytes_per_second = 0, .reductions = {}, .policy = policy_for(info.can.architecture)};
  const double copy = clock.median([&] {
    check(cudaMemcpyAsync(memory.data() + bytes * most_inputs, memory.data(), bytes, cudaMemcpyDeviceToDevice),
          "copy on the GPU");
  });
  result.copy_bytes_per_second = 2 * static_cast<double>(bytes) / copy;
  for (const int inputs : {2, 4, 8})
    for (const std::int32_t threads : thread_candidates)
      for (const std::int32_t ctas : cta_candidates)
        if (threads * ctas <= 1024)  // more do not fit with the registers of the kernels
          result.reductions.push_back(measure_one(clock, memory, bytes, inputs, threads, ctas, info.multiprocessors));
  result.policy = policy_of(result, result.policy);
  result.policy.architecture = info.can.architecture;
  return result;
}

}  // namespace hawser::cuda
