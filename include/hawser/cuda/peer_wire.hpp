// Messages between ranks whose GPUs share memory, as kernels on their streams: a wire that needs no NCCL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/executor/stream_wire.hpp>

namespace hawser::cuda {

/// How it is opened; the same on all ranks but for the device.
struct peer_wire_options {
  std::int32_t device = 0;
  std::int32_t lanes = 2;
  std::uint32_t slots = 2;                         ///< pieces that a sender may be ahead, per message share
  std::uint64_t slot_bytes = 256 << 10;            ///< of a piece; rounded up to 128
  std::chrono::milliseconds timeout{30 * 60'000};  ///< of a message whose other end does not come
};

/// Opens this rank's end; collective over the job, with a name that is new to it. Each rank lends its peers a window
/// per lane: slots x slot_bytes for each peer and share of a message. A message is pushed over NVLink into the
/// receiver's window, and copied out there. May be captured into graphs. Throws errc::unsupported "no CUDA device
/// (...)", and where ranks cannot share memory, share a GPU (their kernels may not run together), or are more than a
/// GPU holds CTAs for; else as `symmetric_memory`. Proven on no GPU yet (docs/gpu.md).
std::unique_ptr<executor::stream_wire> open_peer_wire(bootstrap::bootstrap& job, std::string_view name,
                                                      const peer_wire_options& options = {});

}  // namespace hawser::cuda
