// Runs the steps of a program; see operation.hpp.
#include <hawser/executor/operation.hpp>

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <map>
#include <tuple>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/executor/runs.hpp>

namespace hawser::executor {

using schedule::step;
using schedule::step_kind;

namespace {

/// A call whose result is as large leaves nothing in the caches that the ranks of a host share: a quarter of the last
/// level, since two ranks have an input and an output each. What the system says of it may be the sum over all dies of
/// a processor (glibc on AMD's), of which a rank has one: no more than the usual 32 MiB are believed.
std::size_t bytes_past_caches() noexcept {
  constexpr long usual = long{32} << 20;
#ifdef _SC_LEVEL3_CACHE_SIZE
  static const long known = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
#else
  constexpr long known = 0;
#endif
  return static_cast<std::size_t>(known > 0 ? std::min(known, usual) : usual) / 4;
}

}  // namespace

compiled_program::compiled_program(schedule::program program) : code(std::move(program)) {
  const auto& steps = code.source.steps;
  next_on_lane.assign(steps.size(), none);
  waits_for_start = code.waits_for;
  std::map<std::tuple<rank, std::uint16_t, bool>, std::uint32_t> last;
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].sends() && !steps[i].receives()) continue;
    const auto [at, is_first] = last.try_emplace({steps[i].peer, steps[i].channel, steps[i].sends()}, i);
    if (is_first) continue;
    next_on_lane[at->second] = i;
    ++waits_for_start[i];
    at->second = i;
  }
}

operation::operation(operation_arguments arguments, transport::any_transport& wire)
    : arguments_(std::move(arguments)), wire_(wire) {
  arguments_.window = std::clamp<std::int64_t>(arguments_.window, 1, max_window);
  arguments_.segments = std::max<std::int64_t>(arguments_.segments, 1);
  const std::int64_t blocks = arguments_.program->code.source.output_blocks;
  is_larger_than_caches_ =
      blocks > 0 && !arguments_.output.is_ragged() &&
      static_cast<std::size_t>(blocks * arguments_.output.count(0)) * arguments_.element_bytes >= bytes_past_caches();
}

operation::~operation() = default;

std::size_t operation::kept_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const auto& home : slots_) {
    bytes += home->scratch_bytes + home->waits.size() * (sizeof(transfer) + sizeof(std::uint32_t));
    for (const transfer& t : home->transfers)
      bytes += t.staging.capacity() + (t.target.capacity() + t.source.capacity()) * sizeof(run);
  }
  return bytes;
}

void operation::start(std::uint16_t order_number) {
  order_number_ = order_number;
  const bool has_steps = !arguments_.program->code.source.steps.empty();
  segments_left_ = has_steps ? arguments_.segments : 0;
  next_segment_ = 0;
  is_told_ = false;
  if (!has_steps) return;
  if (slots_.empty()) prepare_slots();
  for (const auto& each : slots_) begin_segment(*each);
  move();
}

/// Everything that a run needs beside its buffers.
void operation::prepare_slots() {
  const std::size_t steps = arguments_.program->code.source.steps.size();
  const auto slots = static_cast<std::size_t>(std::min(arguments_.window, arguments_.segments));
  while (slots_.size() < slots) {
    auto made = std::make_unique<slot>();
    made->part = {0, arguments_.segments};
    made->transfers = std::vector<transfer>(steps);
    for (std::uint32_t i = 0; i < steps; ++i) {
      transfer& t = made->transfers[i];
      t.done = &operation::on_done;
      t.owner = this;
      t.home = made.get();
      t.step = i;
    }
    allocate_scratch(*made);
    slots_.push_back(std::move(made));
  }
}

void operation::begin_segment(slot& home) {
  const auto& program = *arguments_.program;
  const std::size_t steps = program.code.source.steps.size();
  home.part = {next_segment_++, arguments_.segments};
  home.waits = program.waits_for_start;
  home.steps_left = static_cast<std::uint32_t>(steps);
  for (std::uint32_t i = 0; i < steps; ++i)
    if (home.waits[i] == 0) ready_.push_back({&home, i});
}

