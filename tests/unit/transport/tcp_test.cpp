// The TCP transport: what every transport must do, and connections that are not what they should be.
#include <hawser/transport/tcp.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <mutex>

#include <gtest/gtest.h>

#include <hawser/core/fault_points.hpp>
#include <hawser/core/handshake.hpp>
#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using namespace std::chrono_literals;
using transport::tcp_options;
using transport::tcp_transport;

opener tcp_opener(tcp_options options = {}) {
  return [options](const endpoint_environment& environment) {
    endpoint_environment local = environment;
    local.interface = "127.0.0.1";
    return any_transport(std::make_unique<tcp_transport>(local, options));
  };
}

transport_world world(std::string name, transport_world::start how, tcp_options options = {}) {
  return {std::move(name), how, [options] { return tcp_opener(options); }};
}

tcp_options with_buffer(std::size_t bytes) {
  tcp_options options;
  options.send_buffer = bytes;
  return options;
}

INSTANTIATE_TEST_SUITE_P(tcp, transport_conformance,
                         ::testing::Values(world("threads", transport_world::start::threads),
                                           world("processes", transport_world::start::processes),
                                           world("tiny_buffers", transport_world::start::threads, with_buffer(1))),
                         transport_conformance::name);

/// The environments of a job in this process, whose addresses lie in a map.
class address_book {
 public:
  endpoint_environment environment(rank self, int size) {
    endpoint_environment made;
    made.self = self;
    made.size = size;
    made.interface = "127.0.0.1";
    made.secret = "a secret of the tests";
    made.peer_timeout = 2000ms;
    made.publish = [this](std::string_view key, std::string_view value) {
      addresses_[std::string(key)] = std::string(value);
    };
    made.look_up = [this](std::string_view key) { return addresses_.at(std::string(key)); };
    return made;
  }
  void set(const std::string& key, const std::string& value) { addresses_[key] = value; }
  int port_of(rank self) {
    const std::string& address = addresses_.at("tcp/" + to_string(self));
    return std::stoi(address.substr(address.find(' ') + 1));
  }

 private:
  std::map<std::string, std::string> addresses_;
};

/// Progresses several endpoints of one thread until the condition holds.
template <class Condition>
bool drive(std::initializer_list<tcp_transport*> endpoints, std::chrono::milliseconds within, Condition&& holds) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    for (tcp_transport* each : endpoints) each->progress();
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

/// A connection that does not follow the protocol.
class raw_connection {
 public:
  explicit raw_connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    const int status = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    EXPECT_TRUE(status == 0 || errno == EINPROGRESS);
  }
  ~raw_connection() { ::close(fd_); }
  bool write(std::span<const std::byte> data) {
    return ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
  }
  /// What has arrived so far; nothing when the other side has closed.
  std::optional<std::size_t> read(std::span<std::byte> into) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    return std::nullopt;
  }
  bool is_closed() {
    std::byte dropped[256];
    return !read(dropped).has_value();
  }
  /// Runs the initiator's side against an endpoint of this thread.
  handshake greet(tcp_transport& endpoint, std::string_view secret, const introduction& self) {
    handshake greeting = handshake::initiate(secret, self);
    std::byte buffer[handshake::longest_message];
    const bool has_ended = drive({&endpoint}, 10s, [&] {
      if (!greeting.output().empty() && write(greeting.output())) greeting.sent(greeting.output().size());
      if (greeting.wanted() == 0) return greeting.current() == handshake::state::ended;
      const auto got = read(std::span(buffer).first(greeting.wanted()));
      if (got) greeting.feed(std::span(buffer).first(*got));
      return !got || greeting.current() == handshake::state::ended;
    });
    EXPECT_TRUE(has_ended);
    return greeting;
  }

 private:
  int fd_;
};

