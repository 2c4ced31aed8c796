// See run.hpp.
#include "run.hpp"

#include <algorithm>
#include <numeric>

#include <hawser/algorithm/properties.hpp>
#include <hawser/executor/reduce.hpp>

namespace hawser::detail {

namespace {

using clock = std::chrono::steady_clock;
using executor::block_layout;
using schedule::collective;

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), std::int64_t{0});
  return offsets;
}

/// Elements per block that all ranks agree on; the mean where blocks differ.
std::int64_t agreed_count(const call& made, int ranks) {
  if (made.what == collective::all_to_all_v ||
      (made.is_ragged && (made.what == collective::gather || made.what == collective::scatter)))
    return std::max<std::int64_t>(1, made.options.typical_block_bytes / static_cast<std::int64_t>(made.element_bytes));
  if (made.is_ragged) {
    const auto& counts = made.what == collective::reduce_scatter ? made.input_counts : made.output_counts;
    return (sum(counts) + ranks - 1) / ranks;
  }
  switch (made.what) {
    case collective::reduce_scatter:
    case collective::scatter: return made.output_elements;
    case collective::all_to_all: return made.input_elements / ranks;
    default: return made.input_elements;
  }
}

}  // namespace

collective_run::collective_run(communicator_state& members, call made) : members_(members), call_(std::move(made)) {
  members_.owner().check();
  check_call(call_, members_.size(), members_.self());
  make_request();
  plan_ = members_.plan_for(request_);
  program_ = members_.program_for(*plan_, request_);
  sizes_first_ = algorithm::sends_sizes_first(call_.what, plan_->algorithm);
  make_layouts();
}

collective_run::~collective_run() {
  if (!is_started_ || is_complete_) return;
  try {
    wait();
  } catch (const std::exception&) {  // reported to whoever waited; here only the buffers' safety counts
  }
}

void collective_run::make_request() {
  run_type_ = call_.type;
  run_element_bytes_ = call_.element_bytes;
  if (schedule::reduces(call_.what) && call_.op.kind != reduce_kind::user && call_.type != data_type::user) {
    run_type_ = call_.options.accumulation.value_or(accumulation_type(call_.type));
    if (!is_legal_accumulation(call_.type, run_type_))
      fail(errc::unsupported,
           std::string(to_string(call_.type)) + " cannot be accumulated in " + std::string(to_string(run_type_)),
           "see docs/types.md");
    run_element_bytes_ = size_of(run_type_);
  }
  request_.what = call_.what;
  request_.count = agreed_count(call_, members_.size());
  request_.type = run_type_;
  request_.element_bytes = run_element_bytes_;
  request_.op = call_.op.kind;
  request_.is_commutative = !schedule::reduces(call_.what) || call_.op.is_commutative;
  request_.root = schedule::has_root(call_.what) ? call_.root : rank(0);
  request_.has_ragged_blocks = call_.is_ragged;
  request_.are_counts_agreed =
      !(call_.what == collective::all_to_all_v || (call_.is_ragged && schedule::has_root(call_.what)));
  request_.reproducibility = call_.options.reproducibility;
  request_.algorithm = call_.options.algorithm;
  request_.in_place = call_.what == collective::broadcast || is_in_place(call_, members_.self());
}

