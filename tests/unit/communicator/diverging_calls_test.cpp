// Ranks whose calls differ so that their messages never meet: nothing arrives that could be found wrong, so they find
// out by comparing calls, well before any time-out. A rank that is merely late is accused of nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <hawser/bootstrap/store.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

using namespace std::chrono_literals;

/// Doubts come after a quarter of the peer time-out.
communicator_options impatient() {
  communicator_options options;
  options.peer_timeout = 400ms;
  options.operation_timeout = 30s;
  options.abort_timeout = 200ms;
  return options;
}

/// How ranks end that diverge: all by an error, one at least by a mismatch, which says what two ranks called.
class outcome {
 public:
  template <class Body>
  void observe(communicator& members, Body&& body) {
    try {
      body(members);
      members.barrier();
    } catch (const error& raised) {
      std::lock_guard lock(mutex_);
      ++errors_;
      if (raised.code() == errc::mismatch) mismatch_ = raised.what();
      EXPECT_NE(raised.code(), errc::timeout) << raised.what();
    }
  }
  void expect(int ranks, const std::vector<std::string>& words) const {
    EXPECT_EQ(errors_, ranks);
    for (const std::string& each : words) EXPECT_NE(mismatch_.find(each), std::string::npos) << mismatch_;
  }

 private:
  std::mutex mutex_;
  int errors_ = 0;
  std::string mismatch_;
};

template <class Body>
void expect_words(int ranks, const std::vector<std::string>& words, Body&& body) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    outcome seen;
    test::run_threads_over(transport, ranks, impatient(), [&](communicator& members) { seen.observe(members, body); });
    seen.expect(ranks, words);
  }
}

/// Each takes the other for the root: both receive, and nobody sends.
TEST(diverging_calls, roots) {
  expect_words(2, {"broadcast of 5 float32, root 0", "broadcast of 5 float32, root 1"}, [](communicator& members) {
    std::vector<float> data(5);
    members.broadcast(data, 1 - members.rank().value);
  });
}

/// Rank 0 sends to rank 1 only and is done, as rank 1; the others wait for rank 0. They differ in a call that rank 0
/// has behind it.
TEST(diverging_calls, algorithms) {
  expect_words(4, {"by linear", "by chain"}, [](communicator& members) {
    std::vector<float> data(5);
    call_options options;
    options.algorithm = members.rank() == rank(0) ? "chain" : "linear";
    members.broadcast(data, 0, options);
  });
}

/// Each rank takes its own count's algorithm: counts that pick different ones, here forced, so that no message meets.
TEST(diverging_calls, counts_with_their_algorithms) {
  expect_words(3, {"gather of 4 int32, root 0, by linear", "gather of 9 int32, root 2, by binomial"},
               [](communicator& members) {
                 const bool is_odd = members.rank() == rank(2);
                 std::vector<std::int32_t> own(is_odd ? 9 : 4), all(own.size() * 3);
                 call_options options;
                 options.algorithm = is_odd ? "binomial" : "linear";
                 members.gather(own, all, is_odd ? 2 : 0, options);
               });
}

TEST(diverging_calls, of_a_part_of_the_ranks) {
  expect_words(4, {"broadcast of 7 float64, root 0", "broadcast of 7 float64, root 1"}, [](communicator& members) {
    const auto half = members.split(members.rank().value % 2, 0);
    std::vector<double> data(7);
    half->broadcast(data, 1 - half->rank().value);
    half->barrier();
  });
}

/// Ranks that only poll: no thread waits anywhere, and still they find out.
TEST(diverging_calls, of_ranks_that_only_test) {
  expect_words(2, {"broadcast of 5 float32, root 0", "broadcast of 5 float32, root 1"}, [](communicator& members) {
    std::vector<float> data(5);
    pending sum = members.async().broadcast(data, 1 - members.rank().value);
    while (!sum.test()) std::this_thread::yield();
  });
}

/// A call that nobody else makes ends a rank that polls for it, too, and says what it waited for.
TEST(diverging_calls, a_poll_ends_after_the_operation_timeout) {
  auto options = impatient();
  options.operation_timeout = 500ms;
  std::atomic<bool> is_over{false};
  test::run_threads_over("in_process", 2, options, [&](communicator& members) {
    std::vector<float> data(5);
    if (members.rank() == rank(1)) {
      while (!is_over.load()) std::this_thread::yield();
      return;
    }
    pending sum = members.async().all_reduce(data);
    try {
      while (!sum.test()) std::this_thread::yield();
      ADD_FAILURE() << "it completed without rank 1";
    } catch (const error& raised) {
      EXPECT_EQ(raised.code(), errc::timeout) << raised.what();
      EXPECT_NE(std::string(raised.what()).find("this rank calls all_reduce of 5 float32"), std::string::npos)
          << raised.what();
    }
    is_over = true;
  });
}

/// A rank that polls for a late one is accused of nothing, and takes back what it published.
TEST(diverging_calls, a_late_rank_is_polled_for) {
  for (const std::string& transport : test::thread_transports())
    test::run_threads_over(transport, 2, impatient(), [](communicator& members) {
      for (int round = 0; round < 2; ++round) {
        const auto part = members.split(0, members.rank().value);
        if (part->rank() == rank(0)) std::this_thread::sleep_for(250ms);  // the delay is what is tested
        std::vector<std::int64_t> data(100 + static_cast<std::size_t>(round), 1);
        pending sum = part->async().all_reduce(data);
        while (!sum.test()) std::this_thread::yield();
        ASSERT_EQ(data, std::vector<std::int64_t>(data.size(), 2));
        part->broadcast(data, round);
      }
    });
}

/// Waiting long is no mismatch: rank 0 is late by several doubts, more than once, and the calls after that go on as
/// ever, also on communicators that take over the numbers of others.
TEST(diverging_calls, a_late_rank_is_accused_of_nothing) {
  for (const std::string& transport : test::thread_transports())
    test::run_threads_over(transport, 3, impatient(), [](communicator& members) {
      for (int round = 0; round < 3; ++round) {
        const auto part = members.split(0, members.rank().value);
        if (part->rank() == rank(0)) std::this_thread::sleep_for(250ms);  // the delay is what is tested
        std::vector<std::int64_t> data(100 + static_cast<std::size_t>(round), 1);
        part->all_reduce(data);
        ASSERT_EQ(data, std::vector<std::int64_t>(data.size(), 3));
        part->broadcast(data, round);
      }
    });
}

/// Over the TCP store, whose keys are compared by the server.
TEST(diverging_calls, over_the_store) {
  bootstrap::store_server_options served;
  served.size = 2;
  served.secret = "a secret of the tests";
  bootstrap::store_server server(served);
  outcome seen;
  std::vector<std::thread> threads;
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([&, r] {
      bootstrap::store_options joined;
      joined.self = r;
      joined.size = 2;
      joined.port = server.port();
      joined.secret = served.secret;
      joined.server_rank.reset();
      auto options = impatient();
      options.peer_timeout = 2s;
      communicator members(std::make_unique<bootstrap::store_bootstrap>(joined), options);
      seen.observe(members, [](communicator& all) {
        std::vector<float> data(5);
        all.broadcast(data, 1 - all.rank().value);
      });
    });
  for (std::thread& each : threads) each.join();
  seen.expect(2, {"root 0", "root 1"});
}

}  // namespace
}  // namespace hawser
