// See stream_device.hpp. A thin layer: each function is one of CUDA's, or the launch of one kernel.
#include <hawser/cuda/stream_device.hpp>

#include <algorithm>
#include <new>
#include <string>

#include <hawser/cuda/device_info.hpp>
#include <hawser/cuda/policy.hpp>

#include "cuda/current_device.hpp"
#include "cuda/runtime.hpp"
#include "local_call.hpp"
#include "table.hpp"

namespace hawser::cuda {
namespace {

using executor::event_handle;
using executor::memory_kind;
using executor_stream = executor::stream_handle;

class cuda_stream_device final : public executor::stream_device {
 public:
  explicit cuda_stream_device(const stream_device_options& options)
      : info_(require_device(options.device)),
        name_(info_.name + " (device " + std::to_string(info_.number) + ")"),
        policy_(policy_for(info_.can.architecture)),
        most_ctas_(options.most_ctas > 0 ? options.most_ctas : policy_.local_ctas_per_sm * info_.multiprocessors) {}

  std::string_view name() const override { return name_; }

  executor_stream make_stream() override {
    const current_device here(info_.number);
    cudaStream_t made = nullptr;
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "make a stream");
    return handle_of(made);
  }
  void destroy(executor_stream stream) noexcept override { cudaStreamDestroy(native(stream)); }
  event_handle make_event() override {
    const current_device here(info_.number);
    cudaEvent_t made = nullptr;
    check(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "make an event");
    return static_cast<event_handle>(reinterpret_cast<std::uintptr_t>(made));
  }
  void destroy(event_handle event) noexcept override { cudaEventDestroy(native(event)); }
  void record(event_handle event, executor_stream stream) override {
    const current_device here(info_.number);
    check(cudaEventRecord(native(event), native(stream)), "record an event");
  }
  void wait(executor_stream stream, event_handle event) override {
    const current_device here(info_.number);
    check(cudaStreamWaitEvent(native(stream), native(event), 0), "let a stream wait for an event");
  }
  bool has_passed(event_handle event) override {
    const beside_captures relaxed;
    const cudaError_t found = cudaEventQuery(native(event));
    if (found == cudaErrorNotReady) return false;
    check(found, "ask an event");
    return true;
  }
  void synchronise(executor_stream stream) override {
    const current_device here(info_.number);
    check(cudaStreamSynchronize(native(stream)), "wait for a stream");
  }
  bool is_capturing(executor_stream stream) override {
    cudaStreamCaptureStatus state = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(native(stream), &state), "ask whether a stream is captured");
    return state != cudaStreamCaptureStatusNone;
  }

  void* allocate(std::size_t bytes, memory_kind where) override {
    const current_device here(info_.number);
    void* made = nullptr;
    const bool is_pinned = where == memory_kind::pinned;
    const cudaError_t code =
        is_pinned ? cudaHostAlloc(&made, bytes, cudaHostAllocPortable | cudaHostAllocMapped) : cudaMalloc(&made, bytes);
    if (code == cudaErrorMemoryAllocation) throw std::bad_alloc();
    check(code, is_pinned ? "allocate pinned memory" : "allocate device memory");
    return made;
  }
  void release(void* memory, memory_kind where) noexcept override {
    if (where == memory_kind::pinned)
      cudaFreeHost(memory);
    else
      cudaFree(memory);
  }
  memory_kind kind_of(const void* address) override {
    cudaPointerAttributes known{};
    check(cudaPointerGetAttributes(&known, address), "ask what memory an address is of");
    switch (known.type) {
      case cudaMemoryTypeHost: return memory_kind::pinned;
      case cudaMemoryTypeManaged: return memory_kind::managed;
      case cudaMemoryTypeDevice: return known.device == info_.number ? memory_kind::device : memory_kind::other_device;
      default: return memory_kind::host;
    }
  }

