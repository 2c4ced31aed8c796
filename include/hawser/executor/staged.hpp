// Device memory over a transport that can only touch the host's: a decorator with pinned buffers. In hawser::runtime.
#pragma once

#include <cstddef>
#include <functional>

#include <hawser/executor/stream_device.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::executor {

/// How device memory is staged. The sizes are those of shared/reference/gpu.md.
struct staging_options {
  /// A pinned buffer, and the largest piece of a message between device memories.
  std::size_t buffer_bytes = std::size_t{512} << 10;
  /// Pieces from one peer that may be under way at once: copies and transfers overlap, and a round trip is hidden.
  int pieces_per_peer = 4;
  /// Pinned buffers of each direction, for all peers together; never more than `pieces_per_peer` for each of them.
  int most_buffers = 32;
  /// Messages of at most so many bytes go as they are, longer ones are announced first. The same on all ranks.
  std::size_t eager_bytes = std::size_t{8} << 10;
  /// Whether some rank may hold messages of this tag in device memory, the same answer on all ranks; the others go
  /// straight through, whatever their size. Empty: all may be.
  std::function<bool(transport::tag)> may_be_device = {};
};

/// Pairs of ranks tell each other which piece may come, and send the pieces, on two tags of their own: the channels 1
/// and 2 of the world's point-to-point context, whose messages are all on channel 0.
inline constexpr transport::tag staging_grants{128, 0, 0, 1}, staging_pieces{128, 0, 0, 2};

/// The same endpoint of one of `ranks` ranks, whose messages may lie in memory of the device on either side, or on
/// both. All endpoints of a job must be wrapped, or none. All pinned memory is made here, none later, since making it
/// may wait for the device: throws errc::resource where there is none. While copies are under way `arm` says false. The
/// device must outlive it. A send or receive of another device's memory throws errc::invalid_argument.
/// docs/decisions/0033 has the protocol.
transport::any_transport with_staging(transport::any_transport endpoint, stream_device& device, int ranks,
                                      const staging_options& options = {});

}  // namespace hawser::executor
