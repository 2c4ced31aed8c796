// See run.hpp.
#include "run.hpp"

#include <algorithm>

#include <hawser/algorithm/properties.hpp>
#include <hawser/executor/reduce.hpp>

#include "call_blocks.hpp"

namespace hawser::detail {

using executor::block_layout;
using schedule::collective;

collective_run::collective_run(communicator_state& members, call made)
    : members_(members),
      engine_(members.owner().engine()),
      order_numbers_(members.order_numbers()),
      call_(std::move(made)) {
  members_.owner().check();
  check_call(call_, members_.size(), members_.self());
  make_request();
  plan_ = members_.plan_for(request_);
  program_ = members_.program_for(*plan_, request_);
  if (may_be_refined()) members_.shapes().note(request_, call_);
  sizes_first_ = algorithm::sends_sizes_first(call_.what, plan_->algorithm);
  make_layouts();
}

/// Whether the cost model chose, and a measured choice would do as well.
bool collective_run::may_be_refined() const {
  return request_.reproducibility == schedule::mode::fast && plan_->chosen_by == planner::chosen_by_model &&
         call_.options.segments == 0 && !call_.is_ragged && call_.op.kind != reduce_kind::user &&
         call_.type != data_type::user;
}

/// What partial results are kept and sent in.
void collective_run::choose_run_type() {
  run_type_ = call_.type;
  run_element_bytes_ = call_.element_bytes;
  if (!schedule::reduces(call_.what) || call_.op.kind == reduce_kind::user || call_.type == data_type::user) return;
  if (request_.needs_integer_sums() && schedule::is_order_invariant(call_.type, call_.op.kind)) {
    if (call_.options.accumulation)
      fail(errc::unsupported,
           "mode order_invariant keeps no partial sums in " + std::string(to_string(*call_.options.accumulation)),
           "it sums integers", "leave the accumulation type to it");
    integers_.emplace(call_.type, call_.op, call_.input_elements);
    run_type_ = data_type::int64;
    run_element_bytes_ = schedule::integer_sum_bytes;
    return;
  }
  run_type_ = call_.options.accumulation.value_or(accumulation_type(call_.type));
  if (!is_legal_accumulation(call_.type, run_type_))
    fail(errc::unsupported,
         std::string(to_string(call_.type)) + " cannot be accumulated in " + std::string(to_string(run_type_)),
         "see docs/types.md");
  run_element_bytes_ = size_of(run_type_);
}

void collective_run::make_request() {
  request_.what = call_.what;
  request_.count = agreed_count(call_, members_.size());
  request_.type = call_.type;
  request_.op = call_.op.kind;
  request_.reproducibility = std::max(call_.options.reproducibility, members_.owner().options().reproducibility);
  const bool is_integer_sum = request_.needs_integer_sums();
  choose_run_type();
  if (!is_integer_sum) request_.type = run_type_;  // else the planner refuses types that it cannot sum
  request_.element_bytes = run_element_bytes_;
  request_.is_commutative = !schedule::reduces(call_.what) || call_.op.is_commutative;
  request_.root = schedule::has_root(call_.what) ? call_.root : rank(0);
  request_.has_ragged_blocks = call_.is_ragged;
  request_.are_counts_agreed = are_counts_agreed(call_);
  request_.algorithm = call_.options.algorithm;
  is_in_place_ = is_in_place(call_, members_.self());
  request_.in_place = call_.what == collective::broadcast || is_in_place_;
}

bool collective_run::fits(const call& made) const {
  const auto is_same_function = [&] {
    return made.op.function.function == call_.op.function.function &&
           made.op.function.context == call_.op.function.context &&
           made.op.function.element_bytes == call_.op.function.element_bytes && made.op.operand == call_.op.operand;
  };
  const call_options &wanted = made.options, &known = call_.options;
  return made.what == call_.what && made.type == call_.type && made.element_bytes == call_.element_bytes &&
         made.input_elements == call_.input_elements && made.output_elements == call_.output_elements &&
         made.root == call_.root && made.op.kind == call_.op.kind &&
         made.op.is_commutative == call_.op.is_commutative && !made.is_ragged && !call_.is_ragged &&
         (made.op.kind != reduce_kind::user || is_same_function()) && wanted.reproducibility == known.reproducibility &&
         wanted.accumulation == known.accumulation && wanted.segments == known.segments &&
         wanted.typical_block_bytes == known.typical_block_bytes && wanted.algorithm == known.algorithm &&
         is_in_place(made, members_.self()) == is_in_place_;
}

void collective_run::reload(const call& made) {
  members_.owner().check();
  check_buffers(made, members_.self());
  call_.input = made.input;
  call_.output = made.output;
  call_.op = made.op;  // factor and name may be others
  call_.options.timeout = made.options.timeout;
  is_started_ = is_complete_ = false;
  place_buffers();
  if (operation_) operation_->move_buffers(run_input_, run_output_);
}

bool collective_run::is_keepable() const noexcept {
  return is_complete_ && !failed_ && !call_.is_ragged && !has_two_passes() && operation_ &&
         staged_input_.capacity() + staged_output_.capacity() + operation_->kept_bytes() <= kept_runs::most_bytes;
}

/// The memory that operations work on: the caller's, but for what is staged.
void collective_run::place_buffers() {
  run_input_ = staged_input_.empty() ? const_cast<void*>(call_.input) : staged_input_.data();
  run_output_ = staged_output_.empty() ? call_.output : staged_output_.data();
  input_.move_to(run_input_);
  output_.move_to(run_output_);
}

void collective_run::make_layouts() {
  const bool is_converted = run_type_ != call_.type;
  const bool is_scaled = call_.op.kind == reduce_kind::premul_sum && schedule::reduces(call_.what);
  const auto bytes = [&](std::int64_t elements) { return static_cast<std::size_t>(elements) * run_element_bytes_; };
  if (is_converted || is_scaled) {
    // Reductions in another type, or of scaled elements, run on copies.
    staged_input_.resize(bytes(call_.input_elements));
    request_.in_place = false;
    if (is_converted) staged_output_.resize(bytes(call_.output_elements));
    program_ = members_.program_for(*plan_, request_);
  }
  if (call_.what == collective::reduce && members_.self() != call_.root)
    staged_output_.resize(bytes(call_.input_elements));
  if (call_.is_ragged) {
    input_offsets_ = offsets_of(call_.input_counts);
    output_offsets_ = offsets_of(call_.output_counts);
  }
  input_ = layout_of(call_.input_counts, input_offsets_, call_.is_ragged, call_.input_elements, request_.count,
                     run_element_bytes_);
  output_ = layout_of(call_.output_counts, output_offsets_, call_.is_ragged, call_.output_elements, request_.count,
                      run_element_bytes_);
  place_buffers();
  // Without sizes ahead, the only scratch of all_to_all_v is the copy of its input that a call in place makes.
  const bool is_exchange = call_.what == collective::all_to_all_v;
  if (call_.is_ragged && (request_.are_counts_agreed || (is_exchange && !sizes_first_)))
    scratch_counts_ = scratch_counts_of(call_, program_->code.source.scratch_like);
}

executor::operation_arguments collective_run::arguments_of(std::size_t element_bytes) {
  executor::operation_arguments arguments;
  arguments.program = program_;
  arguments.element_bytes = element_bytes;
  arguments.context = members_.context();
  arguments.ended = &collective_run::on_ended;
  arguments.state = this;
  arguments.recorder = &members_.owner().recorder();
  return arguments;
}

std::unique_ptr<executor::operation> collective_run::sizes_operation() {
  sent_sizes_ = call_.input_counts;
  // In place, the schedule reads its input from the output.
  received_sizes_ = request_.in_place ? sent_sizes_ : std::vector<std::int64_t>(call_.output_counts.size(), -1);
  executor::operation_arguments arguments = arguments_of(sizeof(std::int64_t));
  arguments.input = block_layout::uniform(sent_sizes_.data(), 1, sizeof(std::int64_t));
  arguments.output = block_layout::uniform(received_sizes_.data(), 1, sizeof(std::int64_t));
  arguments.scratch_count = 1;
  return std::make_unique<executor::operation>(std::move(arguments), engine_.wire());
}

/// An all-reduce of one byte per element.
schedule::request collective_run::scales_request() const {
  schedule::request what = schedule::scales_of(request_, members_.size());
  what.count = call_.input_elements;
  return what;
}

/// In place; its program and plan are remembered like any other.
std::unique_ptr<executor::operation> collective_run::scales_operation() {
  schedule::request what = scales_request();
  const auto plan = members_.plan_for(what);
  what.in_place = true;
  std::vector<std::uint8_t>& scales = integers_->scales();
  executor::operation_arguments arguments = arguments_of(schedule::integer_scale_bytes);
  arguments.program = members_.program_for(*plan, what);
  arguments.input = block_layout::uniform(scales.data(), what.count, schedule::integer_scale_bytes);
  arguments.output = arguments.input;
  arguments.scratch_count = what.count;
  arguments.sends_empty_messages = true;
  arguments.reduce = executor::make_reducer(data_type::uint8, reduce_kind::max);
  arguments.segments = plan->segments;
  arguments.window = plan->window;
  return std::make_unique<executor::operation>(std::move(arguments), engine_.wire());
}

reducer collective_run::make_reducer() const {
  if (integers_) return executor::make_reducer(run_type_, reduce_kind::sum);
  if (call_.op.kind == reduce_kind::user) return executor::make_reducer(run_type_, run_element_bytes_, call_.op);
  return executor::make_reducer(run_type_, call_.op.kind);
}

std::unique_ptr<executor::operation> collective_run::payload_operation() {
  executor::operation_arguments arguments = arguments_of(run_element_bytes_);
  arguments.input = input_;
  arguments.output = output_;
  arguments.scratch_counts = scratch_counts_;
  arguments.scratch_count = request_.count;
  // Where the sizes have gone ahead, or all ranks pass those of all blocks, both ends of a message know that it is
  // empty. Elsewhere an empty one finds a rank that expects something.
  arguments.sends_empty_messages = !sizes_first_ && !(call_.is_ragged && request_.are_counts_agreed);
  if (schedule::reduces(call_.what)) arguments.reduce = make_reducer();
  if (request_.are_counts_agreed)
    arguments.segments = call_.options.segments > 0 ? call_.options.segments : plan_->segments;
  arguments.window = plan_->window;
  return std::make_unique<executor::operation>(std::move(arguments), engine_.wire());
}

}  // namespace hawser::detail
