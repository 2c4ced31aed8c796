// TCP between processes, authenticated with the job's secret; POSIX sockets and epoll, nothing else. hawser::runtime.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <hawser/transport/endpoint.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// What can be tuned; the defaults are good.
struct tcp_options {
  /// SO_SNDBUF of each connection, 0 leaves it to the kernel. Small buffers keep queues off the uplink: 64 KiB reached
  /// .96 to .98 of the wire where the kernel's own choice reached .85 to .88; one connection moves at most about this
  /// many bytes per round trip.
  std::size_t send_buffer = std::size_t{64} << 10;
  /// Acknowledge at once; delayed acknowledgements stall a sender with a small buffer by 40 ms now and then.
  bool quick_ack = true;
  /// Without a secret the endpoint listens on loopback only, unless this is set.
  bool allow_empty_secret = false;
  /// A connection that has not proven the secret by then is closed.
  std::chrono::milliseconds handshake_timeout{5'000};
};

/// One rank's endpoint: a listener, and one connection per peer that is made at first use, by the higher rank to the
/// lower. Reads go straight into the memory of the matched receive, or through a cache-sized buffer into its `consume`;
/// small messages that are posted together leave in one system call. A peer that nobody waits for is read from only
/// until the bound of its match_queue.
class tcp_transport {
 public:
  /// Listens and publishes "tcp/<rank>" when it returns. Throws errc::io, errc::not_found (no such interface),
  /// errc::authentication (no secret, and not on loopback).
  explicit tcp_transport(const endpoint_environment& environment, tcp_options options = {});
  ~tcp_transport();
  tcp_transport(tcp_transport&&) = delete;

  std::string_view name() const noexcept { return "tcp"; }
  /// The first use of a lower rank looks its address up, which waits until that rank has opened its endpoint.
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank peer, tag match, sink into, completion& done);
  bool progress();
  bool arm();
  int wait_descriptor() const noexcept;
  bool consumes_in_place(rank) const noexcept { return true; }
  void peer_failed(const failure& why);
  /// What was completed as sent is still delivered by the kernel, unless the peer shuts down as well.
  void shutdown();

 private:
  class engine;
  std::unique_ptr<engine> self_;
};

static_assert(transport<tcp_transport>);

/// A registry line.
factory tcp_factory(tcp_options options = {});

}  // namespace hawser::transport
