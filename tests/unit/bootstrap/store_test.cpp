// The TCP store between threads, and between processes that are killed or stopped.
#include <hawser/bootstrap/store.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <functional>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/handshake.hpp>

namespace hawser::bootstrap {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

const std::string test_secret = "a secret of the tests";

store_server_options server_of(int size, milliseconds peer_timeout = 10'000ms) {
  store_server_options options;
  options.size = size;
  options.secret = test_secret;
  options.peer_timeout = peer_timeout;
  return options;
}

store_options client_of(const store_server& server, rank self, int size) {
  store_options options;
  options.self = self;
  options.size = size;
  options.port = server.port();
  options.secret = test_secret;
  options.server_rank.reset();
  options.connect_timeout = 20s;
  return options;
}

/// Runs the body, checks the code of what it throws, and gives the message.
std::string error_of(errc expected, const std::function<void()>& body) {
  try {
    body();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), expected) << raised.what();
    return raised.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// Waits for the first notice on a board.
failure_notice first_notice(failure_board& board, milliseconds within) {
  std::promise<void> posted;
  std::once_flag once;
  std::function<void()> notify = [&] { std::call_once(once, [&] { posted.set_value(); }); };
  const failure_board::listener listener{[](void* state) { (*static_cast<std::function<void()>*>(state))(); }, &notify};
  board.add_listener(listener);
  if (board.generation() == 0) posted.get_future().wait_for(within);
  board.remove_listener(listener);
  const auto notices = board.since(0);
  return notices.empty() ? failure_notice{errc::timeout, std::nullopt, "no notice"} : notices.front();
}

TEST(store, ranks_exchange_values) {
  constexpr int size = 8;
  store_server server(server_of(size));
  std::vector<std::thread> threads;
  std::vector<std::size_t> lengths(size);
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      store_bootstrap self(client_of(server, r, size));
      self.rendezvous(20s);
      EXPECT_EQ(self.local_address(), "127.0.0.1");
      self.put("key/" + std::to_string(r), std::string(static_cast<std::size_t>(r) * 100'000, 'v'));
      for (int peer = size; peer-- > 0;)
        lengths[static_cast<std::size_t>(r)] += self.get("key/" + std::to_string(peer), 20s).size();
      self.leave();
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(lengths, std::vector<std::size_t>(size, 2'800'000));
}

TEST(store, keys_are_written_once_and_can_be_erased) {
  store_server server(server_of(1));
  store_bootstrap self(client_of(server, 0, 1));
  self.put("key", "value");
  self.put("key", "value");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { self.put("key", "other"); }), "\"key\"");
  self.erase("key");
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { self.get("key", 20ms); }), "\"key\"");
  self.put("key", "other");
  EXPECT_EQ(self.get("key", 0ms + 5s), "other");
  error_of(errc::invalid_argument, [&] { self.put("large", std::string(17 << 20, 'x')); });
  self.put("large", std::string(15 << 20, 'x'));
  EXPECT_EQ(self.get("large", 20s).size(), 15u << 20);
  self.leave();
  error_of(errc::invalid_argument, [&] { self.get("key", 1s); });
}

TEST(store, its_memory_is_bounded) {
  auto options = server_of(1);
  options.memory_limit = 1000;
  store_server server(options);
  store_bootstrap self(client_of(server, 0, 1));
  self.put("a", std::string(900, 'x'));
  EXPECT_CONTAINS(error_of(errc::resource, [&] { self.put("b", std::string(200, 'x')); }), "1000 bytes");
  self.erase("a");
  self.put("b", std::string(200, 'x'));
  self.leave();
}

TEST(store, clients_may_start_first) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  auto early = std::async(std::launch::async, [&] {
    store_options options;
    options.port = port;
    options.secret = test_secret;
    store_bootstrap self(options);
    self.put("key", "value");
    self.leave();
  });
  EXPECT_EQ(early.wait_for(50ms), std::future_status::timeout);
  auto options = server_of(1);
  options.port = port;
  store_server server(options);
  early.get();
}

TEST(store, nobody_listens) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  store_options options;
  options.self = 3;
  options.size = 4;
  options.port = port;
  options.connect_timeout = 100ms;
  const std::string message = error_of(errc::timeout, [&] { store_bootstrap self(options); });
  EXPECT_CONTAINS(message, "127.0.0.1:" + std::to_string(port));
  EXPECT_CONTAINS(message, "Connection refused");
  EXPECT_CONTAINS(message, "is rank 0 running?");
}

TEST(store, missing_ranks_are_named) {
  store_server server(server_of(5));
  store_bootstrap zero(client_of(server, 0, 5)), three(client_of(server, 3, 5));
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { zero.rendezvous(50ms); }), "ranks 1, 2, 4 of 5");
  store_bootstrap one(client_of(server, 1, 5)), two(client_of(server, 2, 5));
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { zero.rendezvous(50ms); }), "rank 4 of 5");
}

