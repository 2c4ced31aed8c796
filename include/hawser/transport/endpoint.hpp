// What a transport needs to know to open one rank's endpoint, without knowing who tells it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/rank.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// The job as a transport sees it. Plain data and two functions, so that this layer knows no bootstrap.
struct endpoint_environment {
  rank self;
  int size = 1;
  /// The ranks on this host that may be reachable through memory (proposed by identity, proven by mapping), self
  /// included, in rank order.
  std::vector<rank> neighbours;
  /// Publishes an address for all ranks under a key; keys begin with the transport's name.
  std::function<void(std::string_view key, std::string_view value)> publish;
  /// Waits for another rank's address; throws hawser::error (timeout, peer_failed).
  std::function<std::string(std::string_view key)> look_up;
  /// The job's secret; never printed or sent.
  std::string secret;
  /// After this long without a sign of life a peer counts as failed.
  std::chrono::milliseconds peer_timeout{10'000};
  /// Name or address of the network interface to listen on; empty means: the one that reaches the store.
  std::string interface;
  /// Which of the job's communicators of all ranks it is opened for, the same on all of them: empty for the first one,
  /// a name for one that was shrunk or grown.
  std::string incarnation{};
  /// Upper bound of memory for buffers that the transport allocates itself, per endpoint.
  std::size_t memory_budget = std::size_t{64} << 20;
  /// Every connection between hosts is to be encrypted by a key made from the secret.
  bool has_tls = false;
};

/// How far a transport reaches; the router prefers the narrower one.
enum class reach { process, host, network };

/// One line of the transport registry.
struct factory {
  std::string name;
  reach reaches = reach::network;
  bool is_authenticated = false;  ///< proves the job's secret on every connection
  std::function<any_transport(const endpoint_environment&)> open;
  /// Whether this host has what the transport is good at; where some rank's host has not, a later line of the same
  /// reach is preferred. Empty: it has.
  std::function<bool()> suits_host = {};
  /// Whether it can be opened again for other ranks of the job, after a loss or to admit newcomers.
  bool is_renewable = true;
  /// Whether it does what `endpoint_environment::has_tls` asks for.
  bool can_encrypt = false;
};

/// The transports that a program has; the order is the order of preference within one reach.
using registry = std::vector<factory>;

}  // namespace hawser::transport