void collective_run::make_layouts() {
  const bool is_converted = run_type_ != call_.type;
  const bool is_scaled = call_.op.kind == reduce_kind::premul_sum && schedule::reduces(call_.what);
  const auto bytes = [&](std::int64_t elements) { return static_cast<std::size_t>(elements) * run_element_bytes_; };
  run_input_ = const_cast<void*>(call_.input);
  run_output_ = call_.output;
  if (is_converted || is_scaled) {
    // Reductions in another type, or of scaled elements, run on copies.
    staged_input_.resize(bytes(call_.input_elements));
    run_input_ = staged_input_.data();
    request_.in_place = false;
    if (is_converted) {
      staged_output_.resize(bytes(call_.output_elements));
      run_output_ = staged_output_.data();
    }
    program_ = members_.program_for(*plan_, request_);
  }
  if (call_.what == collective::reduce && members_.self() != call_.root) {
    staged_output_.resize(bytes(call_.input_elements));
    run_output_ = staged_output_.data();
  }
  if (call_.is_ragged) {
    input_offsets_ = offsets_of(call_.input_counts);
    output_offsets_ = offsets_of(call_.output_counts);
  }
  input_ = call_.input_counts.empty() || !call_.is_ragged
               ? block_layout::uniform(run_input_, call_.is_ragged ? call_.input_elements : request_.count,
                                       run_element_bytes_)
               : block_layout::ragged(run_input_, call_.input_counts, input_offsets_, run_element_bytes_);
  output_ = call_.output_counts.empty() || !call_.is_ragged
                ? block_layout::uniform(run_output_, call_.is_ragged ? call_.output_elements : request_.count,
                                        run_element_bytes_)
                : block_layout::ragged(run_output_, call_.output_counts, output_offsets_, run_element_bytes_);
  // Without sizes ahead, the only scratch of all_to_all_v is the copy of its input that a call in place makes.
  const bool is_exchange = call_.what == collective::all_to_all_v;
  if (call_.is_ragged && (request_.are_counts_agreed || (is_exchange && !sizes_first_)))
    for (std::int64_t like : program_->code.source.scratch_like)
      scratch_counts_.push_back(call_.what == collective::reduce_scatter || is_exchange
                                    ? call_.input_counts[static_cast<std::size_t>(like)]
                                    : call_.output_counts[static_cast<std::size_t>(like)]);
}

executor::operation_arguments collective_run::arguments_of(std::size_t element_bytes) const {
  executor::operation_arguments arguments;
  arguments.program = program_;
  arguments.element_bytes = element_bytes;
  arguments.context = members_.context();
  arguments.sends_empty_messages = call_.what == collective::barrier;
  return arguments;
}

void collective_run::start() {
  members_.owner().check();
  if (is_started_ && !is_complete_)
    fail(errc::invalid_argument, "a persistent collective was started again", "its last run is not complete",
         "wait for it first");
  is_started_ = true;
  is_complete_ = false;
  load_input();
  sizes_first_ ? start_sizes() : start_payload();
}

void collective_run::start_sizes() {
  is_sizing_ = true;
  sent_sizes_ = call_.input_counts;
  // In place, the schedule reads its input from the output.
  received_sizes_ = request_.in_place ? sent_sizes_ : std::vector<std::int64_t>(call_.output_counts.size(), -1);
  executor::operation_arguments arguments = arguments_of(sizeof(std::int64_t));
  arguments.input = block_layout::uniform(sent_sizes_.data(), 1, sizeof(std::int64_t));
  arguments.output = block_layout::uniform(received_sizes_.data(), 1, sizeof(std::int64_t));
  arguments.scratch_count = 1;
  launch(std::move(arguments));
}

/// The sizes went through the payload's schedule, so every scratch block now holds its own size.
void collective_run::take_sizes() {
  is_sizing_ = false;
  for (std::size_t r = 0; r < received_sizes_.size(); ++r) {
    if (received_sizes_[r] == call_.output_counts[r]) continue;
    const std::string reason = "rank " + std::to_string(r) + " sends " + std::to_string(received_sizes_[r]) +
                               " elements, this rank expects " + std::to_string(call_.output_counts[r]);
    members_.owner().fail({errc::mismatch, rank(static_cast<int>(r)), describe("all_to_all_v: counts differ", reason)});
    is_complete_ = true;
    fail(errc::mismatch, "all_to_all_v: counts differ", reason, "pass to each rank the count that it receives");
  }
  const auto* sizes = reinterpret_cast<const std::int64_t*>(operation_->scratch());
  scratch_counts_.assign(sizes, sizes + program_->code.source.scratch_blocks);
}

