// The UCX transport between forked processes on one host.
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <algorithm>

#include <hawser/ucx/transport.hpp>

#include "process_group.hpp"
#include "transport_checks.hpp"

namespace hawser::test {
namespace {

class ucx_processes : public testing::TestWithParam<int> {};

void with_endpoint(int self, board& shared, int size, const std::function<void(participant)>& body) {
  transport::any_transport endpoint = ucx::ucx_factory().open(shared.environment(self));
  body({endpoint, self, size});
}

/// A barrier with progress: the end of a message whose send is complete may still be in UCX's buffer.
void meet(participant me, board& shared) {
  for (const int round = shared.arrive(me.size); !shared.has_passed(round);)
    if (!me.endpoint.progress()) sched_yield();
}

/// Runs one check on all ranks; nobody leaves before all are through.
bool run_check(int size, void (*check)(participant)) {
  return run_processes(size, [=](int self, board& shared) {
    with_endpoint(self, shared, size, [&](participant me) {
      check(me);
      meet(me, shared);
    });
  });
}

TEST_P(ucx_processes, transfers_every_size) {
  EXPECT_TRUE(run_check(GetParam(), check_sizes));
}
TEST_P(ucx_processes, matches_by_tag) {
  EXPECT_TRUE(run_check(GetParam(), check_tags));
}
TEST_P(ucx_processes, keeps_unexpected_messages_in_order) {
  EXPECT_TRUE(run_check(GetParam(), check_unexpected));
}
TEST_P(ucx_processes, interleaves_all_pairs) {
  EXPECT_TRUE(run_check(GetParam(), check_all_pairs));
}
TEST_P(ucx_processes, reports_another_size) {
  EXPECT_TRUE(run_check(GetParam(), check_mismatch));
}
TEST_P(ucx_processes, shuts_down_with_pending_transfers) {
  EXPECT_TRUE(run_check(GetParam(), check_shutdown));
}

TEST_P(ucx_processes, fails_transfers_with_a_peer_declared_failed) {
  EXPECT_TRUE(run_check(GetParam(), [](participant me) {
    check_all_pairs(me);
    if (me.size > 1) check_declared_failure(me, me.next());
  }));
}

TEST_P(ucx_processes, delivers_what_was_sent_before_a_shutdown) {
  const int size = GetParam();
  if (size < 2) GTEST_SKIP() << "needs two ranks";
  EXPECT_TRUE(run_processes(size, [=](int self, board& shared) {
    with_endpoint(self, shared, size, [&](participant me) {
      check_all_pairs(me);
      meet(me, shared);
      constexpr std::size_t bytes = 50'000;
      transfer out(pattern(bytes, self, 1, 5)), in(bytes);
      if (self == 0) {
        me.send(1, {.context = 8}, out);
        me.wait(out);
        me.endpoint.shutdown();
      }
      shared.barrier(size);
      if (self != 1) return;
      for (int i = 0; i < 1000; ++i) me.endpoint.progress();  // let the closed connection be noticed first
      me.receive(0, {.context = 8}, in);
      me.wait(in);
      require_success(in, "message of a rank that has left");
      require(in.memory == pattern(bytes, 0, 1, 5), "wrong bytes from a rank that has left");
    });
  }));
}

/// The last rank dies; the others wait for it and hear of it from UCX alone. In the second case it dies in the middle
/// of a message: nobody reads between the barriers, and the kernel holds less than the message. In the third it has
/// never sent anything.
TEST_P(ucx_processes, names_a_killed_peer) {
  const int size = GetParam();
  if (size < 2) GTEST_SKIP() << "needs two ranks";
  const int victim = size - 1;
  for (const int how : {0, 1, 2}) {
    EXPECT_TRUE(run_processes(
        size,
        [=](int self, board& shared) {
          with_endpoint(self, shared, size, [&](participant me) {
            if (how != 2) check_all_pairs(me);
            // A completed send may still lie in the victim's own buffers: it dies when all was received.
            if (how == 0) meet(me, shared);
            constexpr std::size_t bytes = 64 << 20;
            transfer in(bytes), out(how == 1 && self == victim ? bytes : 0);
            if (how == 1) meet(me, shared);
            if (self == victim) {
              if (how == 1) {
                me.send(0, {.context = 9}, out);
                for (int i = 0; i < 20; ++i) me.endpoint.progress();
                require(!out.is_done(), "the message was complete before its sender died: make it larger");
              }
              if (how != 0) shared.barrier(size);
              kill(getpid(), SIGKILL);
            }
            if (how == 1) shared.barrier(size);
            me.receive(victim, {.context = 9}, in);
            if (how == 2) {
              me.endpoint.progress();
              shared.barrier(size);
            }
            const auto before = clock::now();
            me.wait(in, 10s);
            require_failure(in, errc::peer_failed, victim, "receive from a killed rank");
            require(clock::now() - before < 6s, "the death was noticed late");
            transfer after(pattern(8, self, victim, 1));
            me.send(victim, {.context = 9, .operation = 1}, after);
            require_failure(after, errc::peer_failed, victim, "send to a killed rank");
          });
        },
        [=](int self) { return self == victim; }))
        << "case " << how;
  }
}

INSTANTIATE_TEST_SUITE_P(ranks, ucx_processes, testing::Values(1, 2, 4),
                         [](const auto& ranks) { return std::to_string(ranks.param); });

TEST(ucx_options, the_environment_is_reported) {
  for (const std::string name : {"UCX_RNDV_THRESH", "UCX_TCP_SNDBUF", "UCX_NET_DEVICES"}) {
    EXPECT_TRUE(ucx::ucx_overrides().empty());
    setenv(name.c_str(), "4096", 1);
    EXPECT_EQ(ucx::ucx_overrides(), std::vector{name + "=4096"});
    unsetenv(name.c_str());
  }
}

/// SO_SNDBUF of this process's connected TCP sockets; Linux reports twice what was asked for.
std::vector<int> send_buffers() {
  std::vector<int> found;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || peer.ss_family != AF_INET)
      continue;
    int bytes = 0;
    length = sizeof bytes;
    if (getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, &length) == 0) found.push_back(bytes);
  }
  return found;
}

