// Requests, plans and groups of hawser.h, and what a plan says.
#include <algorithm>
#include <exception>

#include <hawser/planner/explain.hpp>

#include "handles.hpp"
#include "options.hpp"
#include "status.hpp"
#include "text.hpp"

namespace hawser::c {

namespace {

/// Waits for all; the first failure is the one that counts.
void wait_all(std::size_t count, hawser_request* const* requests) {
  if (count == 0) return;
  valid(requests, "array of requests");
  std::exception_ptr first;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      if (requests[i] != nullptr) requests[i]->call.wait();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

/// The request that the communicator would make of such a call.
schedule::request request_of(const hawser_comm& comm, schedule::collective what, std::int64_t count, data_type type,
                             const reduce_op& op, const hawser_call_options& options) {
  const call_options wishes = options_of(options);
  schedule::request made{.what = what, .count = count, .type = type};
  made.element_bytes = element_bytes_of(type, options);
  made.reproducibility = std::max(wishes.reproducibility, comm.reproducibility);
  made.algorithm = wishes.algorithm;
  made.has_ragged_blocks = what == schedule::collective::all_to_all_v;
  made.are_counts_agreed = !made.has_ragged_blocks;
  if (!schedule::reduces(what)) return made;
  made.op = op.kind;
  made.is_commutative = op.is_commutative;
  if (const auto reason = legality(type, made.element_bytes, op))
    fail(errc::unsupported, std::string(op.name) + " is not defined on " + std::string(to_string(type)), *reason,
         "see docs/types.md");
  if (op.kind == reduce_kind::user || type == data_type::user) return made;
  if (made.needs_integer_sums()) {
    made.element_bytes = schedule::integer_sum_bytes;
    return made;
  }
  made.type = wishes.accumulation.value_or(accumulation_type(type));
  if (!is_legal_accumulation(type, made.type))
    fail(errc::unsupported,
         std::string(to_string(type)) + " cannot be accumulated in " + std::string(to_string(made.type)),
         "see docs/types.md");
  made.element_bytes = size_of(made.type);
  return made;
}

}  // namespace

}  // namespace hawser::c

using hawser::c::guarded;
using hawser::c::valid;

extern "C" {

hawser_status hawser_request_test(hawser_request* request, int* is_done) {
  return guarded([&] {
    hawser_request& asked = valid(request, "request");
    int& done = valid(is_done, "place for the answer");
    done = asked.call.test() ? 1 : 0;
  });
}

hawser_status hawser_request_wait(hawser_request* request) {
  return guarded([&] { valid(request, "request").call.wait(); });
}

hawser_status hawser_request_wait_all(size_t count, hawser_request* const* requests) {
  return guarded([&] { hawser::c::wait_all(count, requests); });
}

void hawser_request_free(hawser_request* request) {
  delete request;
}

hawser_status hawser_plan_start(hawser_plan* plan) {
  return guarded([&] { valid(plan, "plan").call.start(); });
}

hawser_status hawser_plan_test(hawser_plan* plan, int* is_done) {
  return guarded([&] {
    hawser_plan& asked = valid(plan, "plan");
    int& done = valid(is_done, "place for the answer");
    done = asked.call.test() ? 1 : 0;
  });
}

hawser_status hawser_plan_wait(hawser_plan* plan) {
  return guarded([&] { valid(plan, "plan").call.wait(); });
}

hawser_status hawser_plan_explain(const hawser_plan* plan, char* text, size_t capacity, size_t* length) {
  return guarded(
      [&] { hawser::c::copy(hawser::planner::explain(valid(plan, "plan").call.plan()), text, capacity, length); });
}

void hawser_plan_free(hawser_plan* plan) {
  delete plan;
}

hawser_status hawser_group_begin(hawser_comm* comm) {
  return guarded([&] {
    hawser_comm& on = valid(comm, "communicator");
    if (on.open)
      hawser::fail(hawser::errc::invalid_argument, "a group is open on this communicator", "groups do not nest",
                   "end it with hawser_group_end");
    on.open.emplace(on.members);
  });
}

hawser_status hawser_group_end(hawser_comm* comm) {
  return guarded([&] {
    hawser_comm& on = valid(comm, "communicator");
    if (!on.open)
      hawser::fail(hawser::errc::invalid_argument, "no group is open on this communicator", {},
                   "begin one with hawser_group_begin");
    const auto close = [](hawser_comm* ended) { ended->open.reset(); };
    const std::unique_ptr<hawser_comm, decltype(close)> closed(&on, close);
    on.open->wait();
  });
}

hawser_status hawser_explain(const hawser_comm* comm, hawser_collective what, int64_t count, hawser_type type,
                             hawser_op op, int root, const hawser_call_options* options, char* text, size_t capacity,
                             size_t* length) {
  return guarded([&] {
    const hawser_comm& on = valid(comm, "communicator");
    const hawser_call_options wishes = hawser::c::read(options);
    const auto collective = hawser::c::collective_of(what);
    const bool reduces = hawser::schedule::reduces(collective), has_root = hawser::schedule::has_root(collective);
    if (count < 0)
      hawser::fail(hawser::errc::invalid_argument, "a count is negative", std::to_string(count), "pass 0 or more");
    if (has_root) hawser::c::check_rank(on.members, root);
    auto asked = hawser::c::request_of(on, collective, count, hawser::c::type_of(type),
                                       reduces ? hawser::c::op_of(op, wishes) : hawser::op::sum, wishes);
    if (has_root) asked.root = root;
    hawser::c::copy(hawser::planner::explain(on.members.plan_for(asked)), text, capacity, length);
  });
}
}
