// End-to-end checksums: a decorator that sends a CRC32C after each message and compares it on arrival. hawser::runtime.
#pragma once

#include <hawser/core/rank.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// The same endpoint, but every message that is not empty is followed by a trailer of 9 bytes on its tag: the checksum
/// of its bytes, its size, its tag and its two ranks. A receive whose checksum differs fails with errc::corrupted,
/// which names the link. All endpoints of a job must be wrapped, or none. Messages keep their path: the sender's memory
/// is read where it lies, and a sink that consumes gets its pieces before the verdict, so that after this error too the
/// output is undefined.
any_transport with_checksums(any_transport endpoint, rank self);

}  // namespace hawser::transport