TEST(store, refuses_wrong_ranks_and_sizes) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2));
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap again(client_of(server, 0, 2)); }),
                  "two processes have the same rank");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap other(client_of(server, 1, 3)); }), "started for 2");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap other(client_of(server, 2, 2)); }), "out of range");
  EXPECT_EQ(zero.failures().generation(), 0u);
}

TEST(store, the_secret_is_proven_both_ways) {
  store_server server(server_of(1));
  auto wrong = client_of(server, 0, 1);
  wrong.secret = "another";
  const std::string message = error_of(errc::authentication, [&] { store_bootstrap self(wrong); });
  EXPECT_EQ(message.find(test_secret), std::string::npos);
  wrong.secret = "";
  error_of(errc::authentication, [&] { store_bootstrap self(wrong); });
  store_bootstrap right(client_of(server, 0, 1));
  right.leave();
}

TEST(store, no_secret_only_on_loopback_or_explicitly) {
  store_server_options options;
  store_server on_loopback(options);
  options.address = "";
  EXPECT_CONTAINS(error_of(errc::authentication, [&] { store_server refused(options); }), "HAWSER_SECRET_FILE");
  options.allow_empty_secret = true;
  store_server allowed(options);
}

TEST(store, address_in_use) {
  store_server first(server_of(1));
  auto options = server_of(1);
  options.port = first.port();
  EXPECT_CONTAINS(error_of(errc::io, [&] { store_server second(options); }), std::to_string(first.port()));
}

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

TEST(store, an_abort_reaches_every_other_rank_and_ends_its_waiting) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2)), one(client_of(server, 1, 2));
  auto waiting =
      std::async(std::launch::async, [&] { return error_of(errc::aborted, [&] { zero.get("never", 60s); }); });
  one.abort("the loss is not a number");
  EXPECT_CONTAINS(waiting.get(), "the loss is not a number");
  EXPECT_EQ(one.failures().since(0).at(0).code, errc::aborted);
}

TEST(store, leaving_is_no_failure_and_dying_is_one) {
  store_server server(server_of(3));
  store_bootstrap zero(client_of(server, 0, 3));
  {
    store_bootstrap one(client_of(server, 1, 3));
    one.leave();
  }
  { store_bootstrap two(client_of(server, 2, 3)); }  // a crash looks like this
  const failure_notice notice = first_notice(zero.failures(), 10s);
  EXPECT_EQ(notice.peer, rank(2));
  EXPECT_CONTAINS(notice.reason, "without leaving");
  EXPECT_EQ(zero.failures().generation(), 1u);
}

TEST(store, a_server_that_ends_in_good_order_is_no_failure) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2)), one(client_of(server, 1, 2));
  zero.leave();
  server.close(10ms);
  EXPECT_CONTAINS(error_of(errc::io, [&] { one.get("never", 60s); }), "has ended");
  EXPECT_EQ(one.failures().generation(), 0u);
}

// ---- processes

