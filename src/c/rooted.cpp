// The collectives of hawser.h with a root that do not reduce: broadcast, gather, scatter and their v forms.
#include "calls.hpp"

namespace hawser::c {

namespace {

using detail::call;
using schedule::collective;

call broadcast(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
               const hawser_call_options* options) {
  return even(collective::broadcast, {comm, type, options, HAWSER_SUM, root}, data, 1, data, 1, count);
}

call gather(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type, int root,
            const hawser_call_options* options) {
  const bool is_output = is_root(comm, root);
  return even(collective::gather, {comm, type, options, HAWSER_SUM, root}, input, 1, is_output ? output : nullptr,
              is_output ? size_of(comm) : 0, count);
}

call gather_v(hawser_comm* comm, const void* input, int64_t count, void* output, const int64_t* counts,
              hawser_type type, int root, const hawser_call_options* options) {
  const bool is_output = is_root(comm, root);
  return ragged(collective::gather, {comm, type, options, HAWSER_SUM, root}, input, {.own = count},
                is_output ? output : nullptr, is_output ? side{.counts = needed(counts)} : side{});
}

call scatter(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type, int root,
             const hawser_call_options* options) {
  const bool is_input = is_root(comm, root);
  return even(collective::scatter, {comm, type, options, HAWSER_SUM, root}, is_input ? input : nullptr,
              is_input ? size_of(comm) : 0, output, 1, count);
}

call scatter_v(hawser_comm* comm, const void* input, const int64_t* counts, void* output, int64_t count,
               hawser_type type, int root, const hawser_call_options* options) {
  const bool is_input = is_root(comm, root);
  return ragged(collective::scatter, {comm, type, options, HAWSER_SUM, root}, is_input ? input : nullptr,
                is_input ? side{.counts = needed(counts)} : side{}, output, {.own = count});
}

}  // namespace

}  // namespace hawser::c

using hawser::c::plan_call;
using hawser::c::run_call;
using hawser::c::start_call;

extern "C" {

hawser_status hawser_broadcast(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
                               const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::broadcast(comm, data, count, type, root, options); });
}
hawser_status hawser_broadcast_async(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
                                     const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::broadcast(comm, data, count, type, root, options); });
}
hawser_status hawser_broadcast_plan(hawser_comm* comm, void* data, int64_t count, hawser_type type, int root,
                                    const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::broadcast(comm, data, count, type, root, options); });
}

hawser_status hawser_gather(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                            int root, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::gather(comm, input, output, count, type, root, options); });
}
hawser_status hawser_gather_async(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                  int root, const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::gather(comm, input, output, count, type, root, options); });
}
hawser_status hawser_gather_plan(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                 int root, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::gather(comm, input, output, count, type, root, options); });
}

hawser_status hawser_gather_v(hawser_comm* comm, const void* input, int64_t count, void* output, const int64_t* counts,
                              hawser_type type, int root, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::gather_v(comm, input, count, output, counts, type, root, options); });
}
hawser_status hawser_gather_v_async(hawser_comm* comm, const void* input, int64_t count, void* output,
                                    const int64_t* counts, hawser_type type, int root,
                                    const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::gather_v(comm, input, count, output, counts, type, root, options); });
}
hawser_status hawser_gather_v_plan(hawser_comm* comm, const void* input, int64_t count, void* output,
                                   const int64_t* counts, hawser_type type, int root,
                                   const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan,
                   [&] { return hawser::c::gather_v(comm, input, count, output, counts, type, root, options); });
}

hawser_status hawser_scatter(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                             int root, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::scatter(comm, input, output, count, type, root, options); });
}
hawser_status hawser_scatter_async(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                   int root, const hawser_call_options* options, hawser_request** request) {
  return start_call(comm, request, [&] { return hawser::c::scatter(comm, input, output, count, type, root, options); });
}
hawser_status hawser_scatter_plan(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                  int root, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::scatter(comm, input, output, count, type, root, options); });
}

hawser_status hawser_scatter_v(hawser_comm* comm, const void* input, const int64_t* counts, void* output, int64_t count,
                               hawser_type type, int root, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::scatter_v(comm, input, counts, output, count, type, root, options); });
}
hawser_status hawser_scatter_v_async(hawser_comm* comm, const void* input, const int64_t* counts, void* output,
                                     int64_t count, hawser_type type, int root, const hawser_call_options* options,
                                     hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::scatter_v(comm, input, counts, output, count, type, root, options); });
}
hawser_status hawser_scatter_v_plan(hawser_comm* comm, const void* input, const int64_t* counts, void* output,
                                    int64_t count, hawser_type type, int root, const hawser_call_options* options,
                                    hawser_plan** plan) {
  return plan_call(comm, plan,
                   [&] { return hawser::c::scatter_v(comm, input, counts, output, count, type, root, options); });
}
}
