// See peer_wire.hpp.
#include <hawser/cuda/peer_wire.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>
#include <vector>

#include <hawser/cuda/device_info.hpp>
#include <hawser/cuda/messages.hpp>
#include <hawser/cuda/symmetric_memory.hpp>

#include "cuda/current_device.hpp"
#include "cuda/mapping.hpp"
#include "cuda/runtime.hpp"
#include "table.hpp"

namespace hawser::cuda {
namespace {

constexpr int threads = 256;

/// CTAs of the kernel that this GPU holds at a time.
std::int32_t resident_ctas(const device_info& device) {
  int per_multiprocessor = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_multiprocessor, kernels::find_message_kernel(), threads, 0),
        "ask for the occupancy");
  return per_multiprocessor * device.multiprocessors;
}

/// The words of the abort flags as the host has last seen them, without waiting for the device.
class fault_watch {
 public:
  fault_watch() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "make a stream");
    check(cudaEventCreateWithFlags(&seen_, cudaEventDisableTiming), "make an event");
    check(cudaHostAlloc(reinterpret_cast<void**>(&word_), sizeof *word_, cudaHostAllocPortable),
          "allocate pinned memory");
    *word_ = 0;
  }
  fault_watch(const fault_watch&) = delete;
  fault_watch& operator=(const fault_watch&) = delete;
  ~fault_watch() {
    cudaStreamSynchronize(stream_);
    cudaFreeHost(word_);
    cudaEventDestroy(seen_);
    cudaStreamDestroy(stream_);
  }

  /// What the look before has seen; begins the next one.
  device::fault look(const std::byte* abort_word) {
    const cudaError_t state = cudaEventQuery(seen_);
    if (state == cudaErrorNotReady) return {};
    check(state, "look for faults");
    const auto found = device::fault::of(*word_);
    check(cudaMemcpyAsync(word_, abort_word, sizeof *word_, cudaMemcpyDeviceToHost, stream_), "look for faults");
    check(cudaEventRecord(seen_, stream_), "look for faults");
    return found;
  }
  cudaStream_t stream() const noexcept { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t seen_ = nullptr;
  std::uint32_t* word_ = nullptr;
};

class peer_wire final : public executor::stream_wire {
 public:
  peer_wire(bootstrap::bootstrap& job, std::string_view name, const peer_wire_options& options)
      : device_(require_device(options.device)), layout_{shape_for(job, name, options)} {
    const current_device here(device_.number);
    for (std::int32_t lane = 0; lane < options.lanes; ++lane) {
      windows_.push_back(
          std::make_unique<symmetric_memory>(job, std::string(name) + "/" + std::to_string(lane), layout_.bytes(),
                                             symmetric_options{.device = options.device, .may_multicast = false}));
      const symmetric_memory& made = *windows_.back();
      if (made.agreed().mode == synchronisation::host_phased)
        fail(errc::unsupported, "messages through peer memory", made.agreed().reason, "use NCCL, or a GPU per rank");
      device::rank_view& view = views_.emplace_back();
      view.rank = job.self().value;
      view.size = job.size();
      view.timeout_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(options.timeout).count());
      for (int r = 0; r < job.size(); ++r) view.windows[r] = made.of(r);
    }
    watches_.reserve(windows_.size());
    for (std::size_t lane = 0; lane < windows_.size(); ++lane) watches_.push_back(std::make_unique<fault_watch>());
    abort_ = std::make_unique<fault_watch>();
  }

  std::string_view name() const override { return "peer_memory"; }
  int lanes() const override { return static_cast<int>(views_.size()); }
  std::string_view why_not_capturable() const override { return {}; }

  void exchange(int lane, executor::stream_handle stream,
                std::span<const executor::stream_transfer> transfers) override {
    const device::message_call call = call_for(transfers, views_[static_cast<std::size_t>(lane)], layout_);
    if (call.ctas == 0) return;
    const current_device here(device_.number);
    void* arguments[] = {const_cast<device::message_call*>(&call)};
    check(cudaLaunchKernel(kernels::find_message_kernel(), dim3(static_cast<unsigned>(call.ctas)), dim3(threads),
                           arguments, 0, native(stream)),
          "launch the messages of an exchange");
  }

  std::optional<transport::failure> poll_failure() override {
    const current_device here(device_.number);
    const beside_captures relaxed;
    for (std::size_t lane = 0; lane < views_.size(); ++lane) {
      const device::fault found = watches_[lane]->look(views_[lane].windows[views_[lane].rank]);
      if (found.reason == device::fault_reason::none) continue;
      if (found.reason == device::fault_reason::aborted)
        return transport::failure{errc::aborted, rank(-1), "messages through peer memory were aborted"};
      return transport::failure{
          errc::peer_failed, rank(found.peer),
          "rank " + std::to_string(found.peer) + " did not come to a message through peer memory"};
    }
    return {};
  }

  void abort(std::string_view) noexcept override {
    const std::uint32_t word = device::fault{device::fault_reason::aborted, -1}.word();
    const beside_captures relaxed;
    int before = 0;
    cudaGetDevice(&before);
    cudaSetDevice(device_.number);
    for (const device::rank_view& view : views_)
      for (int r = 0; r < view.size; ++r)
        cudaMemcpyAsync(view.windows[r], &word, sizeof word, cudaMemcpyHostToDevice, abort_->stream());
    cudaStreamSynchronize(abort_->stream());
    cudaSetDevice(before);
  }

 private:
  /// The same on all ranks: for the smallest GPU among them.
  device::mailbox_shape shape_for(bootstrap::bootstrap& job, std::string_view name, const peer_wire_options& options) {
    if (job.size() > device::max_ranks)
      fail(errc::unsupported, "messages through peer memory of " + std::to_string(job.size()) + " ranks",
           "an NVLink domain has at most " + std::to_string(device::max_ranks), "split the communicator by domain");
    const current_device here(device_.number);
    std::int32_t resident = resident_ctas(device_);
    for (const std::string& each :
         gather(job, std::string(name) + "/resident", std::to_string(resident), std::chrono::milliseconds(30'000)))
      resident = std::min(resident, static_cast<std::int32_t>(std::stol(each)));
    device::mailbox_shape shape;
    shape.ranks = job.size();
    shape.shares = most_shares(resident, job.size(), options.lanes);
    if (shape.shares < 1)
      fail(errc::unsupported,
           "messages through peer memory of " + std::to_string(job.size()) + " ranks on " +
               std::to_string(options.lanes) + " lanes",
           "the smallest GPU holds " + std::to_string(resident) + " CTAs at a time", "use fewer lanes");
    shape.slots = std::max<std::uint32_t>(options.slots, 1);
    shape.slot_bytes = device::window_layout::rounded(std::max<std::uint64_t>(options.slot_bytes, 1));
    return shape;
  }

  device_info device_;
  device::mailbox_layout layout_;
  std::vector<std::unique_ptr<symmetric_memory>> windows_;
  std::vector<device::rank_view> views_;
  std::vector<std::unique_ptr<fault_watch>> watches_;
  std::unique_ptr<fault_watch> abort_;
};

}  // namespace

std::unique_ptr<executor::stream_wire> open_peer_wire(bootstrap::bootstrap& job, std::string_view name,
                                                      const peer_wire_options& options) {
  return std::make_unique<peer_wire>(job, name, options);
}

}  // namespace hawser::cuda