TEST(tcp, another_secret_fails_the_peer_and_nothing_else) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  auto other = book.environment(1, 2);
  other.secret = "another";
  tcp_transport one(other);
  ticket sent, received;
  one.send(0, tag_of(1), {}, sent);
  zero.receive(1, tag_of(1), {}, received);
  ASSERT_TRUE(drive({&zero, &one}, 10s, [&] { return sent.is_over(); }));
  EXPECT_EQ(sent.why->code, errc::authentication) << sent.why->what;
  EXPECT_FALSE(received.is_over());  // nobody has proven to be rank 1
  zero.shutdown();                   // while its completion is still alive
  EXPECT_EQ(received.why->code, errc::aborted);
}

TEST(tcp, a_recorded_handshake_is_refused) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  handshake greeting = handshake::initiate("a secret of the tests", {service::transport, 1, 0, 2});
  const std::vector<std::byte> hello(greeting.output().begin(), greeting.output().end());
  greeting.sent(hello.size());
  std::vector<std::byte> proof;
  for (const bool is_replay : {false, true}) {
    raw_connection connection(book.port_of(0));
    std::byte buffer[handshake::longest_message];
    bool is_written = false;
    std::size_t filled = 0;
    ASSERT_TRUE(drive({&zero}, 10s, [&] {
      if (!is_written) is_written = connection.write(hello);
      const auto got = connection.read(std::span(buffer).subspan(filled, 48 - filled));
      filled += got.value_or(0);
      return filled == 48;
    }));
    if (!is_replay) {
      greeting.feed(std::span(buffer).first(48));
      proof.assign(greeting.output().begin(), greeting.output().end());
      continue;
    }
    ASSERT_TRUE(connection.write(proof));
    std::optional<std::size_t> got = 0;
    ASSERT_TRUE(drive({&zero}, 10s, [&] { return (got = connection.read(buffer)) != std::size_t{0}; }));
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(buffer[0], static_cast<std::byte>(verdict::not_believed));
    EXPECT_TRUE(drive({&zero}, 10s, [&] { return connection.is_closed(); }));
  }
}

TEST(tcp, garbage_and_silence_are_closed) {
  address_book book;
  tcp_options options;
  options.handshake_timeout = 300ms;
  tcp_transport zero(book.environment(0, 2), options);
  raw_connection garbage(book.port_of(0)), silent(book.port_of(0));
  ASSERT_TRUE(garbage.write(as_bytes(std::string(100, 'G'))));
  EXPECT_TRUE(drive({&zero}, 10s, [&] { return garbage.is_closed(); }));
  EXPECT_TRUE(drive({&zero}, 10s, [&] { return silent.is_closed(); }));
}

TEST(tcp, silence_is_closed_while_the_endpoint_blocks) {
  address_book book;
  tcp_options options;
  options.handshake_timeout = 100ms;
  tcp_transport zero(book.environment(0, 2), options);
  raw_connection silent(book.port_of(0));
  for (zero.progress(); !silent.is_closed(); zero.progress()) {
    ASSERT_TRUE(zero.arm());
    pollfd bell{zero.wait_descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&bell, 1, 10'000), 1);
  }
}

TEST(tcp, refuses_who_does_not_belong_here) {
  address_book book;
  tcp_transport one(book.environment(1, 3));
  const auto answer = [&](const introduction& self) {
    raw_connection connection(book.port_of(1));
    return connection.greet(one, "a secret of the tests", self);
  };
  EXPECT_EQ(answer({service::transport, 2, 0, 3}).reason(), "this is rank 1, not rank 0");
  EXPECT_EQ(answer({service::transport, 2, 1, 4}).reason(), "this job has 3 ranks, not 4");
  EXPECT_EQ(answer({service::transport, 0, 1, 3}).reason(), "rank 0 may not connect here");
  EXPECT_EQ(answer({service::transport, 3, 1, 3}).reason(), "rank 3 may not connect here");
  raw_connection first(book.port_of(1));
  EXPECT_EQ(first.greet(one, "a secret of the tests", {service::transport, 2, 1, 3}).result(), verdict::accepted);
  EXPECT_EQ(answer({service::transport, 2, 1, 3}).reason(), "rank 2 is connected already");
}

TEST(tcp, an_absurd_size_ends_the_connection) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  ticket received;
  zero.receive(1, tag_of(1), {}, received);
  raw_connection connection(book.port_of(0));
  connection.greet(zero, "a secret of the tests", {service::transport, 1, 0, 2});
  ASSERT_TRUE(connection.write(as_bytes(std::string(16, '\xff'))));
  ASSERT_TRUE(drive({&zero}, 10s, [&] { return received.is_over(); }));
  EXPECT_EQ(received.why->code, errc::peer_failed);
  EXPECT_NE(received.why->what.find("not a message"), std::string::npos);
}

