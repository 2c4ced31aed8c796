// What a peer may send: bytes for everything that reads from a socket, each with what must hold whatever they are.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <hawser/bootstrap/store.hpp>
#include <hawser/core/handshake.hpp>
#include <hawser/transport/tcp.hpp>

namespace hawser::fuzz {

using input = std::span<const std::byte>;
inline const std::string secret = "the secret of the fuzzed job";

[[noreturn]] inline void broken(const char* what) {
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

/// Bytes at either side of a handshake without the secret: nobody is believed, and no more is asked for than fits.
inline void feed_handshake(input data) {
  for (const bool accepts : {true, false}) {
    handshake side = accepts ? handshake::accept(secret, service::store)
                             : handshake::initiate(secret, {service::store, rank(1), rank(0), 2});
    input left = data;
    while (!left.empty() && side.wanted() > 0) {
      if (side.wanted() > handshake::longest_message) broken("a handshake asks for too much");
      const std::size_t piece = std::min(side.wanted(), left.size());
      side.feed(left.first(piece));
      left = left.subspan(piece);
      if (side.output().size() > handshake::longest_message) broken("a handshake says too much");
      side.sent(side.output().size());
      if (side.current() == handshake::state::deciding) broken("an initiator without the secret was believed");
    }
    if (!accepts && side.is_peer_proven()) broken("an acceptor without the secret was believed");
  }
}

/// A connection to a port of this process.
class connection {
 public:
  explicit connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) broken("nobody listens");
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { ::close(fd_); }

  void write(input data) { static_cast<void>(::send(fd_, data.data(), data.size(), MSG_NOSIGNAL)); }
  void end() { ::shutdown(fd_, SHUT_WR); }
  /// What is there now; with `waits`, at least a byte or the end.
  std::size_t read(std::span<std::byte> into, bool waits) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), waits ? 0 : MSG_DONTWAIT);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

  /// Proves the secret; `meanwhile` lets the other side move where it is in this thread.
  template <class Meanwhile>
  void greet(const introduction& self, Meanwhile&& meanwhile, bool waits) {
    handshake greeting = handshake::initiate(secret, self);
    for (int idle = 0; greeting.current() != handshake::state::ended && idle < 100'000; ++idle) {
      write(greeting.output());
      greeting.sent(greeting.output().size());
      meanwhile();
      std::vector<std::byte> buffer(std::max<std::size_t>(greeting.wanted(), 1));
      greeting.feed(std::span(buffer).first(read(std::span(buffer).first(greeting.wanted()), waits)));
    }
    if (greeting.result() != verdict::accepted) broken("a member was not accepted");
  }

 private:
  int fd_;
};

/// Bytes of a member (it has proven the secret) to the store: an honest one beside it is served all the same.
inline void feed_store(input data) {
  bootstrap::store_server_options options;
  options.size = 2;
  options.secret = secret;
  bootstrap::store_server server(options);
  connection peer(server.port());
  peer.greet(
      {service::store, rank(1), rank(0), 2}, [] {}, true);
  peer.write(data);
  peer.end();
  std::vector<std::byte> dropped(65536);
  while (peer.read(dropped, true) > 0) {  // until the server has judged it
  }
  bootstrap::store_options honest;
  honest.size = 2;
  honest.port = server.port();
  honest.secret = secret;
  bootstrap::store_bootstrap door(honest);
  door.put("an honest key", "value");
  if (door.get("an honest key", std::chrono::milliseconds(5'000)) != "value") broken("the store has lost a value");
  door.leave();
}

/// Bytes of rank 1 (it has proven the secret) to the data port of rank 0: messages, or the end of that connection.
inline void feed_transport(input data) {
  std::string published;
  transport::endpoint_environment environment;
  environment.size = 2;
  environment.secret = secret;
  environment.interface = "127.0.0.1";
  environment.publish = [&](std::string_view, std::string_view value) { published = value; };
  transport::tcp_transport endpoint(environment);
  connection peer(std::stoi(published.substr(published.find(' ') + 1)));
  peer.greet(
      {service::transport, rank(1), rank(0), 2}, [&] { endpoint.progress(); }, false);

  struct taker : transport::completion {
    std::vector<std::byte> room{256};
    int calls = 0;
  };
  std::vector<std::unique_ptr<taker>> takers;
  for (std::uint16_t i = 0; i < 4; ++i) {  // receives of other tags and sizes, for some of the messages to match
    takers.push_back(std::make_unique<taker>());
    takers.back()->done = [](transport::completion& self, const transport::failure*) {
      ++static_cast<taker&>(self).calls;
    };
    endpoint.receive(rank(1), {.segment = i}, {.data = takers.back()->room.data(), .bytes = std::size_t{1} << (2 * i)},
                     *takers.back());
  }
  peer.write(data);
  peer.end();
  for (int i = 0; i < 50; ++i) endpoint.progress();
  endpoint.shutdown();
  for (const auto& each : takers)
    if (each->calls != 1) broken("a receive was completed twice, or not at all");
}

}  // namespace hawser::fuzz
