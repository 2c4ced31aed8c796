// Ranks whose GPUs share memory: collectives on device memory, as kernels over peer memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/cuda/capability.hpp>
#include <hawser/cuda/policy.hpp>

struct CUstream_st;

namespace hawser::cuda {

/// A cudaStream_t.
using stream_handle = CUstream_st*;

/// What a group is made with; the same on all ranks but for the device.
struct group_options {
  std::int32_t device = 0;
  std::uint64_t staging_bytes = 32 << 20;     ///< payload that passes through staging at a time
  std::chrono::milliseconds timeout{10'000};  ///< of a wait for a peer inside a call, and of making the group
  std::optional<synchronisation> mode;        ///< default: what the ranks' GPUs ask for (`agree`)
  std::optional<launch_policy> policy;        ///< default: the built-in one of the architecture
  std::int32_t most_ctas = 0;                 ///< the caller's SM budget; 0: the policy's
  bool may_multicast = true;                  ///< reduce and copy in the NVLink switch where all ranks can and may
};

struct group_state;

/// One rank of a group. Calls are collective, in the same order on all ranks, and not thread-safe. With device flags
/// they are enqueued on the stream and return at once; a fault shows in `check`. Phased by the host they return when
/// done. Proven on no GPU yet: docs/gpu.md says what was run where.
class group {
 public:
  /// Collective over the job; `name` must be new to it. Throws as `symmetric_memory` does: errc::unsupported "no CUDA
  /// device (...)" first of all.
  group(bootstrap::bootstrap& job, std::string_view name, const group_options& options = {});
  group(const group&) = delete;
  group& operator=(const group&) = delete;
  ~group();

  /// output[i] = the operator over all ranks' input[i], for `count` elements of device memory; in place where they are
  /// the same. Any alignment. Throws errc::unsupported for illegal pairs of type and operator, and for user operators,
  /// which need kernels of their own (docs/gpu.md); errc::resource with CUDA's code where a launch fails.
  void all_reduce(const void* input, void* output, std::size_t count, data_type type, const reduce_op& operation,
                  stream_handle stream = nullptr);
  /// Block r of `count` elements of the size() * count of each input, reduced, to rank r.
  void reduce_scatter(const void* input, void* output, std::size_t count, data_type type, const reduce_op& operation,
                      stream_handle stream = nullptr);
  /// Every rank's `bytes`, in the order of ranks, to all.
  void all_gather(const void* input, void* output, std::size_t bytes, stream_handle stream = nullptr);
  /// The root's `bytes` to all; the input counts on the root only.
  void broadcast(const void* input, void* output, std::size_t bytes, rank root, stream_handle stream = nullptr);
  /// `bytes` to and from each rank.
  void all_to_all(const void* input, void* output, std::size_t bytes, stream_handle stream = nullptr);

  /// Waits for the stream, and throws what went wrong in the calls on it: errc::peer_failed with `error::peer` where a
  /// rank never arrived, errc::mismatch, errc::aborted. The group cannot be used after that.
  void check(stream_handle stream = nullptr);
  /// Ends the waits of this group's kernels on all ranks; callable from any thread.
  void abort();

  /// Who this is, what the group agreed on, and how it keeps kernels in step.
  rank self() const noexcept;
  int size() const noexcept;
  const agreement& agreed() const noexcept;
  /// Whether the switch serves what it can, and why not where `agreed` allows it; as of `symmetric_memory`.
  bool has_multicast() const noexcept;
  std::string_view multicast_refusal() const noexcept;
  synchronisation mode() const noexcept;

 private:
  std::unique_ptr<group_state> self_;
};

}  // namespace hawser::cuda
