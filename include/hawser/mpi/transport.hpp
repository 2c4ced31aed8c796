// The MPI transport: point to point on a communicator of its own. This header includes mpi.h.
#pragma once

#include <mpi.h>

#include <chrono>
#include <climits>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <hawser/transport/endpoint.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::mpi {

/// How the MPI transport behaves where MPI leaves a choice.
struct mpi_options {
  /// Bound of duplicating the communicator, which needs all ranks.
  std::chrono::milliseconds open_timeout{60'000};
  /// How long `shutdown` waits for its peers, and a transfer with a failed peer for MPI to let go of its memory.
  std::chrono::milliseconds abort_timeout{1'000};
  /// Messages of more bytes go as one derived type of several blocks, since MPI 3 counts in int.
  int largest_count = INT_MAX;
};

/// Widths of the parts of `transport::tag` in an MPI tag; the channel has what is left up to MPI_TAG_UB (Open MPI 7
/// bits, MPICH 4). The first three are folded modulo these widths: see docs/transports.md.
inline constexpr unsigned context_bits = 8;
inline constexpr unsigned operation_bits = 8;
inline constexpr unsigned segment_bits = 8;
inline constexpr unsigned least_channel_bits = 4;
/// At most so many communicators of one endpoint, operations of one communicator, and segments of one operation and
/// channel may have transfers that are not complete on this rank.
inline constexpr unsigned max_outstanding_contexts = 1U << context_bits;
inline constexpr unsigned max_outstanding_operations = 1U << operation_bits;
inline constexpr unsigned max_outstanding_segments = 1U << segment_bits;
/// Channels that every MPI has room for; a larger one may be refused.
inline constexpr unsigned max_channels = 1U << least_channel_bits;

class mpi_endpoint;

/// One rank's MPI endpoint; hawser's ranks are the communicator's. Models `transport::transport`. MPI is called only
/// from inside its functions, by the caller's thread: below MPI_THREAD_SERIALIZED that must be the thread that
/// initialised MPI, and below MPI_THREAD_MULTIPLE the program must not be inside MPI at the same time.
class mpi_transport {
 public:
  /// Collective over the communicator, which is duplicated. Throws errc::mismatch where rank or size differ from the
  /// environment's, errc::timeout where not all ranks come, errc::unsupported for a small MPI_TAG_UB, errc::io.
  mpi_transport(MPI_Comm communicator, const transport::endpoint_environment& environment,
                const mpi_options& options = {});
  mpi_transport(const mpi_transport&) = delete;
  mpi_transport& operator=(const mpi_transport&) = delete;
  /// `shutdown`, with errors swallowed.
  ~mpi_transport();

  std::string_view name() const noexcept { return "mpi"; }
  /// Throw errc::invalid_argument for a rank outside the job, errc::unsupported for a channel that does not fit or a
  /// thread that MPI does not allow.
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  bool progress();
  /// MPI can only be polled.
  bool arm() noexcept { return false; }
  int wait_descriptor() const noexcept { return -1; }
  bool consumes_in_place(rank) const noexcept { return false; }
  void peer_failed(const transport::failure& why);
  /// Waits at most `abort_timeout` until each peer that it exchanged messages with has shut down too, receiving and
  /// dropping what they still send. If MPI then still holds memory of a transfer with a living peer, the process ends
  /// with a message, because MPI cannot take the transfer back.
  void shutdown();

 private:
  std::unique_ptr<mpi_endpoint> self_;
};

static_assert(transport::transport<mpi_transport>);

/// The registry line "mpi"; opening it is collective over the communicator, which must live until then.
transport::factory mpi_factory(MPI_Comm communicator, mpi_options options = {});

}  // namespace hawser::mpi
