// See stream_executor.hpp.
#include <hawser/executor/stream_executor.hpp>

#include <algorithm>
#include <string>

#include <hawser/core/error.hpp>
#include <hawser/executor/runs.hpp>

namespace hawser::executor {

using schedule::step;
using schedule::step_kind;

namespace {

/// Messages' staging and blocks of scratch begin at such addresses, which the widest accesses of a device like.
constexpr std::size_t alignment = 256;

constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

std::byte* stream_executor::growing_memory::at_least(std::size_t bytes, stream_device& device, bool is_capturing) {
  if (bytes > size_) {
    if (is_capturing)
      fail(errc::unsupported,
           "a call that needs " + std::to_string(bytes) + " bytes of device memory in a captured stream",
           "memory cannot be allocated during a capture, and earlier calls have left " + std::to_string(size_),
           "make the call once before it is captured");
    const std::size_t wanted = std::max(bytes, size_ * 2);
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back(device.allocate(wanted, memory_kind::device));
    size_ = wanted;
    all_ += wanted;
  }
  return blocks_.empty() ? nullptr : static_cast<std::byte*>(blocks_.back());
}

void stream_executor::growing_memory::release(stream_device& device) noexcept {
  for (void* each : blocks_) device.release(each, memory_kind::device);
  blocks_.clear();
}

/// One segment of one call on one lane.
class stream_executor::segment_issue {
 public:
  segment_issue(stream_device& device, stream_wire& wire, lane& home, const stream_arguments& call)
      : device_(device), wire_(wire), home_(home), call_(call), code_(call.program->code.source) {}

  /// Gives the lane the memory that any segment of the call needs. Before anything is enqueued.
  void reserve(bool is_capturing) {
    const segment any{0, call_.segments};
    std::int64_t elements = 0;
    if (call_.scratch_counts.empty()) {
      elements = code_.scratch_blocks * any.largest(call_.scratch_count);
    } else {
      for (const std::int64_t count : call_.scratch_counts) {
        scratch_offsets_.push_back(elements);
        elements += any.largest(count);
      }
    }
    scratch_base_ =
        home_.scratch.at_least(static_cast<std::size_t>(elements) * call_.element_bytes, device_, is_capturing);
    scratch_ = (call_.scratch_counts.empty()
                    ? block_layout::uniform(scratch_base_, call_.scratch_count, call_.element_bytes)
                    : block_layout::ragged(scratch_base_, call_.scratch_counts, scratch_offsets_, call_.element_bytes))
                   .hold_one_segment();
    std::size_t most = 0;
    for (std::int64_t s = 0; s < call_.segments; ++s) {
      part_ = {s, call_.segments};
      for (const schedule::stage& each : call_.program->stages) most = std::max(most, staged_bytes(each));
    }
    staging_base_ = home_.staging.at_least(most, device_, is_capturing);
  }

  void enqueue(std::int64_t index) {
    part_ = {index, call_.segments};
    for (const schedule::stage& each : call_.program->stages) {
      exchange(each);
      for (const std::uint32_t i : each.work) work(i);
    }
  }

 private:
  struct staged {
    std::uint32_t step;
    run memory;
  };

  void collect(schedule::operand what, std::vector<run>& runs) const {
    runs.clear();
    for (const schedule::region& each : code_.at(what)) {
      const block_layout& layout = each.where == schedule::buffer::input    ? call_.input
                                   : each.where == schedule::buffer::output ? call_.output
                                                                            : scratch_;
      layout.append_runs(each, part_, runs);
    }
  }

  schedule::operand moved(const step& each) const { return each.sends() ? each.source : each.target; }

  /// A message that is in one piece goes from and to where it lies, unless it is reduced on arrival.
  bool is_staged(const step& each, const std::vector<run>& pieces) const {
    return each.kind == step_kind::recv_reduce || pieces.size() > 1;
  }

  std::size_t staged_bytes(const schedule::stage& of) {
    std::size_t bytes = 0;
    for (const std::uint32_t i : of.messages) {
      collect(moved(code_.steps[i]), runs_a_);
      if (is_staged(code_.steps[i], runs_a_)) bytes += aligned(total_bytes(runs_a_));
    }
    return bytes;
  }

  /// All messages of a stage in one exchange, between what gathers and what scatters those that are in pieces.
  void exchange(const schedule::stage& of) {
    transfers_.clear();
    staged_.clear();
    std::size_t used = 0;
    for (const std::uint32_t i : of.messages) {
      const step& each = code_.steps[i];
      collect(moved(each), runs_a_);
      const std::size_t bytes = total_bytes(runs_a_);
      if (bytes == 0) continue;  // on the other side too
      std::byte* data = runs_a_[0].data;
      if (is_staged(each, runs_a_)) {
        data = staging_base_ + used;
        used += aligned(bytes);
        staged_.push_back({i, {data, bytes}});
        if (each.sends()) copy(runs_a_, staged_.back().memory, true);
      }
      transfers_.push_back({each.peer, each.sends(), data, bytes});
    }
    if (!transfers_.empty()) wire_.exchange(home_.number, home_.stream, transfers_);
    for (const staged& each : staged_)
      if (code_.steps[each.step].kind == step_kind::recv) {
        collect(code_.steps[each.step].target, runs_a_);
        copy(runs_a_, each.memory, false);
      }
  }