void operation::lay_out_scratch(slot& home) {
  const std::int64_t blocks = arguments_.program->code.source.scratch_blocks;
  const std::size_t element = arguments_.element_bytes;
  std::int64_t elements = 0;
  if (arguments_.scratch_counts.empty()) {
    elements = blocks * home.part.largest(arguments_.scratch_count);
    home.scratch = block_layout::uniform(nullptr, arguments_.scratch_count, element);
  } else {
    for (std::int64_t count : arguments_.scratch_counts) {
      home.scratch_offsets.push_back(elements);
      elements += home.part.largest(count);
    }
    home.scratch = block_layout::ragged(nullptr, arguments_.scratch_counts, home.scratch_offsets, element);
  }
  home.scratch_bytes = static_cast<std::size_t>(elements) * element;
  home.scratch.hold_one_segment();
}

void operation::allocate_scratch(slot& home) {
  lay_out_scratch(home);
  home.scratch_memory.reset(new std::byte[home.scratch_bytes]);
  home.scratch.move_to(home.scratch_memory.get());
}

void operation::advance() {
  try {
    move();
  } catch (const error& raised) {
    fail({raised.code(), raised.peer().value_or(rank(-1)), raised.what()});
  } catch (const std::exception& raised) {
    fail({errc::internal, rank(-1), raised.what()});
  }
}

void operation::run_ready() {
  while (next_ready_ < ready_.size() && !failed_) {
    const ready_step next = ready_[next_ready_++];
    issue(*next.home, next.step);
  }
  if (next_ready_ == ready_.size()) {
    ready_.clear();
    next_ready_ = 0;
  }
}

void operation::issue(slot& home, std::uint32_t index) {
  switch (arguments_.program->code.source.steps[index].kind) {
    case step_kind::send: return send(home, index);
    case step_kind::recv:
    case step_kind::recv_reduce: return receive(home, index);
    case step_kind::copy: return copy_locally(home, index);
    case step_kind::reduce: return reduce_locally(home, index);
  }
}

void operation::collect(slot& home, schedule::operand what, std::vector<run>& runs) const {
  runs.clear();
  for (const schedule::region& each : arguments_.program->code.source.at(what))
    layout_of(home, each.where).append_runs(each, home.part, runs);
}

transport::tag operation::tag_of(const slot& home, const step& s) const {
  return {arguments_.context, order_number_, static_cast<std::uint16_t>(home.part.index), s.channel};
}

void operation::post(transfer& t) {
  t.recorded = record_begin(*t.home, t.step);
  t.is_pending = true;
  ++pending_;
}

/// Off, it costs a comparison.
std::uint64_t operation::record_begin(const slot& home, std::uint32_t index) const noexcept {
  if (call_ == diagnosis::recorder::not_recorded) return diagnosis::recorder::not_recorded;
  const step& s = arguments_.program->code.source.steps[index];
  return arguments_.recorder->begin_step(call_, index, home.part.index, s.kind, s.peer);
}

void operation::record_end(std::uint64_t place) const noexcept {
  if (place != diagnosis::recorder::not_recorded) arguments_.recorder->end_step(place);
}

void operation::send(slot& home, std::uint32_t index) {
  const step& s = arguments_.program->code.source.steps[index];
  transfer& t = home.transfers[index];
  collect(home, s.source, runs_a_);
  const std::size_t bytes = total_bytes(runs_a_);
  if (bytes == 0 && !arguments_.sends_empty_messages) return started(home, index), completed(home, index);
  std::span<const std::byte> message(runs_a_.empty() ? nullptr : runs_a_[0].data, bytes);
  if (runs_a_.size() > 1) {
    t.staging.resize(bytes);
    gather_runs(runs_a_, t.staging.data());
    message = t.staging;
  }
  post(t);
  wire_.send(s.peer, tag_of(home, s), message, t);
  started(home, index);
}

void operation::receive(slot& home, std::uint32_t index) {
  const step& s = arguments_.program->code.source.steps[index];
  transfer& t = home.transfers[index];
  collect(home, s.target, t.target);
  const std::size_t bytes = total_bytes(t.target);
  if (bytes == 0 && !arguments_.sends_empty_messages) return started(home, index), completed(home, index);
  const bool reduces = s.kind == step_kind::recv_reduce && bytes > 0;
  if (reduces) collect(home, s.source, t.source);
  t.is_staged = false;
  transport::sink into{.data = nullptr, .bytes = bytes, .state = &t};
  const bool is_plain = t.target.size() <= 1 && (!reduces || t.source.size() == 1);
  if (reduces && is_plain && wire_.consumes_in_place(s.peer)) {
    into.consume = &operation::consume;
    into.granule = arguments_.element_bytes;
  } else if (reduces || !is_plain) {
    t.is_staged = true;
    t.staging.resize(bytes);
    into.data = t.staging.data();
  } else if (!t.target.empty()) {
    into.data = t.target[0].data;
    into.is_final = is_larger_than_caches_ && arguments_.program->code.dependents_of(index).empty();
  }
  post(t);
  wire_.receive(s.peer, tag_of(home, s), into, t);
  started(home, index);
}

