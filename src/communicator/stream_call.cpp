// See stream_call.hpp.
#include "stream_call.hpp"

#include <algorithm>

#include <hawser/algorithm/properties.hpp>

#include "call_blocks.hpp"
#include "run.hpp"

namespace hawser::detail {

using schedule::collective;

namespace {

constexpr std::size_t most_remembered = 256;

}  // namespace

std::shared_ptr<const executor::staged_program> staged_programs::of(communicator_state& members,
                                                                    const schedule::plan& made,
                                                                    const schedule::request& what) {
  const key wanted(what.what, made.algorithm, made.prepared, what.root.value, what.in_place, what.has_ragged_blocks,
                   what.needs_order());
  if (const auto found = known_.find(wanted); found != known_.end()) return found->second;
  auto program = std::make_shared<const executor::staged_program>(schedule::derive_dependences(
      algorithm::generate_planned(members.planner().tree(), what, made.algorithm, made.prepared, members.self())));
  if (known_.size() >= most_remembered) known_.clear();
  return known_.emplace(wanted, std::move(program)).first->second;
}

stream_call::stream_call(communicator_state& members, staged_programs& programs, const call& made)
    : members_(members), call_(made) {
  check_call(call_, members_.size(), members_.self());
  refuse_what_devices_cannot();
  make_request();
  plan_ = members_.plan_for(request_);
  if (algorithm::sends_sizes_first(call_.what, plan_->algorithm))
    fail(errc::unsupported, std::string(to_string(call_.what)) + " by " + plan_->algorithm + " on a device",
         "it forwards blocks whose sizes it has to send ahead, and waits for them on the host",
         "leave the algorithm to the planner, or use \"pairwise\"");
  if (algorithm::needs_switch(plan_->algorithm))
    fail(errc::unsupported, std::string(to_string(call_.what)) + " by " + plan_->algorithm + " on a device",
         "aggregators of switches reduce in the host's memory", "choose another algorithm");
  lay_out(*(arguments_.program = programs.of(members_, *plan_, request_)));
  scale();
}

void stream_call::refuse_what_devices_cannot() const {
  const auto refuse = [&](const std::string& what, const char* reason, const char* suggestion) {
    fail(errc::unsupported, std::string(to_string(call_.what)) + " on a device: " + what, reason, suggestion);
  };
  if (call_.type == data_type::user || (schedule::reduces(call_.what) && call_.op.kind == reduce_kind::user))
    refuse("a user's operator or type", "it is a function of the host", "reduce in the host's memory");
  if (!schedule::reduces(call_.what)) return;
  const auto mode = std::max(call_.options.reproducibility, members_.owner().options().reproducibility);
  if (mode == schedule::mode::order_invariant && schedule::depends_on_order(call_.type, call_.op.kind))
    refuse("mode order_invariant", "its integer sums are made on the host", "use mode canonical");
  if (call_.options.accumulation.value_or(call_.type) != call_.type)
    refuse("accumulation in " + std::string(to_string(*call_.options.accumulation)),
           "devices keep partial sums in the type of the data", "convert the data before");
}

void stream_call::make_request() {
  request_.what = call_.what;
  request_.count = call_.what == collective::barrier ? 1 : agreed_count(call_, members_.size());
  request_.type = call_.type;
  request_.element_bytes = call_.element_bytes;
  request_.op = call_.op.kind;
  request_.reproducibility = std::max(call_.options.reproducibility, members_.owner().options().reproducibility);
  request_.is_commutative = !schedule::reduces(call_.what) || call_.op.is_commutative;
  request_.root = schedule::has_root(call_.what) ? call_.root : rank(0);
  request_.has_ragged_blocks = call_.is_ragged;
  request_.are_counts_agreed = are_counts_agreed(call_);
  request_.algorithm = call_.options.algorithm;
  const bool is_scaled = schedule::reduces(call_.what) && call_.op.kind == reduce_kind::premul_sum;
  request_.in_place = !is_scaled && (call_.what == collective::broadcast || is_in_place(call_, members_.self()));
  // Ranks that know only their own counts cannot send them ahead here.
  if (call_.what == collective::all_to_all_v && request_.algorithm.empty()) request_.algorithm = "pairwise";
}

void stream_call::lay_out(const executor::staged_program& program) {
  executor::stream_arguments& to = arguments_;
  to.element_bytes = call_.element_bytes;
  to.scratch_count = request_.count;
  if (request_.are_counts_agreed) to.segments = call_.options.segments > 0 ? call_.options.segments : plan_->segments;
  if (call_.is_ragged) {
    input_offsets_ = offsets_of(call_.input_counts);
    output_offsets_ = offsets_of(call_.output_counts);
    if (request_.are_counts_agreed || call_.what == collective::all_to_all_v)
      to.scratch_counts = scratch_counts_of(call_, program.code.source.scratch_like);
  }
  to.input = layout_of(call_.input_counts, input_offsets_, call_.is_ragged, call_.input_elements, request_.count,
                       call_.element_bytes);
  to.output = layout_of(call_.output_counts, output_offsets_, call_.is_ragged, call_.output_elements, request_.count,
                        call_.element_bytes);
  to.input.move_to(const_cast<void*>(call_.input));
  to.output.move_to(call_.output);
  to.input_bytes = static_cast<std::size_t>(call_.input_elements) * call_.element_bytes;
  to.output_bytes = static_cast<std::size_t>(call_.output_elements) * call_.element_bytes;
  const bool is_token = call_.what == collective::barrier;
  to.has_own_input = is_token;
  to.has_own_output = is_token || (call_.what == collective::reduce && members_.self() != call_.root);
  if (is_token) to.input_bytes = 1;
  if (to.has_own_output) to.output_bytes = is_token ? 1 : to.input_bytes;
  if (is_token) to.reduction = {data_type::uint8, reduce_kind::max};
}

/// avg and premul_sum are sums between two scalings.
void stream_call::scale() {
  if (!schedule::reduces(call_.what)) return;
  arguments_.reduction = {call_.type, call_.op.kind};
  if (call_.op.kind == reduce_kind::avg || call_.op.kind == reduce_kind::premul_sum)
    arguments_.reduction->kind = reduce_kind::sum;
  if (call_.op.kind == reduce_kind::premul_sum)
    arguments_.premultiply = executor::device_scaling{call_.type, call_.op.factor, 0};
  if (call_.op.kind == reduce_kind::avg && !arguments_.has_own_output)
    arguments_.divide = executor::device_scaling{call_.type, 1, static_cast<std::uint32_t>(members_.size())};
}

}  // namespace hawser::detail