TEST(tcp, a_peer_that_computes_meanwhile_is_waited_for) {
  tcp_options options;
  options.handshake_timeout = 50ms;
  for (const bool is_connecting_side_busy : {false, true}) {
    address_book book;
    auto environment = book.environment(0, 2);
    environment.peer_timeout = 50ms;
    tcp_transport zero(environment, options);
    environment = book.environment(1, 2);
    environment.peer_timeout = 50ms;
    tcp_transport one(environment, options);
    ticket sent, received;
    one.send(0, tag_of(1), {}, sent);
    zero.receive(1, tag_of(1), {}, received);
    // Longer than every time-out, so that the side that progresses has noticed.
    EXPECT_FALSE(drive({is_connecting_side_busy ? &zero : &one}, 1s, [&] { return sent.is_over(); }));
    ASSERT_TRUE(drive({&zero, &one}, 60s, [&] { return sent.is_over() && received.is_over(); }));
    EXPECT_TRUE(sent.has_succeeded() && received.has_succeeded()) << (sent.why ? sent.why->what : "");
  }
}

TEST(tcp, who_ends_every_handshake_is_lost) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  tcp_transport one(book.environment(1, 2));
  ticket sent;
  one.send(0, tag_of(1), {}, sent);
  zero.shutdown();
  ASSERT_TRUE(drive({&one}, 60s, [&] { return sent.is_over(); }));
  EXPECT_EQ(sent.why->code, errc::peer_failed);
}

/// The first connections of this process come out with an error of the network.
struct bad_network {
  static inline int left = 0, code = 0;
  static int strike(fault_point at) { return at == fault_point::connect && left > 0 ? (--left, code) : no_fault; }
  bad_network(int connections, int errno_code) {
    left = connections;
    code = errno_code;
    set_fault_hook(&strike);
  }
  ~bad_network() { set_fault_hook(nullptr); }
};

TEST(tcp, a_connection_that_finds_no_way_is_tried_once_more) {
  for (const int code : {EHOSTUNREACH, ENETUNREACH, EHOSTDOWN}) {
    const bad_network first(1, code);
    address_book book;
    tcp_transport zero(book.environment(0, 2)), one(book.environment(1, 2));
    ticket sent, received;
    zero.receive(1, tag_of(1), {}, received);
    one.send(0, tag_of(1), {}, sent);
    ASSERT_TRUE(drive({&zero, &one}, 10s, [&] { return sent.is_over() && received.is_over(); }));
    EXPECT_TRUE(sent.has_succeeded() && received.has_succeeded()) << (sent.why ? sent.why->what : "");
    EXPECT_EQ(bad_network::left, 0);
  }
}

/// How a message from rank 1 to rank 0 failed.
failure failed_send() {
  address_book book;
  tcp_transport zero(book.environment(0, 2)), one(book.environment(1, 2));
  ticket sent;
  one.send(0, tag_of(1), {}, sent);
  EXPECT_TRUE(drive({&zero, &one}, 10s, [&] { return sent.is_over(); }));
  EXPECT_TRUE(sent.why);
  return sent.why ? *sent.why : failure{};
}