bool all_send_buffers_are(int bytes, const ucx::ucx_options& options = {}) {
  return run_processes(2, [=](int self, board& shared) {
    transport::any_transport endpoint = ucx::ucx_factory(options).open(shared.environment(self));
    const participant me{endpoint, self, 2};
    check_all_pairs(me);
    const std::vector<int> found = send_buffers();
    require(!found.empty(), "there is no TCP socket");
    for (const int each : found)
      require(each == bytes, "a send buffer has " + std::to_string(each) + " bytes, not " + std::to_string(bytes));
    meet(me, shared);
  });
}

TEST(ucx_options, the_send_buffer_is_that_of_the_options) {
  EXPECT_TRUE(all_send_buffers_are(2 * 32 * 1024));
  ucx::ucx_options options;
  options.tcp_send_buffer = 50'000;
  EXPECT_TRUE(all_send_buffers_are(2 * 50'000, options));
}

TEST(ucx_options, the_send_buffer_of_the_environment_wins) {
  setenv("UCX_TCP_SNDBUF", "40000", 1);
  EXPECT_TRUE(all_send_buffers_are(2 * 40'000));
  unsetenv("UCX_TCP_SNDBUF");
}

TEST(ucx_options, a_wrong_setting_is_refused_with_its_name) {
  EXPECT_TRUE(run_processes(1, [](int self, board& shared) {
    ucx::ucx_options options;
    options.transports = "no_such_transport";
    try {
      ucx::ucx_transport(shared.environment(self), options);
    } catch (const error& refused) {
      require(refused.code() == errc::io && refused.native_code() != 0, refused.what());
      return;
    }
    throw std::runtime_error("UCX opened a context without any transport");
  }));
}

TEST(ucx_options, an_unknown_interface_is_refused) {
  board shared(1);
  transport::endpoint_environment environment = shared.environment(0);
  environment.interface = "no-such-interface";
  try {
    ucx::ucx_transport endpoint(environment);
    FAIL() << "opened";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::not_found) << refused.what();
  }
}

TEST(ucx_arguments, are_checked) {
  EXPECT_TRUE(run_processes(1, [](int self, board& shared) {
    ucx::ucx_transport endpoint(shared.environment(self));
    transfer which(8);
    const auto code_of = [&](rank peer, transport::tag match) {
      try {
        endpoint.send(peer, match, which.memory, which);
      } catch (const error& refused) {
        return refused.code();
      }
      return errc::internal;
    };
    require(code_of(1, {}) == errc::invalid_argument, "a rank outside the job was accepted");
    require(code_of(0, {.channel = ucx::max_channels}) == errc::unsupported, "a channel too large was accepted");
  }));
}

}  // namespace
}  // namespace hawser::test
