// The collectives of hawser.h in which every rank sends and receives: all_gather, all_to_all, their v forms, barrier.
#include "calls.hpp"

namespace hawser::c {

namespace {

using detail::call;
using schedule::collective;

call all_gather(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                const hawser_call_options* options) {
  return even(collective::all_gather, {comm, type, options}, input, 1, output, size_of(comm), count);
}

call all_gather_v(hawser_comm* comm, const void* input, void* output, const int64_t* counts, hawser_type type,
                  const hawser_call_options* options) {
  return ragged(collective::all_gather, {comm, type, options}, input, {.own = own_of(comm, counts)}, output,
                {.counts = needed(counts)});
}

call all_to_all(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                const hawser_call_options* options) {
  const int n = size_of(comm);
  return even(collective::all_to_all, {comm, type, options}, input, n, output, n, count);
}

call all_to_all_v(hawser_comm* comm, const void* input, const int64_t* sent, void* output, const int64_t* received,
                  hawser_type type, const hawser_call_options* options) {
  return ragged(collective::all_to_all_v, {comm, type, options}, input, {.counts = needed(sent)}, output,
                {.counts = needed(received)});
}

call barrier(hawser_comm* comm, const hawser_call_options* options) {
  return even(collective::barrier, {comm, HAWSER_UINT8, options}, nullptr, 0, nullptr, 0, 0);
}

}  // namespace

}  // namespace hawser::c

using hawser::c::plan_call;
using hawser::c::run_call;
using hawser::c::start_call;

extern "C" {

hawser_status hawser_all_gather(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::all_gather(comm, input, output, count, type, options); });
}
hawser_status hawser_all_gather_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                      hawser_type type, const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::all_gather(comm, input, output, count, type, options); });
}
hawser_status hawser_all_gather_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                     hawser_type type, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::all_gather(comm, input, output, count, type, options); });
}

hawser_status hawser_all_gather_v(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                  hawser_type type, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::all_gather_v(comm, input, output, counts, type, options); });
}
hawser_status hawser_all_gather_v_async(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                        hawser_type type, const hawser_call_options* options,
                                        hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::all_gather_v(comm, input, output, counts, type, options); });
}
hawser_status hawser_all_gather_v_plan(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                       hawser_type type, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::all_gather_v(comm, input, output, counts, type, options); });
}

hawser_status hawser_all_to_all(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::all_to_all(comm, input, output, count, type, options); });
}
hawser_status hawser_all_to_all_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                      hawser_type type, const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::all_to_all(comm, input, output, count, type, options); });
}
hawser_status hawser_all_to_all_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                     hawser_type type, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::all_to_all(comm, input, output, count, type, options); });
}

hawser_status hawser_all_to_all_v(hawser_comm* comm, const void* input, const int64_t* sent, void* output,
                                  const int64_t* received, hawser_type type, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::all_to_all_v(comm, input, sent, output, received, type, options); });
}
hawser_status hawser_all_to_all_v_async(hawser_comm* comm, const void* input, const int64_t* sent, void* output,
                                        const int64_t* received, hawser_type type, const hawser_call_options* options,
                                        hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::all_to_all_v(comm, input, sent, output, received, type, options); });
}
hawser_status hawser_all_to_all_v_plan(hawser_comm* comm, const void* input, const int64_t* sent, void* output,
                                       const int64_t* received, hawser_type type, const hawser_call_options* options,
                                       hawser_plan** plan) {
  return plan_call(comm, plan,
                   [&] { return hawser::c::all_to_all_v(comm, input, sent, output, received, type, options); });
}

hawser_status hawser_barrier(hawser_comm* comm, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::barrier(comm, options); });
}
hawser_status hawser_barrier_async(hawser_comm* comm, const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::barrier(comm, options); });
}
hawser_status hawser_barrier_plan(hawser_comm* comm, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::barrier(comm, options); });
}
}
