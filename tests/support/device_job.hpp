// Collectives of int64 elements on memory of a device of threads, all ranks in one thread over a wire that delays.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/algorithm/generate.hpp>
#include <hawser/executor/device_operation.hpp>
#include <hawser/executor/engine.hpp>
#include <hawser/executor/staged.hpp>
#include <hawser/schedule/program.hpp>

#include "support/delayed_wire.hpp"
#include "support/thread_device.hpp"

namespace hawser::testing {

using schedule::collective;

/// A collective with its algorithm and pipelining.
struct device_call {
  collective what;
  std::string algorithm;
  std::int64_t count, segments = 1, window = 4;
  int root = 0;
};

inline void PrintTo(const device_call& call, std::ostream* out) {
  *out << to_string(call.what) << " by " << call.algorithm << ", count " << call.count << ", " << call.segments
       << " segments, root " << call.root;
}

/// int64 elements in memory of a device.
struct device_array {
  device_array(executor::stream_device& owner, std::int64_t elements)
      : device(owner),
        size(elements),
        data(static_cast<std::int64_t*>(
            owner.allocate(static_cast<std::size_t>(elements) * 8, executor::memory_kind::device))) {}
  device_array(const device_array&) = delete;
  ~device_array() { device.release(data, executor::memory_kind::device); }
  executor::stream_device& device;
  std::int64_t size;
  std::int64_t* data;
};

/// A call on one rank: its buffers, and what belongs in them.
class device_member {
 public:
  device_member(const topology::hierarchy& tree, const device_call& wanted, rank self, executor::stream_device& device)
      : wanted_(wanted),
        self_(self.value),
        ranks_(tree.size()),
        input_(device, input_blocks(wanted.what, ranks_) * wanted.count),
        output_(device, output_blocks(wanted.what, ranks_) * wanted.count) {
    schedule::request what{.what = wanted.what, .count = wanted.count, .type = data_type::int64, .element_bytes = 8};
    what.root = wanted.root;
    what.has_ragged_blocks = wanted.what == collective::all_to_all_v;
    arguments_.program = std::make_shared<const executor::compiled_program>(
        schedule::derive_dependences(algorithm::generate(tree, what, wanted.algorithm, self)));
    arguments_.input = executor::block_layout::uniform(input_.data, wanted.count, 8);
    arguments_.output = executor::block_layout::uniform(output_.data, wanted.count, 8);
    arguments_.scratch_count = wanted.count;
    arguments_.element_bytes = 8;
    arguments_.segments = wanted.segments;
    arguments_.window = wanted.window;
    arguments_.sends_empty_messages = true;
  }

  /// What an operation is made with; to be completed.
  const executor::operation_arguments& arguments() const noexcept { return arguments_; }
  const device_array& output() const noexcept { return output_; }

  void fill(std::int64_t run) {
    run_ = run;
    for (std::int64_t i = 0; i < input_.size; ++i) input_.data[i] = contribution(self_, i);
    std::fill_n(output_.data, output_.size, -1);
  }
  bool is_right() const {
    const bool only_root = wanted_.what == collective::reduce || wanted_.what == collective::gather;
    if (wanted_.what == collective::barrier || (only_root && self_ != wanted_.root)) return true;
    for (std::int64_t i = 0; i < output_.size; ++i)
      if (output_.data[i] != expected(i)) return false;
    return true;
  }

 private:
  std::int64_t contribution(std::int64_t from, std::int64_t element) const {
    return (run_ * 100 + from + 1) * 1'000'003 + element * (from + 7);
  }
  std::int64_t total(std::int64_t element) const {
    std::int64_t sum = 0;
    for (std::int64_t r = 0; r < ranks_; ++r) sum += contribution(r, element);
    return sum;
  }
  std::int64_t expected(std::int64_t i) const {
    const std::int64_t block = i / wanted_.count, within = i % wanted_.count, own = self_ * wanted_.count;
    switch (wanted_.what) {
      case collective::all_reduce:
      case collective::reduce: return total(i);
      case collective::reduce_scatter: return total(own + i);
      case collective::all_gather:
      case collective::gather: return contribution(block, within);
      case collective::all_to_all:
      case collective::all_to_all_v: return contribution(block, own + within);
      case collective::broadcast: return contribution(wanted_.root, i);
      case collective::scatter: return contribution(wanted_.root, own + i);
      case collective::barrier: break;
    }
    return -1;
  }

  device_call wanted_;
  std::int64_t self_, ranks_, run_ = 0;
  device_array input_, output_;
  executor::operation_arguments arguments_;
};

/// The engines of all ranks, over a wire that takes device memory as UCX with CUDA does, or over one that is staged.
class device_job {
 public:
  device_job(std::uint64_t seed, int ranks, executor::stream_device& device, bool is_staged)
      : network_(std::make_shared<delayed_network>(seed, false)) {
    // Hardly a message is sent whole, and the buffers are fewer than the messages.
    const executor::staging_options small{
        .buffer_bytes = 96, .pieces_per_peer = 2, .most_buffers = 3, .eager_bytes = 40};
    for (int r = 0; r < ranks; ++r) {
      transport::any_transport end(std::make_unique<delayed_wire>(network_, r));
      if (is_staged) end = executor::with_staging(std::move(end), device, ranks, small);
      auto wire = std::make_unique<transport::router>();
      wire->route_others(wire->add(std::move(end)));
      engines_.push_back(std::make_unique<executor::engine>(std::move(wire), executor::wait_policy{}, [] {}));
      queues_.push_back(std::make_unique<executor::device_queue>(device));
    }
  }
  int size() const { return static_cast<int>(engines_.size()); }
  delayed_network& network() { return *network_; }
  executor::engine& at(int r) { return *engines_[static_cast<std::size_t>(r)]; }
  executor::device_queue& queue_at(int r) { return *queues_[static_cast<std::size_t>(r)]; }

  /// Drives until the condition holds; false where it does not within a minute.
  template <class Condition>
  bool drive_until(Condition&& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      for (const auto& each : engines_) each->poll();
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }

 private:
  std::shared_ptr<delayed_network> network_;
  std::vector<std::unique_ptr<executor::device_queue>> queues_;
  std::vector<std::unique_ptr<executor::engine>> engines_;
};

}  // namespace hawser::testing