TEST(tcp, a_host_to_which_there_is_no_way_is_lost_at_the_second_try) {
  const bad_network always(1'000, EHOSTUNREACH);
  const failure why = failed_send();
  EXPECT_EQ(why.code, errc::peer_failed);
  EXPECT_EQ(why.peer, rank(0));
  EXPECT_NE(why.what.find("No route to host"), std::string::npos) << why.what;
  EXPECT_EQ(bad_network::left, 998);
}

TEST(tcp, other_errors_of_a_connection_are_not_tried_again) {
  const bad_network once(1, ECONNRESET);
  EXPECT_EQ(failed_send().code, errc::peer_failed);
}

TEST(tcp, nobody_listens_any_more) {
  address_book book;
  { tcp_transport gone(book.environment(0, 2)); }
  tcp_transport one(book.environment(1, 2));
  ticket sent;
  one.send(0, tag_of(1), {}, sent);
  ASSERT_TRUE(drive({&one}, 10s, [&] { return sent.is_over(); }));
  EXPECT_EQ(sent.why->code, errc::peer_failed);
  EXPECT_EQ(sent.why->peer, rank(0));
  EXPECT_NE(sent.why->what.find("Connection refused"), std::string::npos) << sent.why->what;
}

TEST(tcp, a_peer_that_nobody_waits_for_is_not_read_without_bound) {
  address_book book;
  auto environment = book.environment(0, 2);
  environment.memory_budget = 256 << 10;
  tcp_transport zero(environment);
  tcp_transport one(book.environment(1, 2));
  constexpr std::size_t messages = 400;
  const payload data = pattern(64 << 10, 1);
  std::list<ticket> sends;
  for (std::size_t i = 0; i < messages; ++i) one.send(0, tag_of(i), data, sends.emplace_back());
  const auto sent = [&] {
    return static_cast<std::size_t>(
        std::count_if(sends.begin(), sends.end(), [](const ticket& each) { return each.is_over(); }));
  };
  // Both are quiet when neither has anything to do any more.
  ASSERT_TRUE(drive({}, 20s, [&] {
    bool has_moved = false;
    for (int i = 0; i < 1000; ++i)
      for (tcp_transport* each : {&zero, &one})
        if (each->progress()) has_moved = true;
    return !has_moved;
  }));
  EXPECT_LT(sent(), messages);  // the rest waits in the sender's memory
  pollfd bell{zero.wait_descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&bell, 1, 0), 0);  // and its arrival wakes nobody
  std::list<transfer> receives;
  for (std::size_t i = 0; i < messages; ++i) {
    transfer& each = receives.emplace_back(payload(data.size()));
    zero.receive(1, tag_of(i), into(each.data), each.done);
  }
  ASSERT_TRUE(drive({&zero, &one}, 20s, [&] { return receives.back().done.is_over() && sent() == messages; }));
  for (const transfer& each : receives) EXPECT_TRUE(each.done.has_succeeded() && each.data == data);
}

/// A round that has sent does not look for what has arrived, and no more than one such follows another.
TEST(tcp, who_sends_in_every_round_still_receives) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  tcp_transport one(book.environment(1, 2));
  const payload data = pattern(100, 1);
  payload got(data.size());
  ticket first, arrived, answered, received;
  one.send(0, tag_of(0), {}, first);
  zero.receive(1, tag_of(0), {}, arrived);
  ASSERT_TRUE(drive({&zero, &one}, 10s, [&] { return first.is_over() && arrived.is_over(); }));
  one.send(0, tag_of(1), data, answered);
  ASSERT_TRUE(drive({&one}, 10s, [&] { return answered.is_over(); }));
  zero.receive(1, tag_of(1), into(got), received);
  std::list<ticket> sends;
  ASSERT_TRUE(drive({}, 10s, [&] {
    zero.send(1, tag_of(2), {}, sends.emplace_back());
    EXPECT_TRUE(zero.progress());
    return received.is_over();
  }));
  EXPECT_EQ(got, data);
  ASSERT_TRUE(drive({&zero}, 10s, [&] { return sends.back().is_over(); }));
}

