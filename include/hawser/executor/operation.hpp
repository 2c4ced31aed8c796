// One collective in progress on one rank: runs a program's steps, segment by segment, over a transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <hawser/core/reducer.hpp>
#include <hawser/diagnosis/recorder.hpp>
#include <hawser/executor/layout.hpp>
#include <hawser/schedule/program.hpp>
#include <hawser/schedule/window.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::executor {

/// A program and which step follows which on the same lane (peer, channel, direction), where messages are posted in
/// order. Shared by all runs of a plan.
struct compiled_program {
  static constexpr std::uint32_t none = UINT32_MAX;

  explicit compiled_program(schedule::program program);

  schedule::program code;
  std::vector<std::uint32_t> next_on_lane;     ///< per step; `none` at a lane's end
  std::vector<std::uint32_t> waits_for_start;  ///< per step: dependences plus 1 where another step is before it
};

/// Everything that one run needs beside its program. Memory belongs to the caller.
struct operation_arguments {
  std::shared_ptr<const compiled_program> program;
  block_layout input;
  block_layout output;
  /// Elements of each scratch block, where blocks are ragged; else every block has `scratch_count`.
  std::vector<std::int64_t> scratch_counts;
  std::int64_t scratch_count = 0;
  std::size_t element_bytes = 1;
  reducer reduce;  ///< needed where the program reduces
  std::int64_t segments = 1;
  std::int64_t window = schedule::default_window;  ///< segments in flight, at most `max_window`
  bool sends_empty_messages = false;               ///< a barrier: messages count, not bytes
  std::uint16_t context = 0;
  /// Called once per run, by the engine, when it is done or has failed; after success the operation may be destroyed
  /// there. A failed one must stay until it `is_done`.
  void (*ended)(void* state) = nullptr;
  void* state = nullptr;
  diagnosis::recorder* recorder = nullptr;  ///< of the rank, for the steps of recorded runs
};

/// More segments in flight would break the matching of folded tags (see transport::tag and the MPI transport).
inline constexpr std::int64_t max_window = 64;

/// Single-threaded, as its transport. It must stay alive until `is_done()`; completions point into it. This one runs on
/// memory of the host; what differs elsewhere is virtual (device_operation.hpp).
class operation {
 public:
  operation(operation_arguments arguments, transport::any_transport& wire);
  operation(const operation&) = delete;
  operation& operator=(const operation&) = delete;
  virtual ~operation();

  /// Other buffers of the same layout for the runs to come, none of which is under way.
  void move_buffers(void* input, void* output) noexcept {
    arguments_.input.move_to(input);
    arguments_.output.move_to(output);
  }
  /// Bytes of memory that it keeps from one run to the next.
  std::size_t kept_bytes() const noexcept;

  /// The call, as the recorder knows it, whose steps the next run's are.
  void record_as(std::uint64_t call) noexcept {
    call_ = arguments_.recorder ? call : diagnosis::recorder::not_recorded;
  }

  /// Posts what can start at once. A finished operation may be started again, with its new order number.
  void start(std::uint16_t order_number);
  /// The scratch memory of the first segment in flight: after a run of one segment, what it left there.
  const std::byte* scratch() const { return slots_.empty() ? nullptr : slots_.front()->scratch_memory.get(); }
  /// Runs the steps that completed transfers have made ready. An exception, out of memory say, fails the operation.
  void advance();
  /// Everything is done, or it failed and no transfer is pending any more.
  bool is_done() const noexcept { return (segments_left_ == 0 || failed_) && pending_ == 0; }
  /// No transport holds any of its transfers.
  bool is_idle() const noexcept { return pending_ == 0; }
  /// Whether something is under way that no descriptor tells of: work of a device.
  bool can_only_be_polled() const noexcept { return polled_ > 0; }
  /// When it returns, no device touches memory for it: part of a shutdown. May wait for what a device has begun.
  virtual void let_go() noexcept {}
  /// The transport has been shut down: what it holds no more will not complete, such as a transfer that it refused with
  /// an exception.
  void forget_transfers() noexcept { pending_ = polled_; }
  /// Calls `operation_arguments::ended`, the first time in a run.
  void tell();
  /// Why it failed, the first cause.
  const std::optional<transport::failure>& failed() const noexcept { return failed_; }
  /// Stops issuing steps; pending transfers end through the transport.
  void fail(const transport::failure& why);

