// One call on its way: checked, planned, its buffers prepared, its operations run one after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "integer_sums.hpp"
#include "signature_check.hpp"
#include "state.hpp"

namespace hawser::detail {

/// Whose a run is: of one call and then of none; or kept, and then used by a call, free for the next, or of no use.
enum class run_use : std::uint8_t { once, taken, free, spent };

/// The caller's thread starts and ends a run; in between, `advance` goes from one operation to the next on whatever
/// thread drives the engine, under the engine's lock.
class collective_run {
 public:
  /// Checks the call, plans it and prepares what can be prepared once. Throws as `collectives` says.
  collective_run(communicator_state& members, call made);
  /// Gives an unfinished run `abort_timeout`, then fails the job, so that no transport touches its memory any more.
  ~collective_run();
  collective_run(const collective_run&) = delete;
  collective_run& operator=(const collective_run&) = delete;

  /// Keeps the communicator alive as long as this run is used.
  void keep(std::shared_ptr<communicator_state> members) { kept_ = std::move(members); }

  /// Whether a call differs from that of this run in nothing but the addresses of its buffers.
  bool fits(const call& made) const;
  /// Takes over the buffers of a call that `fits`. Throws what a new run of that call would throw.
  void reload(const call& made);
  /// Whether it may be used for another call: it has succeeded, and what it holds is small.
  bool is_keepable() const noexcept;
  /// A use of it ends, an unfinished one as in the destructor. Returns what kept the communicator alive.
  std::shared_ptr<communicator_state> leave() noexcept;
  /// Gives its memory back: it is of no more use.
  void discard() noexcept;
  run_use use() const noexcept { return use_.load(std::memory_order_acquire); }
  void set_use(run_use now) noexcept { use_.store(now, std::memory_order_release); }

  /// Where it throws, nothing is under way and it may be called again.
  void start(attendance driven_by);
  bool test();
  void wait();
  /// False when the deadline passed first.
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  /// The same for so long, counted as `engine::wait_for` does.
  bool wait_for(std::chrono::nanoseconds patience);
  /// Nobody waits for it any more; it must be kept until the transports have been shut down.
  void abandon() noexcept { is_complete_ = true; }
  const schedule::plan& plan() const noexcept { return *plan_; }

 private:
  void make_request();
  void choose_run_type();
  bool may_be_refined() const;
  void place_buffers();
  void make_layouts();
  std::unique_ptr<executor::operation> sizes_operation();
  schedule::request scales_request() const;
  std::unique_ptr<executor::operation> scales_operation();
  std::unique_ptr<executor::operation> payload_operation();
  reducer make_reducer() const;
  bool has_two_passes() const noexcept { return sizes_first_ || integers_.has_value(); }
  executor::operation_arguments arguments_of(std::size_t element_bytes);
  void take_sizes();
  void load_input();
  void store_output();
  std::int64_t first_reduced() const;
  void end_unfinished() noexcept;
  const std::shared_ptr<const call_log::entry>& log_entry();
  diagnosis::call_facts recorded_facts();
  void record_begin(std::uint64_t number);
  void launch(std::uint16_t number);
  void tell_switches();
  static void on_ended(void* self);
  static void on_compared(void* self);
  void prepare_validation(std::uint64_t number);
  void advance();
  void end(std::optional<transport::failure> failed);
  void finish();
  std::string what_it_waits_for();
  std::chrono::milliseconds timeout() const;
  std::chrono::milliseconds patience_before_doubts() const;
  void doubt_while_polled();
  void compare_calls();
  [[noreturn]] void time_out();

  communicator_state& members_;
  std::shared_ptr<communicator_state> kept_;
  executor::engine& engine_;
  std::shared_ptr<order_window> order_numbers_;
  call call_;
  schedule::request request_;
  std::shared_ptr<const schedule::plan> plan_;
  std::shared_ptr<const executor::compiled_program> program_;
  std::vector<std::int64_t> input_offsets_, output_offsets_;
  executor::block_layout input_, output_;
  std::vector<std::int64_t> scratch_counts_;
  std::vector<std::int64_t> sent_sizes_, received_sizes_;
  std::optional<integer_sums> integers_;                 // mode order_invariant: its scales go ahead
  std::vector<std::byte> staged_input_, staged_output_;  // accumulation type, scaled input, output of a non-root
  void* run_input_ = nullptr;
  void* run_output_ = nullptr;
  data_type run_type_{};
  std::size_t run_element_bytes_ = 0;
  bool sizes_first_ = false;
  bool is_in_place_ = false;
  std::shared_ptr<const call_log::entry> logged_;
  std::optional<diagnosis::call_facts> facts_;  // for the flight recorder
  std::atomic<run_use> use_{run_use::once};
  // The caller's.
  bool is_started_ = false;
  bool is_complete_ = false;  // and the caller has been told
  bool has_compared_ = false;
  std::optional<std::chrono::steady_clock::time_point> polled_since_;  // by `test`
  // Of the run under way, under the engine's lock until `is_over_`.
  std::unique_ptr<executor::operation> operation_;
  std::unique_ptr<signature_check> validation_;  // null: calls are not validated
  bool is_refused_ = false;                      // by it: all ranks find the same, and none need be told
  std::uint64_t recorded_ = diagnosis::recorder::not_recorded, record_number_ = 0;
  std::uint64_t shown_ = 0;  // its range for profilers
  std::uint16_t validation_number_ = 0, first_number_ = 0, payload_number_ = 0;
  bool is_in_first_pass_ = false;
  bool is_unattended_ = false;
  std::optional<transport::failure> failed_;
  std::atomic<bool> is_over_{false};
};

/// What is wrong with a call's buffers, counts, operator and root; nothing where all is well.
/// Throws errc::invalid_argument or errc::unsupported.
void check_call(const call& made, int ranks, rank self);

/// What is wrong with the addresses of a call's buffers alone. Throws errc::invalid_argument.
void check_buffers(const call& made, rank self);

/// Whether input and output are the same memory in the way the collective allows.
bool is_in_place(const call& made, rank self);

}  // namespace hawser::detail
