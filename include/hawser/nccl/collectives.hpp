// NCCL's own collectives on a lane: native phases of a plan, where they are better than hawser's steps.
#pragma once

#include <cstddef>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/executor/stream_device.hpp>
#include <hawser/nccl/communicators.hpp>

namespace hawser::nccl {

/// Where a collective is enqueued: in the order of the calls on the lane, the same on all members.
struct native_queue {
  int lane = 0;
  executor::stream_handle stream = executor::stream_handle::none;
};

/// Collective over the members. Memory is the device's, counts are elements; `in` may be `out` where one rank's blocks
/// coincide. Only enqueues. Throws errc::unsupported with the reason for a pair that NCCL lacks (`why_not_native`) or a
/// user's type without a size, errc::invalid_argument for a lane or root that is not there, and as
/// `stream_wire::exchange`. `count` elements of every rank into `count` of every rank:
void all_reduce(const communicators& over, native_queue on, const void* in, void* out, std::size_t count,
                data_type type, const reduce_op& operation);
/// `members * count` elements of every rank, of which rank i gets `count`, from i * count on.
void reduce_scatter(const communicators& over, native_queue on, const void* in, void* out, std::size_t count,
                    data_type type, const reduce_op& operation);
/// As `all_reduce`, to the root (a rank of the job) only; `out` of the others is not used.
void reduce(const communicators& over, native_queue on, const void* in, void* out, std::size_t count, data_type type,
            const reduce_op& operation, rank root);

/// What only moves moves as bytes, so that every type is served: `bytes` of each rank to every rank's out, in order.
void all_gather(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes);
/// `bytes` of the root's `in` to every rank's `out`.
void broadcast(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root);
/// `bytes` to and from each rank. This and the two below: errc::unsupported before NCCL 2.28.
void all_to_all(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes);
/// `bytes` of each rank to the root's `out`, in order.
void gather(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root);
/// `bytes` for each rank of the root's `in`, in order.
void scatter(const communicators& over, native_queue on, const void* in, void* out, std::size_t bytes, rank root);

}  // namespace hawser::nccl