  /// One step of this run that waits for a transfer, for diagnosis.
  struct waiting_step {
    std::uint32_t step;
    std::int64_t segment;
    rank peer;
    bool is_receive;
  };
  /// Transfers that are posted and not complete, no more than asked for.
  std::vector<waiting_step> waiting(std::size_t at_most) const;

 protected:
  struct slot;
  /// The transfer of one step in one slot.
  struct transfer : transport::completion {
    operation* owner = nullptr;
    slot* home = nullptr;
    std::uint32_t step = 0;
    std::uint64_t recorded = 0;  ///< its place in the flight recorder
    bool is_pending = false;
    bool is_staged = false;
    std::vector<std::byte> staging;
    std::byte* place = nullptr;  ///< for staged bytes, in memory of a device
    std::vector<run> target;  ///< where staged bytes go
    std::vector<run> source;  ///< what they are reduced with
  };
  /// A place for one segment in flight.
  struct slot {
    segment part;
    std::vector<std::uint32_t> waits;  ///< per step: what it still waits for
    std::vector<transfer> transfers;   ///< per step
    std::uint32_t steps_left = 0;
    block_layout scratch;
    std::vector<std::int64_t> scratch_offsets;
    std::size_t scratch_bytes = 0;
    std::unique_ptr<std::byte[]> scratch_memory;
  };
  struct ready_step {
    slot* home;
    std::uint32_t step;
  };

  /// What each kind of memory does in its own way: runs what is ready; makes memory for a slot; begins a step, which
  /// calls `started` when the next one on its lane may go, and `completed`; takes a received message to its place.
  virtual void move() { run_ready(); }
  virtual void allocate_scratch(slot& home);
  virtual void issue(slot& home, std::uint32_t index);
  virtual void arrived(transfer& t);

  void run_ready();
  void prepare_slots();
  void begin_segment(slot& home);
  void lay_out_scratch(slot& home);
  void started(slot& home, std::uint32_t index);
  void completed(slot& home, std::uint32_t index);
  void release(slot& home, std::uint32_t index);
  const block_layout& layout_of(const slot& home, schedule::buffer where) const noexcept {
    return where == schedule::buffer::input    ? arguments_.input
           : where == schedule::buffer::output ? arguments_.output
                                               : home.scratch;
  }
  void collect(slot& home, schedule::operand what, std::vector<run>& runs) const;
  transport::tag tag_of(const slot& home, const schedule::step& step) const;
  void post(transfer& t);
  std::uint64_t record_begin(const slot& home, std::uint32_t index) const noexcept;
  void record_end(std::uint64_t place) const noexcept;

  const schedule::step& step_at(std::uint32_t index) const { return arguments_.program->code.source.steps[index]; }

  operation_arguments arguments_;
  transport::any_transport& wire_;
  std::vector<std::unique_ptr<slot>> slots_;
  std::vector<ready_step> ready_;
  std::size_t next_ready_ = 0;
  std::int64_t next_segment_ = 0;
  std::int64_t segments_left_ = 0;
  std::int64_t pending_ = 0;  // transfers, and work of a device
  std::int64_t polled_ = 0;   // the latter
  std::uint64_t call_ = diagnosis::recorder::not_recorded;
  std::uint16_t order_number_ = 0;
  bool is_larger_than_caches_ = false;
  bool is_told_ = false;
  std::optional<transport::failure> failed_;
  std::vector<run> runs_a_, runs_b_, runs_c_;  // reused between steps

 private:
  void send(slot& home, std::uint32_t index);
  void receive(slot& home, std::uint32_t index);
  void reduce_locally(slot& home, std::uint32_t index);
  void copy_locally(slot& home, std::uint32_t index);
  void finish_receive(transfer& t);

  static void on_done(transport::completion& self, const transport::failure* failed);
  static void consume(void* state, std::size_t offset, const std::byte* from, std::size_t bytes);
};

}  // namespace hawser::executor