/// A child process; killed when the object ends.
class child {
 public:
  explicit child(const std::function<void()>& body) : id_(::fork()) {
    if (id_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      body();
    } catch (const std::exception& raised) {
      std::fprintf(stderr, "child: %s\n", raised.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  child(child&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  ~child() {
    if (id_ > 0) signal(SIGKILL), wait();
  }
  void signal(int number) { ::kill(id_, number); }
  int wait() {
    int status = -1;
    ::waitpid(std::exchange(id_, -1), &status, 0);
    return status;
  }

 private:
  pid_t id_;
};

/// A pipe over which a child says that it has come somewhere.
class signpost {
 public:
  signpost() { EXPECT_EQ(::pipe(ends_), 0); }
  ~signpost() { ::close(ends_[0]), ::close(ends_[1]); }
  void reached(int value = 0) { EXPECT_EQ(::write(ends_[1], &value, sizeof value), ssize_t{sizeof value}); }
  int wait() {
    int value = -1;
    EXPECT_EQ(::read(ends_[0], &value, sizeof value), ssize_t{sizeof value});
    return value;
  }

 private:
  int ends_[2];
};

/// Blocks until killed.
[[noreturn]] void sleep_forever() {
  for (;;) ::pause();
}

/// Starts size - 1 ranks in processes and rank 0 here; `hurt` gets the process of the last rank.
failure_notice what_the_others_see(int size, milliseconds peer_timeout, const std::function<void(child&)>& hurt,
                                   milliseconds& took) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  signpost joined, seen;
  const auto join = [&](rank self) {
    store_options options;
    options.self = self;
    options.size = size;
    options.port = port;
    options.secret = test_secret;
    options.peer_timeout = peer_timeout;
    return options;
  };
  std::vector<child> children;  // forked before any thread or socket of the server is there
  for (int r = 1; r < size; ++r)
    children.emplace_back([&, r] {
      store_bootstrap self(join(r));
      self.rendezvous(30s);
      joined.reached();
      if (r == size - 1) sleep_forever();
      seen.reached(first_notice(self.failures(), 30s).peer.value_or(rank(-1)).value);
      self.leave();
    });
  auto options = server_of(size, peer_timeout);
  options.port = port;
  store_bootstrap zero(join(0), std::make_unique<store_server>(options));
  for (int r = 1; r < size; ++r) joined.wait();
  const auto start = clock::now();
  hurt(children.back());
  const failure_notice notice = first_notice(zero.failures(), 30s);
  for (int r = 1; r < size - 1; ++r) EXPECT_EQ(seen.wait(), size - 1);
  took = std::chrono::duration_cast<milliseconds>(clock::now() - start);
  zero.leave();
  return notice;
}

TEST(store, a_killed_rank_is_noticed_by_all_long_before_the_peer_timeout) {
  milliseconds took{};
  const failure_notice notice = what_the_others_see(
      4, 10s, [](child& victim) { victim.signal(SIGKILL); }, took);
  EXPECT_EQ(notice.peer, rank(3));
  EXPECT_CONTAINS(notice.reason, "killed or crashed");
  EXPECT_LT(took, 5s);  // a few ms on an idle machine
}

TEST(store, a_stopped_rank_is_noticed_after_the_peer_timeout) {
  milliseconds took{};
  const failure_notice notice = what_the_others_see(
      3, 3s, [](child& victim) { victim.signal(SIGSTOP); }, took);
  EXPECT_EQ(notice.peer, rank(2));
  EXPECT_CONTAINS(notice.reason, "no sign of life for 3s");
  EXPECT_GE(took, 2s);  // its last heartbeat is at most a quarter of the time-out old
  EXPECT_LT(took, 15s);
}

/// Rank 0, with the server, is a child; rank 1 is here.
failure_notice when_rank_0_is(int signal, milliseconds peer_timeout) {
  signpost listening;
  child zero([&] {
    auto server = std::make_unique<store_server>(server_of(2, peer_timeout));
    const int port = server->port();
    store_options options = client_of(*server, 0, 2);
    listening.reached(port);
    store_bootstrap self(options, std::move(server));
    self.rendezvous(30s);
    sleep_forever();
  });
  store_options options;
  options.self = 1;
  options.size = 2;
  options.port = listening.wait();
  options.secret = test_secret;
  store_bootstrap one(options);
  one.rendezvous(30s);
  zero.signal(signal);
  const failure_notice notice = first_notice(one.failures(), 30s);
  EXPECT_CONTAINS(error_of(errc::peer_failed, [&] { one.get("never", 60s); }), "rank 0 failed");
  return notice;
}

TEST(store, rank_0_killed) {
  const failure_notice notice = when_rank_0_is(SIGKILL, 10s);
  EXPECT_EQ(notice.peer, rank(0));
  EXPECT_CONTAINS(notice.reason, "killed or crashed");
}

TEST(store, rank_0_stopped) {
  const auto start = clock::now();
  const failure_notice notice = when_rank_0_is(SIGSTOP, 600ms);
  EXPECT_LT(clock::now() - start, 9s);  // the server's time-out counts, not the longer one of the client
  EXPECT_EQ(notice.peer, rank(0));
  EXPECT_CONTAINS(notice.reason, "no sign of life");
}

TEST(store, a_client_adopts_the_shorter_timeout_of_the_server) {
  store_server server(server_of(2, 300ms));
  store_bootstrap zero(client_of(server, 0, 2)), one(client_of(server, 1, 2));
  EXPECT_EQ(first_notice(zero.failures(), 1000ms).code, errc::timeout);  // heartbeats come often enough
}

TEST(store, the_next_job_on_the_same_port_waits_for_the_end_of_the_last) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  std::vector<std::thread> threads;
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([port, r] {
      for (int round = 0; round < 3; ++round) {
        std::unique_ptr<store_server> server;
        auto listen = server_of(2);
        listen.port = port;
        if (r == 0) server = std::make_unique<store_server>(listen);
        store_options options;
        options.self = r;
        options.size = 2;
        options.port = port;
        options.secret = test_secret;
        store_bootstrap self(options, std::move(server));
        self.rendezvous(30s);
        self.put("from/" + std::to_string(r), std::to_string(round));
        EXPECT_EQ(self.get("from/" + std::to_string(1 - r), 30s), std::to_string(round));
        self.leave();
        EXPECT_EQ(self.failures().generation(), 0u);
      }
    });
  for (auto& each : threads) each.join();
}

}  // namespace
}  // namespace hawser::bootstrap
