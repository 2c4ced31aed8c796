// The UCX transport: tag matching on one UCP worker per endpoint. UCX itself stays behind this header.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/transport/endpoint.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::ucx {

/// What hawser tells UCX. A UCX_* variable in the environment wins over each of these; `ucx_overrides` lists them.
struct ucx_options {
  /// UCX_TLS. The default leaves out UCX's own shared memory, which cannot report a dead peer.
  std::string transports = "^sm";
  /// UCX_NET_DEVICES; empty: the device of `endpoint_environment::interface`, or all.
  std::string devices;
  /// UCX_RNDV_THRESH in bytes; empty: UCX's own choice where the host has an RDMA device, else never (all eager).
  std::optional<std::size_t> rendezvous_threshold;
  /// UCX_TCP_SNDBUF in bytes: bounds the queue that a sender builds up on a shared uplink; 0 leaves it to the system.
  std::size_t tcp_send_buffer = std::size_t{32} << 10;
  /// UCX_TCP_TX_SEG_SIZE and UCX_TCP_RX_SEG_SIZE in bytes, equal on all ranks; 0 leaves them to UCX.
  std::size_t tcp_segment = std::size_t{128} << 10;
  /// How long `shutdown` waits for sent data to leave, and a failed receive for UCX to let go of its memory.
  std::chrono::milliseconds abort_timeout{1'000};
};

/// The overrides in effect, one "NAME=value" per UCX_* variable that replaces a setting of hawser's.
std::vector<std::string> ucx_overrides(const ucx_options& options = {});

/// Widths of the parts of `transport::tag` in UCX's 64 bits, beside 20 bits of source rank. The upper parts are folded
/// modulo these widths: see docs/transports.md for what a caller must keep so that no two messages are
/// confused.
inline constexpr unsigned rank_bits = 20;
inline constexpr unsigned context_bits = 12;
inline constexpr unsigned operation_bits = 12;
inline constexpr unsigned segment_bits = 12;
inline constexpr unsigned channel_bits = 8;
/// At most so many communicators of one endpoint, operations of one communicator, and segments of one operation and
/// channel may have transfers that are not complete on this rank.
inline constexpr unsigned max_outstanding_contexts = 1U << context_bits;
inline constexpr unsigned max_outstanding_operations = 1U << operation_bits;
inline constexpr unsigned max_outstanding_segments = 1U << segment_bits;
inline constexpr unsigned max_channels = 1U << channel_bits;  ///< exact: a larger channel is refused

class ucx_endpoint;

/// One rank's UCX endpoint. Models `transport::transport`.
class ucx_transport {
 public:
  /// Opens context and worker and publishes the worker's address as "ucx/<rank>". Throws errc::io with UCX's status,
  /// errc::not_found for an unknown interface, errc::unsupported for more than 2^20 ranks.
  ucx_transport(const transport::endpoint_environment& environment, const ucx_options& options = {});
  ucx_transport(const ucx_transport&) = delete;
  ucx_transport& operator=(const ucx_transport&) = delete;
  /// `shutdown`, with errors swallowed.
  ~ucx_transport();

  std::string_view name() const noexcept { return "ucx"; }
  /// The first transfer with a peer looks its address up. Throws errc::invalid_argument for a rank outside the job and
  /// errc::unsupported for a channel of `max_channels` or more.
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  bool progress();
  bool arm();
  int wait_descriptor() const noexcept;
  bool consumes_in_place(rank) const noexcept { return false; }
  void peer_failed(const transport::failure& why);
  /// Takes at most twice `abort_timeout`.
  void shutdown();

 private:
  std::unique_ptr<ucx_endpoint> self_;
};

static_assert(transport::transport<ucx_transport>);

/// The registry line "ucx": preferred where every host has an RDMA device; over plain TCP hawser's own is faster.
transport::factory ucx_factory(ucx_options options = {});

}  // namespace hawser::ucx
