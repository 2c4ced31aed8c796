// NCCL's collectives, one call each; a premultiplied sum has an operator made for it, which NCCL reads in the call.
#include <hawser/nccl/collectives.hpp>

#include <hawser/nccl/types.hpp>

#include "nccl/group_state.hpp"
#include "nccl/native_types.hpp"
#include "nccl/results.hpp"

namespace hawser::nccl {
namespace {

using detail::group_state;

cudaStream_t queue_of(native_queue on) {
  return reinterpret_cast<cudaStream_t>(on.stream);
}

using reducing_call = std::function<ncclResult_t(ncclDataType_t, ncclRedOp_t, ncclComm_t)>;

ncclResult_t with_operator(const functions& calls, ncclComm_t comm, data_type type, const reduce_op& operation,
                           const reducing_call& call) {
  const ncclDataType_t native = *native_type(type);
  if (const auto known = native_operator(operation.kind)) return call(native, *known, comm);
  ncclRedOp_t made{};
  auto factor = as_element(operation.factor, type);
  ncclResult_t result = calls.make_premul_sum(&made, factor.data(), native, ncclScalarHostImmediate, comm);
  if (!is_fine(result)) return result;
  result = call(native, made, comm);
  const ncclResult_t ended = calls.destroy_operator(made, comm);  // allowed as soon as the call has returned
  return is_fine(result) && !is_fine(ended) ? ended : result;
}

void reduce_by(const communicators& over, native_queue on, std::string_view doing, data_type type,
               const reduce_op& operation, const reducing_call& call) {
  const group_state& state = *access::of(over);
  if (const auto why = why_not_native(over.can(), type, operation.kind))
    fail(errc::unsupported,
         "NCCL cannot " + std::string(doing) + " " + std::string(to_string(type)) + " by " +
             std::string(to_string(operation.kind)),
         *why, "use hawser's own algorithms, which move bytes");
  state.at(on.lane).run(
      doing, [&](ncclComm_t comm) { return with_operator(state.calls(), comm, type, operation, call); }, state.bound());
}

/// `call` of a function that this version may lack.
template <class Function, class... Arguments>
void move_by(const communicators& over, native_queue on, std::string_view doing, const Function& function,
             const void* in, void* out, std::size_t bytes, Arguments... root) {
  const group_state& state = *access::of(over);
  if (!function)
    fail(errc::unsupported, "NCCL " + version_text(over.can().version) + " cannot " + std::string(doing),
         "it can from 2.28 on", "use hawser's own algorithms");
  state.at(on.lane).run(
      doing, [&](ncclComm_t comm) { return function(in, out, bytes, ncclUint8, root..., comm, queue_of(on)); },
      state.bound());
}

const functions& calls_of(const communicators& over) {
  return access::of(over)->calls();
}

}  // namespace

void all_reduce(const communicators& over, native_queue on, const void* in, void* out, std::size_t count,
                data_type type, const reduce_op& operation) {
  reduce_by(over, on, "all-reduce", type, operation, [&](ncclDataType_t native, ncclRedOp_t by, ncclComm_t comm) {
    return calls_of(over).all_reduce(in, out, count, native, by, comm, queue_of(on));
  });
}

void reduce_scatter(const communicators& over, native_queue on, const void* in, void* out, std::size_t count,
                    data_type type, const reduce_op& operation) {
  reduce_by(over, on, "reduce-scatter", type, operation, [&](ncclDataType_t native, ncclRedOp_t by, ncclComm_t comm) {
    return calls_of(over).reduce_scatter(in, out, count, native, by, comm, queue_of(on));
  });
}

void reduce(const communicators& over, native_queue on, const void* in, void* out, std::size_t count, data_type type,
            const reduce_op& operation, rank root) {
  const int to = access::of(over)->place_of(root);
  reduce_by(over, on, "reduce", type, operation, [&](ncclDataType_t native, ncclRedOp_t by, ncclComm_t comm) {
    return calls_of(over).reduce(in, out, count, native, by, to, comm, queue_of(on));
  });
}

void all_gather(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes) {
  move_by(over, on, "all-gather", calls_of(over).all_gather, in, out, bytes);
}
void broadcast(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root) {
  move_by(over, on, "broadcast", calls_of(over).broadcast, in, out, bytes, access::of(over)->place_of(root));
}
void all_to_all(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes) {
  move_by(over, on, "all-to-all", calls_of(over).all_to_all, in, out, bytes);
}
void gather(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root) {
  move_by(over, on, "gather", calls_of(over).gather, in, out, bytes, access::of(over)->place_of(root));
}
void scatter(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root) {
  move_by(over, on, "scatter", calls_of(over).scatter, in, out, bytes, access::of(over)->place_of(root));
}

}  // namespace hawser::nccl