void operation::consume(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) {
  auto& t = *static_cast<transfer*>(state);
  const auto& arguments = t.owner->arguments_;
  std::byte* const target = t.target[0].data + offset;
  const std::byte* const source = t.source[0].data + offset;
  const bool is_right = arguments.program->code.source.steps[t.step].incoming == schedule::side::right;
  arguments.reduce(target, is_right ? source : from, is_right ? from : source, bytes / arguments.element_bytes);
}

void operation::finish_receive(transfer& t) {
  if (!t.is_staged) return;
  const step& s = arguments_.program->code.source.steps[t.step];
  if (s.kind == step_kind::recv) return scatter_runs(t.staging.data(), t.target);
  const run incoming{t.staging.data(), t.staging.size()};
  const bool is_right = s.incoming == schedule::side::right;
  for_each_triple(t.target, t.source, std::span(&incoming, 1),
                  [&](std::byte* to, std::byte* own, std::byte* other, std::size_t bytes) {
                    arguments_.reduce(to, is_right ? own : other, is_right ? other : own,
                                      bytes / arguments_.element_bytes);
                  });
}

void operation::copy_locally(slot& home, std::uint32_t index) {
  const step& s = arguments_.program->code.source.steps[index];
  const std::uint64_t recorded = record_begin(home, index);
  collect(home, s.target, runs_a_);
  collect(home, s.source, runs_b_);
  for_each_pair(runs_a_, runs_b_, [](std::byte* to, const std::byte* from, std::size_t bytes) {
    if (to != from) std::memcpy(to, from, bytes);
  });
  record_end(recorded);
  completed(home, index);
}

void operation::reduce_locally(slot& home, std::uint32_t index) {
  const step& s = arguments_.program->code.source.steps[index];
  const std::uint64_t recorded = record_begin(home, index);
  collect(home, s.target, runs_a_);
  collect(home, s.source, runs_b_);
  collect(home, s.other, runs_c_);
  const bool is_right = s.incoming == schedule::side::right;
  for_each_triple(runs_a_, runs_b_, runs_c_, [&](std::byte* to, std::byte* own, std::byte* other, std::size_t bytes) {
    arguments_.reduce(to, is_right ? own : other, is_right ? other : own, bytes / arguments_.element_bytes);
  });
  record_end(recorded);
  completed(home, index);
}

void operation::started(slot& home, std::uint32_t index) {
  const std::uint32_t next = arguments_.program->next_on_lane[index];
  if (next != compiled_program::none) release(home, next);
}

void operation::release(slot& home, std::uint32_t index) {
  if (--home.waits[index] == 0) ready_.push_back({&home, index});
}

void operation::completed(slot& home, std::uint32_t index) {
  for (std::uint32_t dependent : arguments_.program->code.dependents_of(index)) release(home, dependent);
  if (--home.steps_left > 0) return;
  --segments_left_;
  if (next_segment_ < arguments_.segments && !failed_) begin_segment(home);
}

void operation::on_done(transport::completion& self, const transport::failure* failed) {
  auto& t = static_cast<transfer&>(self);
  operation& owner = *t.owner;
  t.is_pending = false;
  --owner.pending_;
  if (failed != nullptr) return owner.fail(*failed);
  if (!owner.failed_) owner.arrived(t);
}

/// Of a send, that it has left.
void operation::arrived(transfer& t) {
  finish_receive(t);
  record_end(t.recorded);
  completed(*t.home, t.step);
}

void operation::tell() {
  if (!std::exchange(is_told_, true) && arguments_.ended) arguments_.ended(arguments_.state);
}

void operation::fail(const transport::failure& why) {
  if (!failed_) failed_ = why;
}

std::vector<operation::waiting_step> operation::waiting(std::size_t at_most) const {
  std::vector<waiting_step> result;
  for (const auto& home : slots_)
    for (const transfer& t : home->transfers) {
      if (!t.is_pending) continue;
      if (result.size() == at_most) return result;
      const step& s = arguments_.program->code.source.steps[t.step];
      result.push_back({t.step, home->part.index, s.peer, s.receives()});
    }
  return result;
}

}  // namespace hawser::executor
