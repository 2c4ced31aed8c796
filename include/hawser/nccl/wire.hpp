// NCCL's point to point as the device executor's wire between ranks.
#pragma once

#include <memory>

#include <hawser/executor/stream_wire.hpp>
#include <hawser/nccl/communicators.hpp>

namespace hawser::nccl {

/// A wire over these communicators, lane by lane: an exchange is one group of ncclSend and ncclRecv of bytes. Peers are
/// the job's ranks; errc::unsupported for one that is no member, and for this rank itself. It can be captured into a
/// graph. The first exchange with a peer connects to it and waits for it, so it is worth one before a capture.
std::unique_ptr<executor::stream_wire> make_wire(const communicators& over);

}  // namespace hawser::nccl