void collective_run::start_payload() {
  if (operation_ && !sizes_first_) return members_.owner().engine().start(*operation_, members_.next_order_number());
  executor::operation_arguments arguments = arguments_of(run_element_bytes_);
  arguments.input = input_;
  arguments.output = output_;
  arguments.scratch_counts = scratch_counts_;
  arguments.scratch_count = request_.count;
  if (schedule::reduces(call_.what)) {
    if (call_.op.kind == reduce_kind::user)
      arguments.reduce = executor::make_reducer(run_type_, run_element_bytes_, call_.op);
    else
      arguments.reduce = executor::make_reducer(run_type_, call_.op.kind);
  }
  if (request_.are_counts_agreed)
    arguments.segments = call_.options.segments > 0 ? call_.options.segments : plan_->segments;
  arguments.window = plan_->window;
  launch(std::move(arguments));
}

void collective_run::launch(executor::operation_arguments arguments) {
  executor::engine& engine = members_.owner().engine();
  operation_ = std::make_unique<executor::operation>(std::move(arguments), engine.wire());
  engine.start(*operation_, members_.next_order_number());
}

void collective_run::load_input() {
  if (staged_input_.empty()) return;
  const auto count = static_cast<std::size_t>(call_.input_elements);
  if (run_type_ != call_.type)
    executor::make_converter(call_.type, run_type_)(staged_input_.data(), call_.input, count);
  if (call_.op.kind == reduce_kind::premul_sum)
    executor::make_scaler(run_type_, call_.op.factor)(
        staged_input_.data(), run_type_ != call_.type ? staged_input_.data() : call_.input, count);
}

void collective_run::store_output() {
  if (!schedule::reduces(call_.what) || (call_.what == collective::reduce && members_.self() != call_.root)) return;
  const auto count = static_cast<std::size_t>(call_.output_elements);
  if (call_.op.kind == reduce_kind::avg)
    executor::make_divider(run_type_, static_cast<std::uint32_t>(members_.size()))(run_output_, run_output_, count);
  if (run_type_ != call_.type) executor::make_converter(run_type_, call_.type)(call_.output, run_output_, count);
}

void collective_run::throw_failure() {
  const transport::failure why = members_.owner().fail(*operation_->failed());
  is_complete_ = true;
  throw to_error(why, to_string(call_.what));
}

/// After an operation has ended: the next one, or the end of the run.
bool collective_run::advance() {
  if (operation_->failed()) throw_failure();
  if (is_sizing_) {
    take_sizes();
    start_payload();
    return false;
  }
  store_output();
  is_complete_ = true;
  return true;
}

bool collective_run::test() {
  if (is_complete_) return true;
  executor::engine& engine = members_.owner().engine();
  if (!engine.test(*operation_) && !operation_->failed()) return false;
  return advance();
}

bool collective_run::wait_until(clock::time_point deadline) {
  while (!is_complete_) {
    if (!members_.owner().engine().wait(*operation_, deadline)) return false;
    advance();
  }
  return true;
}

void collective_run::wait() {
  if (!is_started_) fail(errc::invalid_argument, "a persistent collective was waited for before it was started");
  const milliseconds timeout = members_.owner().options().operation_timeout;
  if (wait_until(clock::now() + timeout)) return;
  std::string waiting;
  for (const auto& each : operation_->waiting(4))
    waiting += (waiting.empty() ? "" : ", ") + std::string(each.is_receive ? "receive from rank " : "send to rank ") +
               to_string(each.peer) + " in step " + std::to_string(each.step);
  const std::string reason = "it waits for: " + waiting;
  members_.owner().fail({errc::timeout, rank(-1), describe("timed out", reason)});
  is_complete_ = true;
  fail(errc::timeout,
       std::string(to_string(call_.what)) + " did not complete within " + std::to_string(timeout.count()) + " ms",
       reason, "does every rank make the same calls in the same order?");
}

}  // namespace hawser::detail