  void copy(executor_stream stream, void* to, const void* from, std::size_t bytes) override {
    const current_device here(info_.number);
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, native(stream)), "copy on a stream");
  }
  void reduce(executor_stream stream, const executor::device_reduction& how, void* out, const void* left,
              const void* right, std::size_t count) override {
    kernels::local_call call{.inputs = {bytes_of(left), bytes_of(right)}, .input_count = 2, .output = bytes_of(out)};
    launch(stream, how.type, how.kind, call, count);
  }
  void scale(executor_stream stream, const executor::device_scaling& how, void* out, const void* in,
             std::size_t count) override {
    kernels::local_call call{.inputs = {bytes_of(in)}, .input_count = 1, .output = bytes_of(out)};
    const bool is_signed = how.type == data_type::int8 || how.type == data_type::int16 ||
                           how.type == data_type::int32 || how.type == data_type::int64;
    call.how = how.divisor == 0 ? device::scaling::multiply
               : is_signed      ? device::scaling::divide_signed
                                : device::scaling::divide;
    call.divisor = how.divisor;
    call.factor = how.factor;
    launch(stream, how.type, reduce_kind::sum, call, count);
  }

  void write_flag(executor_stream stream, std::uint32_t* flag, std::uint32_t value) override {
    const current_device here(info_.number);
    static auto* const write_value =
        driver_function<CUresult(CUstream, CUdeviceptr, cuuint32_t, unsigned)>("cuStreamWriteValue32", 11070);
    check(write_value(native(stream), on_device(flag), value, CU_STREAM_WRITE_VALUE_DEFAULT),
          "write a flag on a stream");
  }
  void wait_flag(executor_stream stream, const std::uint32_t* flag, std::uint32_t at_least) override {
    const current_device here(info_.number);
    static auto* const wait_value =
        driver_function<CUresult(CUstream, CUdeviceptr, cuuint32_t, unsigned)>("cuStreamWaitValue32", 11070);
    check(wait_value(native(stream), on_device(flag), at_least, CU_STREAM_WAIT_VALUE_GEQ),
          "wait for a flag on a stream");
  }

 private:
  static std::byte* bytes_of(const void* address) noexcept {
    return const_cast<std::byte*>(static_cast<const std::byte*>(address));
  }

  static CUdeviceptr on_device(const std::uint32_t* flag) {
    void* seen = nullptr;
    check(cudaHostGetDevicePointer(&seen, const_cast<std::uint32_t*>(flag), 0), "find a flag's address on the device");
    return reinterpret_cast<CUdeviceptr>(seen);
  }

  /// No more CTAs than the operands fill: a few vectors per thread.
  void launch(executor_stream stream, data_type type, reduce_kind kind, kernels::local_call& call, std::size_t count) {
    const void* const kernel = kernels::find_kernel(kernels::reducing::local, type, kind);
    if (kernel == nullptr)
      fail(errc::unsupported,
           "no kernel reduces " + std::string(to_string(type)) + " with " + std::string(to_string(kind)),
           legality(type, kind).value_or("it is not compiled in"), "see docs/types.md");
    if (count == 0) return;
    const std::size_t bytes = count * size_of(type);
    call.count = bytes / kernels::kernel_element_bytes(type, kind);
    const std::size_t per_cta = static_cast<std::size_t>(policy_.threads) *
                                static_cast<std::size_t>(policy_.vector_bytes) *
                                static_cast<std::size_t>(policy_.unroll);
    const auto ctas = static_cast<unsigned>(
        std::clamp<std::size_t>((bytes + per_cta - 1) / per_cta, 1, static_cast<std::size_t>(most_ctas_)));
    void* arguments[] = {&call};
    const current_device here(info_.number);
    check(cudaLaunchKernel(kernel, dim3(ctas), dim3(static_cast<unsigned>(policy_.threads)), arguments, 0,
                           native(stream)),
          "launch a reduction");
  }

  device_info info_;
  std::string name_;
  launch_policy policy_;
  std::int32_t most_ctas_;
};

}  // namespace

std::shared_ptr<executor::stream_device> open_stream_device(const stream_device_options& options) {
  return std::make_shared<cuda_stream_device>(options);
}

}  // namespace hawser::cuda
