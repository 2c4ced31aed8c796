// The TCP store: a server that one process runs, and the bootstrap of a rank that is connected to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/core/rank.hpp>

namespace hawser::bootstrap {

/// How a store server is started.
struct store_server_options {
  int size = 1;                           ///< ranks of the job
  std::string address = "127.0.0.1";      ///< name or numeric address to listen on; "" listens on all
  int port = 0;                           ///< 0 takes any free one
  std::string secret;                     ///< proven by every connection, both ways
  bool allow_empty_secret = false;        ///< an empty secret is refused except on loopback, unless this is set
  milliseconds peer_timeout{10'000};      ///< a rank that sends nothing for this long has failed
  milliseconds handshake_timeout{5'000};  ///< a connection that has not proven the secret by then is closed
  std::size_t memory_limit = std::size_t{256} << 20;  ///< bytes of all stored keys and values
  bool has_tls = false;                   ///< every connection is TLS 1.3 by a key made from the secret
};

/// Key-value store and failure detector of one job: one thread, epoll. A rank whose connection closes without `leave`,
/// or that is silent for `peer_timeout`, is reported to all other ranks at once. Messages are at most 16 MiB.
class store_server {
 public:
  /// Listens when it returns. Throws errc::io (address in use, unknown host), errc::invalid_argument,
  /// errc::authentication for an empty secret that is not allowed, and errc::unsupported for TLS without OpenSSL.
  explicit store_server(store_server_options options);
  store_server(const store_server&) = delete;
  store_server& operator=(const store_server&) = delete;
  /// Closes every connection; without `close` before it, clients take that for a failure.
  ~store_server();

  /// The port that it listens on, also where the options left the choice to the system.
  int port() const noexcept;

  /// Ends in good order: waits at most `linger` until every rank that joined has left or failed, then tells those that
  /// are still there, so that they do not take the closed connection for a death.
  void close(milliseconds linger);

 private:
  friend class store_bootstrap;
  class implementation;
  struct inheritance;
  explicit store_server(std::unique_ptr<implementation> self);
  std::unique_ptr<implementation> self_;
};

/// How a rank joins a job through a store.
struct store_options {
  rank self;     ///< -1: a newcomer to a job that runs; the store gives it a number, and `communicator::join` a rank
  int size = 1;  ///< ranks that the job was started with
  std::string address = "127.0.0.1";  ///< name or numeric address of the store
  int port = 0;
  std::string secret;
  /// The rank whose process runs the server, so that losing the store is that rank's failure; none: a launcher runs it.
  std::optional<rank> server_rank = rank{0};
  milliseconds connect_timeout{60'000};  ///< bound of all connection attempts; rank 0 may start late
  milliseconds request_timeout{30'000};  ///< bound of `put` and `erase`
  milliseconds peer_timeout{10'000};     ///< the smaller one of this and the server's applies
  bool has_tls = false;                  ///< as the server's, and as that of a store that this rank would open
};

/// Ranks that the others know as possible successors of a lost store: the lowest of each host first.
inline constexpr std::size_t most_standbys = 16;

/// A rank's bootstrap over the TCP store. One monitor thread sends heartbeats (every quarter of the peer time-out),
/// receives answers and failure notices, and posts the latter on the board. Thread-safe.
///
/// From the rendezvous on each rank holds an address ready at which it would open a store itself. Where the store is
/// lost, the lowest of at most `most_standbys` ranks that can be reached does so, the others connect to it, and `agree`
/// goes on; the keys of the lost store are gone (docs/recovery.md).
class store_bootstrap final : public bootstrap {
 public:
  /// Tries with growing pauses until `connect_timeout`. Throws errc::timeout (nobody listens; the message says where
  /// and why), errc::authentication (wrong secret, either way), errc::mismatch (rank taken, other job size, version).
  explicit store_bootstrap(store_options options);
  /// The same for the rank whose process runs the server, which lives as long as this object.
  store_bootstrap(store_options options, std::unique_ptr<store_server> server);
  store_bootstrap(const store_bootstrap&) = delete;
  store_bootstrap& operator=(const store_bootstrap&) = delete;
  ~store_bootstrap() override;

  /// Waits until every rank of the job has connected. Throws errc::timeout that lists the missing ranks, or
  /// errc::peer_failed, errc::aborted.
  void rendezvous(milliseconds timeout);

  rank self() const noexcept override;
  int size() const noexcept override;
  void put(std::string_view key, std::string_view value) override;
  using bootstrap::abort;
  using bootstrap::get;
  std::string get(std::string_view key, milliseconds timeout, const failure_board& heeded) override;
  void erase(std::string_view key) override;
  failure_board& failures() noexcept override;
  void abort(std::string_view scope, std::string_view reason) override;
  void report_lost(std::string_view scope, rank peer, std::string_view reason) override;
  agreement agree(const question& asked) override;
  admission_notice await_admission(milliseconds timeout) override;
  std::string local_address() const override;
  std::string store_address() const override;
  const std::string& secret() const noexcept override;
  void leave() override;

 private:
  class implementation;
  std::unique_ptr<store_server> server_;  // outlives the connection to it
  std::unique_ptr<implementation> self_;
};

}  // namespace hawser::bootstrap
