// What a store does with connections that do not follow its protocol: none of them disturbs the job.
#include <hawser/bootstrap/store.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <memory>
#include <vector>

#include <hawser/core/handshake.hpp>

#include <gtest/gtest.h>

#include "bootstrap/store_support.hpp"

namespace hawser::bootstrap {
namespace {

using clock = std::chrono::steady_clock;

/// A connection that does not follow the protocol.
class raw_connection {
 public:
  explicit raw_connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~raw_connection() { ::close(fd_); }
  void write(std::span<const std::byte> data) { ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL); }
  std::vector<std::byte> read(std::size_t count) {
    std::vector<std::byte> data(count);
    std::size_t filled = 0;
    while (filled < count) {
      const ssize_t got = ::recv(fd_, data.data() + filled, count - filled, 0);
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    data.resize(filled);
    return data;
  }
  /// The other side closed the connection within the time; what it sent before is dropped.
  bool is_closed(milliseconds within) {
    for (const auto deadline = clock::now() + within;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now()).count();
      pollfd readable{fd_, POLLIN, 0};
      if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) != 1) return false;
      char dropped[256];
      if (::recv(fd_, dropped, sizeof dropped, 0) <= 0) return true;
    }
  }
  /// Proves the secret as rank 0 of 1.
  void authenticate() {
    handshake greeting = handshake::initiate(test_secret, {service::store, 0, 0, 1});
    while (greeting.current() != handshake::state::ended) {
      write(greeting.output());
      greeting.sent(greeting.output().size());
      greeting.feed(read(greeting.wanted()));
    }
    EXPECT_EQ(greeting.result(), verdict::accepted);
  }

 private:
  int fd_;
};

TEST(store, garbage_and_silence_are_closed_and_disturb_nobody) {
  auto options = server_of(1);
  options.handshake_timeout = 200ms;
  store_server server(options);
  raw_connection garbage(server.port()), silent(server.port()), half(server.port());
  garbage.write(as_bytes("GET / HTTP/1.1\r\nHost: this.is.not.the.protocol.that.the.store.speaks\r\n\r\n"));
  half.write(as_bytes("hawser\r\n"));
  EXPECT_TRUE(garbage.is_closed(10s));
  store_bootstrap right(client_of(server, 0, 1));
  EXPECT_TRUE(silent.is_closed(10s));
  EXPECT_TRUE(half.is_closed(10s));
  right.put("key", "value");
  right.leave();
}

TEST(store, many_half_open_connections_do_not_keep_ranks_out) {
  auto options = server_of(1);
  options.handshake_timeout = 300ms;
  store_server server(options);
  std::vector<std::unique_ptr<raw_connection>> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(std::make_unique<raw_connection>(server.port()));
  store_bootstrap right(client_of(server, 0, 1));
  right.put("key", "value");
  right.leave();
}

TEST(store, a_recorded_handshake_is_refused) {
  store_server server(server_of(1));
  handshake greeting = handshake::initiate(test_secret, {service::store, 0, 0, 1});
  const auto hello = greeting.output();
  const std::vector<std::byte> recorded_hello(hello.begin(), hello.end());
  std::vector<std::byte> recorded_proof;
  {
    raw_connection first(server.port());
    first.write(recorded_hello);
    greeting.sent(recorded_hello.size());
    greeting.feed(first.read(greeting.wanted()));
    recorded_proof.assign(greeting.output().begin(), greeting.output().end());
  }
  raw_connection second(server.port());
  second.write(recorded_hello);
  second.read(48);
  second.write(recorded_proof);
  const auto answer = second.read(2);
  ASSERT_EQ(answer.size(), 2u);
  EXPECT_EQ(answer[0], static_cast<std::byte>(verdict::not_believed));
  EXPECT_TRUE(second.is_closed(10s));
}

TEST(store, an_oversized_or_broken_message_ends_the_connection) {
  for (const std::string& message : {std::string("\xff\xff\xff\x7f\x02", 5), std::string("\x01\0\0\0\xee", 5),
                                     std::string("\x05\0\0\0\x02\x01\x01\x01\x01", 9)}) {
    store_server server(server_of(1));
    raw_connection peer(server.port());
    peer.authenticate();
    peer.write(as_bytes(message));
    EXPECT_TRUE(peer.is_closed(10s));
  }
}

}  // namespace
}  // namespace hawser::bootstrap
