// A run's way from its start to its end: see run.hpp.
#include <algorithm>
#include <exception>

#include <hawser/executor/reduce.hpp>

#include "diagnosis/nvtx.hpp"
#include "run.hpp"

namespace hawser::detail {

namespace {

using clock = std::chrono::steady_clock;
using schedule::collective;

/// A rank that has waited for this part of the peer time-out compares its calls with those of the others.
constexpr int doubts_in_peer_timeout = 4;

}  // namespace

collective_run::~collective_run() {
  if (is_started_ && !is_complete_) end_unfinished();
}

std::shared_ptr<communicator_state> collective_run::leave() noexcept {
  if (is_started_ && !is_complete_) end_unfinished();
  is_started_ = false;
  return std::move(kept_);
}

void collective_run::discard() noexcept {
  operation_.reset();
  staged_input_ = {};
  staged_output_ = {};
  set_use(run_use::spent);
}

void collective_run::end_unfinished() noexcept {
  job& owner = members_.owner();
  try {
    if (wait_until(clock::now() + owner.options().abort_timeout)) return;
    owner.fail({errc::timeout, rank(-1),
                describe(std::string(to_string(call_.what)) + " was given up",
                         "its handle was destroyed before it was complete")});
  } catch (...) {  // who waits is told; here only the buffers' safety counts
  }
}

void collective_run::start(attendance driven_by) {
  job& owner = members_.owner();
  owner.check();
  if (is_started_ && !is_complete_)
    fail(errc::invalid_argument, "a persistent collective was started again", "its last run is not complete",
         "wait for it first");
  load_input();
  if (has_two_passes())
    operation_ = sizes_first_ ? sizes_operation() : scales_operation();
  else if (!operation_)
    operation_ = payload_operation();
  is_unattended_ = driven_by == attendance::background && owner.drive_in_background();
  // All numbers are taken here, in the order of the calls, which is the same on all ranks. Validated calls take three
  // each, so that those to come meet their like whatever this one turns out to be.
  const bool is_validated = owner.options().validate;
  payload_number_ = members_.take_order_number();
  first_number_ = has_two_passes() || is_validated ? members_.take_order_number() : payload_number_;
  validation_number_ = is_validated ? members_.take_order_number() : payload_number_;
  failed_.reset();
  is_refused_ = false;
  is_over_.store(false, std::memory_order_relaxed);
  is_in_first_pass_ = has_two_passes();
  is_complete_ = false;
  has_compared_ = false;
  polled_since_.reset();
  is_started_ = true;
  members_.calls().add(log_entry());
  const std::uint64_t number = members_.take_record_number();
  record_begin(number);
  if (is_validated) prepare_validation(number);
  if (members_.tells_switches()) tell_switches();
  launch(is_validated ? validation_number_ : first_number_);
}

/// Of both passes at once, in the types that travel.
void collective_run::tell_switches() {
  if (has_two_passes() && !sizes_first_) {
    const schedule::request scales = scales_request();
    const auto plan = members_.plan_for(scales);
    members_.tell_switches(*plan, scales, {.what = scales, .segments = plan->segments, .number = first_number_});
  }
  switch_call call{.segments = log_entry()->segments, .number = payload_number_};
  call.what.type = run_type_;
  call.what.op = integers_ ? reduce_kind::sum : call_.op.kind;
  members_.tell_switches(*plan_, request_, call);
}

/// What the call log says of this call, and of all of its shape.
const std::shared_ptr<const call_log::entry>& collective_run::log_entry() {
  if (logged_) return logged_;
  const bool agrees_on_blocks = call_.is_ragged && request_.are_counts_agreed;
  const auto& blocks = call_.what == collective::reduce_scatter ? call_.input_counts : call_.output_counts;
  logged_ = std::make_shared<const call_log::entry>(
      call_log::entry{request_, plan_, call_.options.segments > 0 ? call_.options.segments : plan_->segments,
                      agrees_on_blocks ? digest_of(blocks) : 0});
  return logged_;
}

/// What all calls of this shape have in common.
diagnosis::call_facts collective_run::recorded_facts() {
  constexpr std::int64_t most = UINT16_MAX;
  const call_log::entry& entry = *log_entry();
  diagnosis::call_facts made;
  made.what = request_.what;
  made.type = request_.type;
  made.op = request_.op;
  made.mode = request_.reproducibility;
  made.communicator = members_.recorded_number();
  made.algorithm = members_.owner().recorder().intern(plan_->algorithm);
  made.segments = static_cast<std::uint16_t>(std::min(entry.segments, most));
  made.element_bytes = static_cast<std::uint16_t>(std::min<std::size_t>(request_.element_bytes, UINT16_MAX));
  if (schedule::has_root(request_.what)) made.root = request_.root.value;
  if (request_.are_counts_agreed && request_.what != collective::barrier) made.count = request_.count;
  made.blocks = static_cast<std::uint32_t>(entry.blocks ^ entry.blocks >> 32);
  return made;
}

void collective_run::record_begin(std::uint64_t number) {
  if (!facts_) facts_ = recorded_facts();
  record_number_ = number;
  const auto elements = std::max(call_.input_elements, call_.output_elements);
  shown_ = diagnosis::begin_range(to_string(call_.what).data(),  // of a literal, which a null ends
                                  static_cast<std::uint64_t>(elements) * call_.element_bytes);
  recorded_ = members_.owner().recorder().begin_call(*facts_, number);
  operation_->record_as(recorded_);
}

void collective_run::prepare_validation(std::uint64_t number) {
  if (!validation_) validation_ = std::make_unique<signature_check>(members_, &collective_run::on_compared, this);
  validation_->tell(signature_of(*log_entry(), number, call_.type));
  validation_->operation().record_as(recorded_);
}

void collective_run::launch(std::uint16_t number) {
  if (is_unattended_) engine_.begin_unattended();
  executor::operation& first = members_.owner().options().validate ? validation_->operation() : *operation_;
  try {
    engine_.start(first, number);
  } catch (const std::exception& refused) {
    // Where a part of it is under way, only the end of the job takes that back.
    if (!first.is_idle()) members_.owner().fail({errc::internal, rank(-1), refused.what()});
    end(transport::failure{errc::internal, rank(-1), refused.what()});
    is_complete_ = true;
    throw;
  }
}

/// The engine says that an operation has ended.
void collective_run::on_ended(void* self) {
  auto& run = *static_cast<collective_run*>(self);
  try {
    run.advance();
  } catch (const error& raised) {
    run.end(transport::failure{raised.code(), raised.peer().value_or(rank(-1)), raised.what()});
  } catch (const std::exception& raised) {
    run.end(transport::failure{errc::internal, rank(-1), raised.what()});
  }
}

/// The engine says that the signatures of all ranks are there. Every rank finds the same difference in them, and none
/// has sent any data: they all refuse the call, and the communicator can be used for others.
void collective_run::on_compared(void* self) {
  auto& run = *static_cast<collective_run*>(self);
  if (const auto& failed = run.validation_->operation().failed()) return run.end(failed);
  if (const auto differing = run.validation_->difference()) {
    run.is_refused_ = true;
    return run.end(transport::failure{
        errc::mismatch, rank(-1),
        describe("the ranks make different calls", *differing,
                 "make the same calls on all ranks, in the same order, with equal counts, roots and options")});
  }
  try {
    run.engine_.start(*run.operation_, run.first_number_);
  } catch (const std::exception& refused) {
    run.end(transport::failure{errc::internal, rank(-1), refused.what()});
  }
}

/// The next operation, or the end of the run.
void collective_run::advance() {
  if (operation_->failed()) return end(operation_->failed());
  if (is_in_first_pass_) {
    if (sizes_first_)
      take_sizes();
    else
      integers_->encode(call_.input, reinterpret_cast<std::int64_t*>(staged_input_.data()));
    is_in_first_pass_ = false;
    operation_ = payload_operation();
    operation_->record_as(recorded_);
    return engine_.start(*operation_, payload_number_);
  }
  store_output();
  end(std::nullopt);
}

/// The last that is done to a run that has succeeded: whoever waits for it may destroy it at once.
void collective_run::end(std::optional<transport::failure> failed) {
  if (is_over_.load(std::memory_order_relaxed)) return;
  failed_ = std::move(failed);
  diagnosis::end_range(shown_);
  const std::uint64_t took = members_.owner().recorder().end_call(
      recorded_, failed_ ? diagnosis::call_state::failed : diagnosis::call_state::done);
  if (!failed_ && joins_all_ranks(call_.what)) members_.call_durations().note(record_number_, took);
  if (is_unattended_) engine_.end_unattended();
  order_numbers_->is_over(validation_number_).store(true, std::memory_order_release);
  order_numbers_->is_over(first_number_).store(true, std::memory_order_release);
  order_numbers_->is_over(payload_number_).store(true, std::memory_order_release);
  is_over_.store(true, std::memory_order_release);
}

/// The sizes went through the payload's schedule, so every scratch block now holds its own size.
void collective_run::take_sizes() {
  for (std::size_t r = 0; r < received_sizes_.size(); ++r) {
    if (received_sizes_[r] == call_.output_counts[r]) continue;
    error differs(errc::mismatch,
                  describe("counts differ",
                           "rank " + std::to_string(r) + " sends " + std::to_string(received_sizes_[r]) +
                               " elements, this rank expects " + std::to_string(call_.output_counts[r]),
                           "pass to each rank the count that it receives"));
    throw differs.with_peer(rank(static_cast<int>(r)));
  }
  const auto* sizes = reinterpret_cast<const std::int64_t*>(operation_->scratch());
  scratch_counts_.assign(sizes, sizes + program_->code.source.scratch_blocks);
}

void collective_run::load_input() {
  if (integers_) return integers_->take_scales(call_.input);
  if (staged_input_.empty()) return;
  const auto count = static_cast<std::size_t>(call_.input_elements);
  if (run_type_ != call_.type)
    executor::make_converter(call_.type, run_type_)(staged_input_.data(), call_.input, count);
  if (call_.op.kind == reduce_kind::premul_sum)
    executor::make_scaler(run_type_, call_.op.factor)(
        staged_input_.data(), run_type_ != call_.type ? staged_input_.data() : call_.input, count);
}

/// The element of the input that the first element of the output is the reduction of.
std::int64_t collective_run::first_reduced() const {
  if (call_.what != collective::reduce_scatter) return 0;
  const auto self = static_cast<std::size_t>(members_.self().value);
  return call_.is_ragged ? input_offsets_[self] : request_.count * members_.self().value;
}

void collective_run::store_output() {
  if (!schedule::reduces(call_.what) || (call_.what == collective::reduce && members_.self() != call_.root)) return;
  const auto count = static_cast<std::size_t>(call_.output_elements);
  void* const sums = integers_ ? call_.output : run_output_;
  if (integers_)
    integers_->decode(static_cast<const std::int64_t*>(run_output_), first_reduced(), call_.output_elements, sums);
  if (call_.op.kind == reduce_kind::avg)
    executor::make_divider(integers_ ? call_.type : run_type_, static_cast<std::uint32_t>(members_.size()))(sums, sums,
                                                                                                            count);
  if (!integers_ && run_type_ != call_.type)
    executor::make_converter(run_type_, call_.type)(call_.output, run_output_, count);
}

/// Tells the caller how the run ended; a failure becomes that of the job.
void collective_run::finish() {
  is_complete_ = true;
  if (is_refused_ && !members_.tells_switches()) throw to_error(*failed_, to_string(call_.what));
  if (failed_) throw to_error(members_.owner().fail(*failed_), to_string(call_.what));
  if (has_compared_) members_.calls().retract(members_.owner().door());
}

bool collective_run::test() {
  if (!is_started_) fail(errc::invalid_argument, "a persistent collective was tested before it was started");
  if (is_complete_) return true;
  if (!is_over_.load(std::memory_order_acquire)) engine_.poll();
  if (!is_over_.load(std::memory_order_acquire)) {
    doubt_while_polled();
    return false;
  }
  finish();
  return true;
}

bool collective_run::wait_until(clock::time_point deadline) {
  if (is_complete_) return true;
  if (!engine_.wait_for(is_over_, deadline)) return false;
  finish();
  return true;
}

bool collective_run::wait_for(std::chrono::nanoseconds patience) {
  if (is_complete_) return true;
  if (!engine_.wait_for(is_over_, patience)) return false;
  finish();
  return true;
}

std::string collective_run::what_it_waits_for() {
  return engine_.locked([this] {
    std::string waiting;
    const executor::operation& under_way =
        validation_ && !validation_->operation().is_done() ? validation_->operation() : *operation_;
    for (const auto& each : under_way.waiting(4))
      waiting += (waiting.empty() ? "" : ", ") + std::string(each.is_receive ? "receive from rank " : "send to rank ") +
                 to_string(each.peer) + " in step " + std::to_string(each.step);
    return "it waits for: " + waiting;
  });
}

std::chrono::milliseconds collective_run::timeout() const {
  return call_.options.timeout.value_or(members_.owner().options().operation_timeout);
}

std::chrono::milliseconds collective_run::patience_before_doubts() const {
  return std::min(timeout(), members_.owner().options().peer_timeout / doubts_in_peer_timeout);
}

/// Whether the other ranks make the same call, as far as they have said so; this rank says so too.
void collective_run::compare_calls() {
  job& owner = members_.owner();
  has_compared_ = true;
  const auto differing = members_.calls().compare(owner.door());
  if (!differing) return;
  const transport::failure cause = owner.fail(different_calls(*differing));
  is_complete_ = true;
  throw to_error(cause, to_string(call_.what));
}

/// The same doubts and the same end as in `wait`, counted from the first `test` that found the call under way.
void collective_run::doubt_while_polled() {
  const clock::time_point now = clock::now();
  if (!polled_since_) polled_since_ = now;
  if (!has_compared_ && now - *polled_since_ >= patience_before_doubts()) compare_calls();
  if (now - *polled_since_ >= timeout()) time_out();
}

void collective_run::time_out() {
  job& owner = members_.owner();
  const std::string reason = what_it_waits_for() + "; this rank calls " + members_.calls().last();
  owner.fail({errc::timeout, rank(-1), describe("timed out", reason)});
  is_complete_ = true;
  fail(errc::timeout,
       std::string(to_string(call_.what)) + " did not complete within " + std::to_string(timeout().count()) + " ms",
       reason, "does every rank make the same calls in the same order, with equal counts?");
}

void collective_run::wait() {
  if (!is_started_) fail(errc::invalid_argument, "a persistent collective was waited for before it was started");
  const milliseconds doubts = patience_before_doubts();
  if (wait_for(doubts)) return;
  if (!has_compared_) compare_calls();
  if (!wait_for(timeout() - doubts)) time_out();
}

}  // namespace hawser::detail
