// Asynchronous calls complete while their callers compute, wake whoever waits for them, and end with the job.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <string>

#include <support/threads_over.hpp>

namespace hawser {
namespace {

using test::eventually;
using test::holds_now;

communicator_options on(const std::string& topology, progress driven_by = progress::thread) {
  communicator_options options;
  options.topology = topology;
  options.progress = driven_by;
  return options;
}

/// No rank calls into the library between the start and the result.
TEST(progress_thread, drives_an_all_reduce_of_computing_ranks) {
  for (const std::string& transport : test::thread_transports())
    for (int size : {2, 3, 4}) {
      SCOPED_TRACE(transport + " " + std::to_string(size));
      std::barrier everybody(size);
      test::run_threads_over(transport, size, {}, [&](communicator& members) {
        const std::vector<std::int32_t> expected(300'000, size * (size + 1) / 2);
        const std::vector<std::int32_t> input(expected.size(), members.rank().value + 1);
        std::vector<std::int32_t> output(input.size());
        pending sum = members.async().all_reduce(input, output);
        EXPECT_TRUE(eventually([&] { return holds_now(output, expected); }));
        everybody.arrive_and_wait();  // not even a test() before all have it
        EXPECT_TRUE(eventually([&] { return sum.test(); }));
        EXPECT_EQ(output, expected);
      });
    }
}

/// Sizes go ahead of the payload, and a result is converted: all of it without the caller.
TEST(progress_thread, goes_through_all_stages_of_a_call) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    std::barrier everybody(4);
    test::run_threads_over(transport, 4, on("rack:2 gpu:2"), [&](communicator& members) {
      const int me = members.rank().value;
      std::vector<std::int64_t> sent, received;
      std::vector<std::int32_t> input, expected;
      for (int r = 0; r < 4; ++r) {
        sent.push_back(1000 * (me + r) + 1);
        received.push_back(1000 * (me + r) + 1);
        input.insert(input.end(), static_cast<std::size_t>(sent.back()), 10 * me + r);
        expected.insert(expected.end(), static_cast<std::size_t>(received.back()), 10 * r + me);
      }
      std::vector<std::int32_t> output(expected.size(), -1);
      call_options bruck, wide;
      bruck.algorithm = "bruck";
      wide.accumulation = data_type::float32;
      const std::vector<bfloat16> ones(5000, static_cast<bfloat16>(1.0F)), fours(5000, static_cast<bfloat16>(4.0F));
      std::vector<bfloat16> total(ones.size());
      pending exchange = members.async().all_to_all_v(input, sent, output, received, bruck);
      pending sum = members.async().all_reduce(ones, total, op::sum, wide);
      EXPECT_TRUE(eventually([&] { return holds_now(output, expected) && holds_now(total, fours); }));
      everybody.arrive_and_wait();
      exchange.wait();
      sum.wait();
    });
  }
}

TEST(progress_thread, delivers_messages) {
  std::barrier everybody(2);
  run_in_process(2, [&](communicator& members) {
    const std::vector<std::int64_t> mine(100'000, members.rank().value), theirs(100'000, 1 - members.rank().value);
    std::vector<std::int64_t> got(mine.size(), -1);
    const rank other = 1 - members.rank().value;
    pending receive = members.receive_async(got, other), send = members.send_async(mine, other);
    EXPECT_TRUE(eventually([&] { return holds_now(got, theirs); }));
    everybody.arrive_and_wait();
    send.wait();
    receive.wait();
  });
}

/// Two communicators, a thread for each, many calls in flight, waited for in different orders, blocking ones between.
TEST(progress_thread, serves_several_threads_and_communicators) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    test::run_threads_over(transport, 3, {}, [&](communicator& members) {
      auto other = members.split(0, 0);
      const auto work = [](communicator& own, int seed) {
        for (int round = 0; round < 20; ++round) {
          std::vector<std::vector<std::int32_t>> data;
          for (int i = 0; i < 8; ++i) data.emplace_back(static_cast<std::size_t>(1 + 300 * i), seed + round + i);
          std::vector<pending> started;
          for (auto& each : data) started.push_back(own.async().all_reduce(each, each));
          if (round % 3 == 0) own.barrier();
          for (std::size_t i = 0; i < started.size(); ++i) started[round % 2 == 0 ? i : started.size() - 1 - i].wait();
          for (int i = 0; i < 8; ++i)
            for (std::int32_t each : data[static_cast<std::size_t>(i)]) ASSERT_EQ(each, 3 * (seed + round + i));
        }
      };
      std::thread second([&] { work(*other, 100'000); });
      work(members, 0);
      second.join();
    });
  }
}

/// A thread that sleeps while another one drives is woken when that one completes its call, not when it looks around
/// for itself (every 100 ms).
TEST(waiting, a_result_that_another_thread_has_driven_arrives_at_once) {
  constexpr int rounds = 300;
  std::atomic<int> late{0};
  run_in_process(2, [&](communicator& members) {
    auto other = members.split(0, 0);
    const auto work = [&](communicator& own) {
      std::vector<float> data(10);
      for (int round = 0; round < rounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        own.all_reduce(data);
        if (std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(95)) ++late;
      }
    };
    std::thread second([&] { work(*other); });
    work(members);
    second.join();
  });
  EXPECT_LT(late, 4 * rounds / 10);  // a busy machine may be late too, but not with most calls
}

TEST(progress_thread, is_one_per_process_and_only_where_it_is_needed) {
  const int before = test::thread_count();
  std::barrier everybody(3);
  for (const progress driven_by : {progress::thread, progress::caller}) {
    run_in_process(3, on("", driven_by), [&](communicator& members) {
      std::vector<float> data(100, 1);
      members.all_reduce(data);
      const rank next = (members.rank().value + 1) % 3, previous = (members.rank().value + 2) % 3;
      group around(members);
      around.send(std::span(data).first(50), next);
      around.receive(std::span(data).last(50), previous);
      around.wait();
      everybody.arrive_and_wait();
      EXPECT_EQ(test::thread_count(), before + 3) << "blocking calls need no thread";
      everybody.arrive_and_wait();
      pending sum = members.async().all_reduce(data, data);
      sum.wait();
      everybody.arrive_and_wait();
      EXPECT_EQ(test::thread_count(), before + 3 + (driven_by == progress::thread ? 1 : 0));
      everybody.arrive_and_wait();
    });
    EXPECT_TRUE(eventually([&] { return test::thread_count() == before; })) << "it goes with the last job";
  }
}

TEST(progress_thread, without_it_the_callers_drive) {
  run_in_process(4, on("", progress::caller), [](communicator& members) {
    std::vector<double> data(50'000, 1), more(10, 1);
    pending sum = members.async().all_reduce(data, data), other = members.async().all_reduce(more, more);
    while (!sum.test()) std::this_thread::yield();
    other.wait();
    EXPECT_EQ(data[49'999], 4.0);
    EXPECT_EQ(more[0], 4.0);
  });
}

/// Rank 1 never joins the calls of the others, which have several under way.
template <class Event>
void expect_end(errc code, const std::string& text, Event&& happens) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    std::barrier started(3);
    test::run_threads_over(transport, 3, {}, [&](communicator& members) {
      std::vector<float> data(100'000, 1), more(data);
      if (members.rank() == rank(1)) {
        started.arrive_and_wait();
        happens(members);
        return;
      }
      pending sum = members.async().all_reduce(data, data), other = members.async().all_reduce(more, more);
      started.arrive_and_wait();
      for (pending* each : {&other, &sum}) try {
          each->wait();
          ADD_FAILURE() << "it has ended well";
        } catch (const error& raised) {
          EXPECT_EQ(to_string(raised.code()), to_string(code)) << raised.what();
          EXPECT_NE(std::string(raised.what()).find(text), std::string::npos) << raised.what();
        }
    });
  }
}

TEST(progress_thread, an_abort_ends_what_is_in_flight) {
  expect_end(errc::aborted, "enough of it", [](communicator& members) { members.abort("enough of it"); });
}

/// As a killed process: its endpoint is gone, and the failure detector names it.
TEST(progress_thread, a_death_ends_what_is_in_flight) {
  const auto job = bootstrap::in_process_job::create(3);
  const auto hub = std::make_shared<transport::in_process_hub>(3);
  std::barrier started(3);
  std::atomic<int> named{0};
  std::vector<std::thread> threads;
  for (int r = 0; r < 3; ++r)
    threads.emplace_back([&, r] {
      communicator_options options;
      options.transports = {transport::in_process_factory(hub)};
      options.abort_timeout = milliseconds(100);
      communicator members(job->join(r), options);
      std::vector<float> data(100'000, 1);
      if (r == 1) {
        started.arrive_and_wait();
        job->declare_dead(1, "killed");
        EXPECT_TRUE(eventually([&] { return named == 2; }));
        return;
      }
      pending sum = members.async().all_reduce(data, data);
      started.arrive_and_wait();
      try {
        sum.wait();
      } catch (const error& raised) {
        if (raised.code() == errc::peer_failed && raised.peer() == rank(1)) ++named;
      }
    });
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(named, 2);
}

/// The buffer is freed right after the handle: no transport may touch it any more, and everybody learns of the failure.
template <class Start>
void expect_given_up(progress driven_by, Start&& start) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    communicator_options options = on("", driven_by);
    options.abort_timeout = milliseconds(100);
    std::atomic<bool> is_dropped{false};
    test::run_threads_over(transport, 2, options, [&](communicator& members) {
      if (members.rank() == rank(1)) {
        EXPECT_TRUE(eventually([&] { return is_dropped.load(); }));
        EXPECT_THROW(members.barrier(), error);
        return;
      }
      const auto begin = std::chrono::steady_clock::now();
      {
        std::vector<float> data(1'000'000, 1);
        pending dropped = start(members, data);
      }
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
      EXPECT_THROW(members.barrier(), error);
      is_dropped = true;
    });
  }
}

TEST(destruction, of_a_collective_that_nobody_joins_is_bounded) {
  for (const progress driven_by : {progress::thread, progress::caller})
    expect_given_up(driven_by, [](communicator& members, std::vector<float>& data) {
      return members.async().all_reduce(data, data);
    });
}

TEST(destruction, of_a_message_that_nobody_takes_is_bounded) {
  expect_given_up(progress::thread,
                  [](communicator& members, std::vector<float>& data) { return members.receive_async(data, 1); });
  expect_given_up(progress::caller,
                  [](communicator& members, std::vector<float>& data) { return members.send_async(data, 1); });
}

TEST(destruction, of_a_handle_in_flight_lets_the_call_complete) {
  for (const std::string& transport : test::thread_transports())
    test::run_threads_over(transport, 4, {}, [](communicator& members) {
      std::vector<std::int32_t> data(200'000, 1);
      { pending dropped = members.async().all_reduce(data, data); }
      ASSERT_EQ(data, std::vector<std::int32_t>(data.size(), 4));
    });
}

/// More calls than order numbers that a transport tells apart, none waited for before all are started.
TEST(order_numbers, more_calls_than_a_tag_tells_apart) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::vector<std::int32_t>> data;
    std::vector<pending> started;
    for (int i = 0; i < 1000; ++i) data.emplace_back(3, i);
    for (auto& each : data) started.push_back(members.async().all_reduce(each, each));
    for (pending& each : started) each.wait();
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(data[static_cast<std::size_t>(i)][2], 2 * i);
  });
}

TEST(order_numbers, a_call_that_would_be_mistaken_for_another_waits_for_that_one) {
  communicator_options options;
  options.operation_timeout = milliseconds(200);
  options.abort_timeout = milliseconds(100);
  std::atomic<bool> is_over{false};
  run_in_process(2, options, [&](communicator& members) {
    if (members.rank() == rank(1)) {
      EXPECT_TRUE(eventually([&] { return is_over.load(); }));
      EXPECT_THROW(members.barrier(), error);
      return;
    }
    std::vector<pending> started;
    for (int i = 0; i < 256; ++i) started.push_back(members.async().barrier());
    try {
      members.async().barrier();
      ADD_FAILURE() << "started";
    } catch (const error& raised) {
      EXPECT_EQ(to_string(raised.code()), to_string(errc::timeout));
      EXPECT_NE(std::string(raised.what()).find("256 collectives are under way"), std::string::npos) << raised.what();
    }
    started.clear();
    is_over = true;
  });
}

}  // namespace
}  // namespace hawser
