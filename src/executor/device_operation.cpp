// See device_operation.hpp.
#include <hawser/executor/device_operation.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/executor/runs.hpp>

namespace hawser::executor {

using schedule::step;
using schedule::step_kind;

namespace {

/// Where staged bytes begin; devices' kernels are fastest so.
constexpr std::size_t alignment = 256;

constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// The blocks that one interval touches.
std::int64_t blocks_of(const schedule::interval& where) {
  return where.end.ceil() - where.begin.floor();
}

/// At least as many bytes as a region names in any segment: where a part of a block begins and ends is rounded down, so
/// that a part of a smaller segment may have one element more than its share of the largest.
std::size_t most_bytes(const block_layout& layout, const schedule::region& where, segment part) {
  std::int64_t elements = 0;
  for (std::uint32_t k = 0; k < where.count; ++k) {
    const schedule::interval each = where.at(k);
    const std::int64_t first = each.begin.floor(), last = each.end.ceil();
    for (std::int64_t block = first; block < last; ++block) {
      const std::int64_t all = part.largest(layout.count(block));
      const std::int64_t low = block == first ? each.begin.fractional().of(all) : 0;
      const std::int64_t high = block == each.end.floor() ? each.end.fractional().of(all) : all;
      elements += std::min(high - low + 1, all);
    }
  }
  return static_cast<std::size_t>(elements) * layout.element_bytes();
}

}  // namespace

device_queue::~device_queue() {
  for (const event_handle each : marks_) device_.destroy(each);
  device_.destroy(stream_);
}

event_handle device_queue::take_mark() {
  if (marks_.empty()) return device_.make_event();
  const event_handle taken = marks_.back();
  marks_.pop_back();
  return taken;
}

device_operation::device_operation(operation_arguments arguments, const device_reduction& how,
                                   transport::any_transport& wire, device_queue& queue)
    : operation(std::move(arguments), wire), queue_(queue), how_(how) {
  try {
    prepare_slots();
  } catch (const std::bad_alloc&) {
    for (void* each : memory_) queue_.device().release(each, memory_kind::device);
    hawser::fail(errc::resource, "no memory of the device for a collective",
                 "its program needs scratch and staging for each segment in flight",
                 "lower the window, or the segments");
  } catch (...) {
    for (void* each : memory_) queue_.device().release(each, memory_kind::device);
    throw;
  }
}

device_operation::~device_operation() {
  let_go();
  for (void* each : memory_) queue_.device().release(each, memory_kind::device);
}

/// What a step's staging takes: of a reduction its incoming message, else a message that may lie in several places.
/// That is told from the program alone, since buffers move between runs.
std::size_t device_operation::staged_bytes(const slot& home, std::uint32_t index) const {
  const step& s = step_at(index);
  if (!s.sends() && !s.receives()) return 0;
  std::size_t bytes = 0;
  std::int64_t places = 0;
  for (const schedule::region& each : arguments_.program->code.source.at(s.sends() ? s.source : s.target)) {
    const block_layout& layout = layout_of(home, each.where);
    const bool is_together = home.part.of == 1 && !layout.is_ragged();
    places += is_together ? each.count : each.count * blocks_of(each.first);
    bytes += most_bytes(layout, each, home.part);
  }
  return s.kind == step_kind::recv_reduce || places > 1 ? bytes : 0;
}

void device_operation::allocate_scratch(slot& home) {
  lay_out_scratch(home);
  std::size_t bytes = aligned(home.scratch_bytes);
  std::vector<std::size_t> offsets;
  for (const transfer& t : home.transfers) {
    offsets.push_back(bytes);
    bytes += aligned(staged_bytes(home, t.step));
  }
  memory_.reserve(memory_.size() + 1);
  auto* const made = static_cast<std::byte*>(queue_.device().allocate(bytes, memory_kind::device));
  memory_.push_back(made);
  home.scratch.move_to(made);
  for (transfer& t : home.transfers) t.place = made + offsets[t.step];
}

void device_operation::move() {
  reap();
  run_ready();
  mark_batch();
}

/// Enqueues work for a step. It counts as under way before, so that what was enqueued when the device refused the rest
/// is waited for.
template <class Enqueue>
void device_operation::begin(const work& of, Enqueue&& enqueue) {
  works_.push_back(of);
  ++unmarked_;
  ++pending_;
  ++polled_;
  enqueue();
}

/// One mark for all that became ready together.
void device_operation::mark_batch() {
  if (unmarked_ == 0) return;
  const event_handle mark = queue_.take_mark();
  try {
    queue_.device().record(mark, queue_.stream());
  } catch (...) {
    queue_.give_mark(mark);
    throw;
  }
  batches_.push_back({mark, std::exchange(unmarked_, 0)});
}

void device_operation::reap() {
  while (!batches_.empty() && queue_.device().has_passed(batches_.front().mark)) {
    const batch passed = batches_.front();
    batches_.pop_front();
    queue_.give_mark(passed.mark);
    std::vector<work> done(works_.begin(), works_.begin() + static_cast<std::ptrdiff_t>(passed.works));
    works_.erase(works_.begin(), works_.begin() + static_cast<std::ptrdiff_t>(passed.works));
    pending_ -= static_cast<std::int64_t>(passed.works);
    polled_ -= static_cast<std::int64_t>(passed.works);
    for (const work& each : done)
      if (!failed_) finish(each);
  }
}

void device_operation::finish(const work& done) {
  if (!done.is_gathered) {
    record_end(done.recorded);
    return completed(*done.home, done.step);
  }
  collect(*done.home, step_at(done.step).source, runs_a_);
  send_now(*done.home, done.step, {done.home->transfers[done.step].place, total_bytes(runs_a_)});
}

void device_operation::let_go() noexcept {
  if (works_.empty()) return;
  try {
    queue_.device().synchronise(queue_.stream());
  } catch (const std::exception&) {  // a device that is lost touches nothing
  }
  for (const batch& each : batches_) queue_.give_mark(each.mark);
  batches_.clear();
  pending_ -= static_cast<std::int64_t>(works_.size());
  polled_ -= static_cast<std::int64_t>(works_.size());
  unmarked_ = 0;
  works_.clear();
}

void device_operation::issue(slot& home, std::uint32_t index) {
  switch (step_at(index).kind) {
    case step_kind::send: return send(home, index);
    case step_kind::recv:
    case step_kind::recv_reduce: return receive(home, index);
    case step_kind::copy: return copy_locally(home, index);
    case step_kind::reduce: return reduce_locally(home, index);
  }
}

void device_operation::send(slot& home, std::uint32_t index) {
  collect(home, step_at(index).source, runs_a_);
  const std::size_t bytes = total_bytes(runs_a_);
  if (bytes == 0 && !arguments_.sends_empty_messages) return started(home, index), completed(home, index);
  if (runs_a_.size() <= 1) return send_now(home, index, {runs_a_.empty() ? nullptr : runs_a_[0].data, bytes});
  std::byte* to = home.transfers[index].place;
  begin({&home, index, 0, true}, [&] {
    for (const run& each : runs_a_) {
      enqueue_copy(to, each.data, each.bytes);
      to += each.bytes;
    }
  });
}

void device_operation::send_now(slot& home, std::uint32_t index, std::span<const std::byte> message) {
  const step& s = step_at(index);
  transfer& t = home.transfers[index];
  t.is_staged = false;
  post(t);
  wire_.send(s.peer, tag_of(home, s), message, t);
  started(home, index);
}

void device_operation::receive(slot& home, std::uint32_t index) {
  const step& s = step_at(index);
  transfer& t = home.transfers[index];
  collect(home, s.target, t.target);
  const std::size_t bytes = total_bytes(t.target);
  if (bytes == 0 && !arguments_.sends_empty_messages) return started(home, index), completed(home, index);
  const bool reduces = s.kind == step_kind::recv_reduce && bytes > 0;
  if (reduces) collect(home, s.source, t.source);
  t.is_staged = reduces || t.target.size() > 1;
  std::byte* const direct = t.target.empty() ? nullptr : t.target[0].data;
  post(t);
  wire_.receive(s.peer, tag_of(home, s), {.data = t.is_staged ? t.place : direct, .bytes = bytes}, t);
  started(home, index);
}

/// Called by the transport, which no error may pass through.
void device_operation::arrived(transfer& t) {
  if (!t.is_staged) {
    record_end(t.recorded);
    return completed(*t.home, t.step);
  }
  try {
    begin({t.home, t.step, t.recorded, false}, [&] { finish_receive(t); });
  } catch (const std::exception& raised) {
    fail({errc::resource, rank(-1), raised.what()});
  }
}

void device_operation::finish_receive(transfer& t) {
  const step& s = step_at(t.step);
  const run incoming{t.place, total_bytes(t.target)};
  if (s.kind == step_kind::recv) {
    for_each_pair(t.target, std::span(&incoming, 1),
                  [&](std::byte* to, const std::byte* from, std::size_t bytes) { enqueue_copy(to, from, bytes); });
    return;
  }
  for_each_triple(t.target, t.source, std::span(&incoming, 1),
                  [&](std::byte* to, std::byte* own, std::byte* other, std::size_t bytes) {
                    enqueue_reduction(s, to, own, other, bytes);
                  });
}

void device_operation::copy_locally(slot& home, std::uint32_t index) {
  collect(home, step_at(index).target, runs_a_);
  collect(home, step_at(index).source, runs_b_);
  begin({&home, index, record_begin(home, index), false}, [&] {
    for_each_pair(runs_a_, runs_b_, [&](std::byte* to, const std::byte* from, std::size_t bytes) {
      if (to != from) enqueue_copy(to, from, bytes);
    });
  });
}

void device_operation::reduce_locally(slot& home, std::uint32_t index) {
  const step& s = step_at(index);
  collect(home, s.target, runs_a_);
  collect(home, s.source, runs_b_);
  collect(home, s.other, runs_c_);
  begin({&home, index, record_begin(home, index), false}, [&] {
    for_each_triple(runs_a_, runs_b_, runs_c_, [&](std::byte* to, std::byte* own, std::byte* other, std::size_t bytes) {
      enqueue_reduction(s, to, own, other, bytes);
    });
  });
}

void device_operation::enqueue_copy(std::byte* to, const std::byte* from, std::size_t bytes) {
  queue_.device().copy(queue_.stream(), to, from, bytes);
}

void device_operation::enqueue_reduction(const step& s, std::byte* to, const std::byte* own, const std::byte* other,
                                         std::size_t bytes) {
  const bool is_right = s.incoming == schedule::side::right;
  queue_.device().reduce(queue_.stream(), how_, to, is_right ? own : other, is_right ? other : own,
                         bytes / arguments_.element_bytes);
}

}  // namespace hawser::executor