  void copy(const std::vector<run>& pieces, run whole, bool is_gathered) {
    for (const run& each : pieces) {
      std::byte* const to = is_gathered ? whole.data : each.data;
      device_.copy(home_.stream, to, is_gathered ? each.data : whole.data, each.bytes);
      whole.data += each.bytes;
    }
  }

  void work(std::uint32_t i) {
    const step& each = code_.steps[i];
    collect(each.target, runs_a_);
    collect(each.source, runs_b_);
    if (each.kind == step_kind::copy)
      return for_each_pair(runs_a_, runs_b_, [this](std::byte* to, const std::byte* from, std::size_t bytes) {
        if (to != from) device_.copy(home_.stream, to, from, bytes);
      });
    if (each.kind == step_kind::reduce) {
      collect(each.other, runs_c_);
    } else {
      runs_c_.clear();
      for (const staged& arrived : staged_)
        if (arrived.step == i) runs_c_.push_back(arrived.memory);
    }
    const bool is_right = each.incoming == schedule::side::right;
    for_each_triple(runs_a_, runs_b_, runs_c_, [&](std::byte* to, std::byte* own, std::byte* other, std::size_t bytes) {
      device_.reduce(home_.stream, *call_.reduction, to, is_right ? own : other, is_right ? other : own,
                     bytes / call_.element_bytes);
    });
  }

  stream_device& device_;
  stream_wire& wire_;
  lane& home_;
  const stream_arguments& call_;
  const schedule::schedule& code_;
  segment part_{};
  block_layout scratch_;
  std::vector<std::int64_t> scratch_offsets_;
  std::byte *scratch_base_ = nullptr, *staging_base_ = nullptr;
  std::vector<run> runs_a_, runs_b_, runs_c_;
  std::vector<stream_transfer> transfers_;
  std::vector<staged> staged_;  // of the stage under way
};

stream_executor::stream_executor(stream_device& device, stream_wire& wire) : device_(device), wire_(wire) {
  begin_ = device_.make_event();
  captured_begin_ = device_.make_event();
  for (int number = 0; number < wire_.lanes(); ++number) {
    lane& made = lanes_.emplace_back();
    made.number = number;
    made.stream = device_.make_stream();
    made.end = device_.make_event();
    made.captured_end = device_.make_event();
  }
}

stream_executor::~stream_executor() {
  for (lane& each : lanes_) {
    try {
      device_.synchronise(each.stream);
    } catch (const error&) {  // the device has failed: nothing runs there any more
    }
    each.scratch.release(device_);
    each.staging.release(device_);
    device_.destroy(each.end);
    device_.destroy(each.captured_end);
    device_.destroy(each.stream);
  }
  inputs_.release(device_);
  outputs_.release(device_);
  device_.destroy(begin_);
  device_.destroy(captured_begin_);
}

std::size_t stream_executor::kept_bytes() const noexcept {
  std::size_t bytes = inputs_.bytes() + outputs_.bytes();
  for (const lane& each : lanes_) bytes += each.scratch.bytes() + each.staging.bytes();
  return bytes;
}

/// Where the call has no buffers of its own, or its input is scaled: after earlier calls, which may still use them.
void stream_executor::place_buffers(stream_arguments& call, stream_handle stream, bool is_capturing) {
  const bool needs_input = call.premultiply || call.has_own_input;
  std::byte* const input = needs_input ? inputs_.at_least(call.input_bytes, device_, is_capturing) : nullptr;
  if (call.has_own_output) call.output.move_to(outputs_.at_least(call.output_bytes, device_, is_capturing));
  if (needs_input || call.has_own_output)
    for (const lane& each : lanes_)
      if (!is_capturing) device_.wait(stream, each.end);
  if (!needs_input) return;
  if (call.premultiply)
    device_.scale(stream, *call.premultiply, input, call.input.base(), call.input_bytes / call.element_bytes);
  call.input.move_to(input);
}

void stream_executor::enqueue(const stream_arguments& made, stream_handle stream) {
  const bool is_capturing = device_.is_capturing(stream);
  if (is_capturing && !wire_.why_not_capturable().empty())
    fail(errc::unsupported, "a call over " + std::string(wire_.name()) + " cannot be captured into a graph",
         wire_.why_not_capturable());
  stream_arguments call = made;
  call.segments = std::max<std::int64_t>(call.segments, 1);
  const auto used =
      static_cast<std::size_t>(std::min<std::int64_t>(call.segments, static_cast<std::int64_t>(lanes_.size())));
  std::vector<segment_issue> issues;
  issues.reserve(used);
  for (std::size_t l = 0; l < used; ++l) {
    issues.emplace_back(device_, wire_, lanes_[l], call);
    issues.back().reserve(is_capturing);
  }
  place_buffers(call, stream, is_capturing);
  const event_handle begin = is_capturing ? captured_begin_ : begin_;
  device_.record(begin, stream);
  for (std::size_t l = 0; l < used; ++l) device_.wait(lanes_[l].stream, begin);
  // Segment by segment, not lane by lane: a wire that blocks the host while it connects then does so in one order.
  for (std::int64_t s = 0; s < call.segments; ++s) issues[static_cast<std::size_t>(s) % used].enqueue(s);
  for (std::size_t l = 0; l < used; ++l) {
    const event_handle end = is_capturing ? lanes_[l].captured_end : lanes_[l].end;
    device_.record(end, lanes_[l].stream);
    device_.wait(stream, end);
  }
  if (call.divide)
    device_.scale(stream, *call.divide, call.output.base(), call.output.base(), call.output_bytes / call.element_bytes);
}

}  // namespace hawser::executor
