// One call on its way: checked, planned, its buffers prepared, its operations run one after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "state.hpp"

namespace hawser::detail {

class collective_run {
 public:
  /// Checks the call, plans it and prepares what can be prepared once. Throws as `collectives` says.
  collective_run(communicator_state& members, call made);
  ~collective_run();
  collective_run(const collective_run&) = delete;
  collective_run& operator=(const collective_run&) = delete;

  /// Keeps the communicator alive as long as this run.
  void keep(std::shared_ptr<communicator_state> members) { kept_ = std::move(members); }

  void start();
  bool test();
  void wait();
  /// False when the deadline passed first.
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  bool is_started() const noexcept { return is_started_; }
  bool is_complete() const noexcept { return is_complete_; }
  const schedule::plan& plan() const noexcept { return *plan_; }

 private:
  void make_request();
  void make_layouts();
  void prepare_scratch();
  void start_sizes();
  void start_payload();
  void take_sizes();
  void load_input();
  void store_output();
  void launch(executor::operation_arguments arguments);
  bool advance();
  void throw_failure();
  executor::operation_arguments arguments_of(std::size_t element_bytes) const;

  communicator_state& members_;
  std::shared_ptr<communicator_state> kept_;
  call call_;
  schedule::request request_;
  std::shared_ptr<const schedule::plan> plan_;
  std::shared_ptr<const executor::compiled_program> program_;
  std::vector<std::int64_t> input_offsets_, output_offsets_;
  executor::block_layout input_, output_;
  std::vector<std::int64_t> scratch_counts_;
  std::vector<std::int64_t> sent_sizes_, received_sizes_;
  std::vector<std::byte> staged_input_, staged_output_;  // accumulation type, scaled input, output of a non-root
  void* run_input_ = nullptr;
  void* run_output_ = nullptr;
  data_type run_type_{};
  std::size_t run_element_bytes_ = 0;
  bool sizes_first_ = false;
  bool is_sizing_ = false;
  bool is_started_ = false;
  bool is_complete_ = false;
  std::unique_ptr<executor::operation> operation_;
};

/// What is wrong with a call's buffers, counts, operator and root; nothing where all is well.
/// Throws errc::invalid_argument or errc::unsupported.
void check_call(const call& made, int ranks, rank self);

/// Whether input and output are the same memory in the way the collective allows.
bool is_in_place(const call& made, rank self);

}  // namespace hawser::detail