TEST(tcp, what_arrived_before_the_peer_left_can_still_be_received) {
  address_book book;
  tcp_transport zero(book.environment(0, 2));
  const payload data = pattern(1000, 1);
  {
    tcp_transport one(book.environment(1, 2));
    ticket sent;
    one.send(0, tag_of(1), data, sent);
    ASSERT_TRUE(drive({&zero, &one}, 10s, [&] { return sent.is_over(); }));
    one.shutdown();
  }
  for (int i = 0; i < 100; ++i) zero.progress();  // sees the end of the connection
  payload got(data.size());
  ticket received, never;
  zero.receive(1, tag_of(1), into(got), received);
  ASSERT_TRUE(drive({&zero}, 10s, [&] { return received.is_over(); }));
  EXPECT_TRUE(received.has_succeeded());
  EXPECT_EQ(got, data);
  zero.receive(1, tag_of(2), into(got), never);
  ASSERT_TRUE(drive({&zero}, 10s, [&] { return never.is_over(); }));
  EXPECT_EQ(never.why->code, errc::peer_failed);
}

TEST(tcp, a_killed_peer_fails_what_is_pending_at_once) {
  shared_store store;
  std::fflush(nullptr);
  const pid_t victim = ::fork();
  if (victim == 0) {
    ::alarm(60);
    any_transport one = tcp_opener()(environment_of(1, 2, store));
    meet(one, 0, tag_of(1));
    for (;;) one.progress();
  }
  any_transport zero = tcp_opener()(environment_of(0, 2, store));
  meet(zero, 1, tag_of(1));
  std::list<transfer> pending;
  start_receive(zero, pending, 1, tag_of(2), 100);
  for (std::size_t i = 0; i < 4; ++i) start_send(zero, pending, 1, tag_of(3 + i), pattern(std::size_t{5} << 20, i));
  zero.progress();
  const auto start = std::chrono::steady_clock::now();
  ::kill(victim, SIGKILL);
  wait_until(zero, waiting::block, [&] {
    return std::all_of(pending.begin(), pending.end(), [](const transfer& each) { return each.done.is_over(); });
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);  // milliseconds on an idle machine, no time-out of 10 s
  EXPECT_EQ(pending.front().done.why->code, errc::peer_failed);
  EXPECT_EQ(pending.front().done.why->peer, rank(1));
  EXPECT_NE(pending.front().done.why->what.find("rank 1"), std::string::npos);
  ::waitpid(victim, nullptr, 0);
}

TEST(tcp, no_secret_only_on_loopback_or_explicitly) {
  address_book book;
  auto environment = book.environment(0, 1);
  environment.secret.clear();
  environment.interface = "0.0.0.0";
  EXPECT_THROW(tcp_transport refused(environment), error);
  tcp_options options;
  options.allow_empty_secret = true;
  tcp_transport allowed(environment, options);
  environment.interface.clear();
  tcp_transport on_loopback(environment);
  environment.interface = "no-such-interface";
  try {
    tcp_transport nowhere(environment);
    FAIL();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), errc::not_found);
  }
}

TEST(tcp, itself_and_unknown_ranks_cannot_be_reached) {
  address_book book;
  tcp_transport one(book.environment(1, 2));
  for (const int peer : {1, 2, -1}) {
    ticket sent, received;
    one.send(peer, tag_of(1), {}, sent);
    one.receive(peer, tag_of(1), {}, received);
    ASSERT_TRUE(sent.is_over() && received.is_over());
    EXPECT_EQ(sent.why->code, errc::invalid_argument);
  }
}

}  // namespace
}  // namespace hawser::testing
