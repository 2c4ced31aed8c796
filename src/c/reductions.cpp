// The reductions of hawser.h: all_reduce, reduce_scatter, reduce_scatter_v and reduce.
#include "calls.hpp"

namespace hawser::c {

namespace {

using detail::call;
using schedule::collective;

call all_reduce(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type, hawser_op op,
                const hawser_call_options* options) {
  return even(collective::all_reduce, {comm, type, options, op}, input, 1, output, 1, count);
}

call reduce_scatter(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type, hawser_op op,
                    const hawser_call_options* options) {
  return even(collective::reduce_scatter, {comm, type, options, op}, input, size_of(comm), output, 1, count);
}

call reduce_scatter_v(hawser_comm* comm, const void* input, void* output, const int64_t* counts, hawser_type type,
                      hawser_op op, const hawser_call_options* options) {
  return ragged(collective::reduce_scatter, {comm, type, options, op}, input, {.counts = needed(counts)}, output,
                {.own = own_of(comm, counts)});
}

call reduce(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type, hawser_op op, int root,
            const hawser_call_options* options) {
  const bool is_output = is_root(comm, root);
  return even(collective::reduce, {comm, type, options, op, root}, input, 1, is_output ? output : nullptr,
              is_output ? 1 : 0, count);
}

}  // namespace

}  // namespace hawser::c

using hawser::c::plan_call;
using hawser::c::run_call;
using hawser::c::start_call;

extern "C" {

hawser_status hawser_all_reduce(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                hawser_op op, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::all_reduce(comm, input, output, count, type, op, options); });
}
hawser_status hawser_all_reduce_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                      hawser_type type, hawser_op op, const hawser_call_options* options,
                                      hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::all_reduce(comm, input, output, count, type, op, options); });
}
hawser_status hawser_all_reduce_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                     hawser_type type, hawser_op op, const hawser_call_options* options,
                                     hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::all_reduce(comm, input, output, count, type, op, options); });
}

hawser_status hawser_reduce_scatter(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                    hawser_op op, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::reduce_scatter(comm, input, output, count, type, op, options); });
}
hawser_status hawser_reduce_scatter_async(hawser_comm* comm, const void* input, void* output, int64_t count,
                                          hawser_type type, hawser_op op, const hawser_call_options* options,
                                          hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::reduce_scatter(comm, input, output, count, type, op, options); });
}
hawser_status hawser_reduce_scatter_plan(hawser_comm* comm, const void* input, void* output, int64_t count,
                                         hawser_type type, hawser_op op, const hawser_call_options* options,
                                         hawser_plan** plan) {
  return plan_call(comm, plan,
                   [&] { return hawser::c::reduce_scatter(comm, input, output, count, type, op, options); });
}

hawser_status hawser_reduce_scatter_v(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                      hawser_type type, hawser_op op, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::reduce_scatter_v(comm, input, output, counts, type, op, options); });
}
hawser_status hawser_reduce_scatter_v_async(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                            hawser_type type, hawser_op op, const hawser_call_options* options,
                                            hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::reduce_scatter_v(comm, input, output, counts, type, op, options); });
}
hawser_status hawser_reduce_scatter_v_plan(hawser_comm* comm, const void* input, void* output, const int64_t* counts,
                                           hawser_type type, hawser_op op, const hawser_call_options* options,
                                           hawser_plan** plan) {
  return plan_call(comm, plan,
                   [&] { return hawser::c::reduce_scatter_v(comm, input, output, counts, type, op, options); });
}

hawser_status hawser_reduce(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                            hawser_op op, int root, const hawser_call_options* options) {
  return run_call(comm, [&] { return hawser::c::reduce(comm, input, output, count, type, op, root, options); });
}
hawser_status hawser_reduce_async(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                  hawser_op op, int root, const hawser_call_options* options,
                                  hawser_request** request) {
  return start_call(comm, request,
                    [&] { return hawser::c::reduce(comm, input, output, count, type, op, root, options); });
}
hawser_status hawser_reduce_plan(hawser_comm* comm, const void* input, void* output, int64_t count, hawser_type type,
                                 hawser_op op, int root, const hawser_call_options* options, hawser_plan** plan) {
  return plan_call(comm, plan, [&] { return hawser::c::reduce(comm, input, output, count, type, op, root, options); });
}
}
