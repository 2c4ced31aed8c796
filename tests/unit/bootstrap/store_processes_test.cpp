// The TCP store between processes that are killed or stopped, the one that runs the server among them.
#include <hawser/bootstrap/store.hpp>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bootstrap/store_support.hpp"

namespace hawser::bootstrap {
namespace {

using clock = std::chrono::steady_clock;

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
  EXPECT_EQ(notice.kind, failure_kind::dead);
  EXPECT_CONTAINS(notice.reason, "killed or crashed");
  EXPECT_LT(took, 5s);  // a few ms on an idle machine
}

TEST(store, a_stopped_rank_is_noticed_after_the_peer_timeout) {
  milliseconds took{};
  const failure_notice notice = what_the_others_see(
      3, 3s, [](child& victim) { victim.signal(SIGSTOP); }, took);
  EXPECT_EQ(notice.peer, rank(2));
  EXPECT_EQ(notice.kind, failure_kind::silent);
  EXPECT_CONTAINS(notice.reason, "no sign of life for 3s: its host answers, its process does not");
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
  EXPECT_EQ(notice.kind, failure_kind::dead);
  EXPECT_CONTAINS(notice.reason, "killed or crashed");
}

TEST(store, rank_0_stopped) {
  const auto start = clock::now();
  const failure_notice notice = when_rank_0_is(SIGSTOP, 600ms);
  EXPECT_LT(clock::now() - start, 9s);  // the server's time-out counts, not the longer one of the client
  EXPECT_EQ(notice.peer, rank(0));
  EXPECT_EQ(notice.kind, failure_kind::silent);
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
