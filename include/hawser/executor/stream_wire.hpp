// Transfers between ranks that are work of a stream: what NCCL's point to point is to a device.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <hawser/core/rank.hpp>
#include <hawser/executor/stream_device.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::executor {

/// One message from this rank to a peer, or the other way.
struct stream_transfer {
  rank peer;
  bool is_send = false;
  void* data = nullptr;   ///< memory of the device; a send only reads it
  std::size_t bytes = 0;  ///< more than 0, and the same on both sides
};

/// One rank's end. `exchange` only enqueues. Transfers of one exchange make progress together, in whatever order the
/// peers come to theirs; those of two exchanges on one lane run one after the other, in the order of the calls. The
/// messages from one rank to another on a lane match in order. A wire that may block until the peer has come to its
/// side is allowed to: whoever orders exchanges proves that this cannot end in a circle (schedule/stages.hpp).
class stream_wire {
 public:
  virtual ~stream_wire() = default;

  /// What it is, for people: "nccl".
  virtual std::string_view name() const = 0;
  /// How many lanes it has, at least 1: independent of each other, each for one stream at a time.
  virtual int lanes() const = 0;
  /// Enqueues the transfers on the stream. Throws errc::unsupported for a peer that it does not reach, errc::resource,
  /// errc::peer_failed and errc::aborted after a failure.
  virtual void exchange(int lane, stream_handle stream, std::span<const stream_transfer> transfers) = 0;
  /// Empty: exchanges may be captured into a graph. Else why not, for an error: "UCX is driven by the host".
  virtual std::string_view why_not_capturable() const = 0;
  /// What went wrong on any lane; asked regularly while something is under way, from one thread at a time, which may be
  /// another one than that of `exchange`. Never blocks.
  virtual std::optional<transport::failure> poll_failure() = 0;
  /// Ends all that is under way, so that streams go on, with whatever data. From any thread; never throws.
  virtual void abort(std::string_view reason) noexcept = 0;
};

}  // namespace hawser::executor
