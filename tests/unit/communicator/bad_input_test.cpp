// Wrong calls become typed errors that say problem, reason and suggestion, on the rank that made them, before any
// message is sent; and a rank that fails ends the others.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include <hawser/communicator/in_process.hpp>

namespace hawser {
namespace {

/// Expects an error of a code whose message holds a text.
template <class Body>
void expect_error(errc code, const std::string& text, Body&& body) {
  try {
    body();
    ADD_FAILURE() << "accepted; expected: " << text;
  } catch (const error& raised) {
    EXPECT_EQ(to_string(raised.code()), to_string(code)) << raised.what();
    EXPECT_NE(std::string(raised.what()).find(text), std::string::npos) << raised.what();
  }
}

TEST(bad_calls, are_refused_with_reasons) {
  run_in_process(3, [](communicator& members) {
    std::vector<float> three(3), four(4), six(6);
    std::vector<std::int64_t> counts{1, 1, 1}, two{1, 1}, negative{1, -1, 3}, large{4, 4, 4};
    const auto bad = errc::invalid_argument;
    expect_error(bad, "sizes of input and output do not fit", [&] { members.all_reduce(three, four); });
    expect_error(bad, "one output per rank", [&] { members.reduce_scatter(four, three); });
    expect_error(bad, "one input per rank", [&] { members.all_gather(three, four); });
    expect_error(bad, "multiple of the number of ranks", [&] {
      std::vector<float> other(4);
      members.all_to_all(four, other);
    });
    expect_error(bad, "root is out of range", [&] { members.broadcast(three, 3); });
    expect_error(bad, "root is out of range", [&] { members.reduce(three, three, -1); });
    expect_error(bad, "overlap", [&] { members.all_reduce(std::span(six).first(4), std::span(six).last(4)); });
    expect_error(bad, "null pointer",
                 [&] { members.all_reduce(std::span<float>(static_cast<float*>(nullptr), 3), three); });
    expect_error(bad, "one count per rank", [&] { members.all_gather_v(std::span(three).first(1), six, two); });
    expect_error(bad, "out of range", [&] { members.all_to_all_v(six, negative, three, counts); });
    expect_error(bad, "too small", [&] { members.all_to_all_v(six, large, three, counts); });
    expect_error(bad, "this rank's count", [&] { members.all_gather_v(three, six, counts); });
    expect_error(errc::unsupported, "bitwise", [&] { members.all_reduce(three, op::bit_and); });
    call_options unknown;
    unknown.algorithm = "quantum";
    expect_error(errc::not_found, "unknown all_reduce algorithm \"quantum\"",
                 [&] { members.all_reduce(three, op::sum, unknown); });
    call_options deep;
    deep.algorithm = "hierarchical(direct,ring,ring)";
    expect_error(errc::unsupported, "levels", [&] { members.all_reduce(three, op::sum, deep); });
    call_options narrow;
    narrow.accumulation = data_type::int8;
    expect_error(errc::unsupported, "cannot be accumulated", [&] { members.all_reduce(three, op::sum, narrow); });
    // None of it has harmed the communicator.
    std::fill(three.begin(), three.end(), 1.0F);
    members.all_reduce(three);
    EXPECT_EQ(three[0], 3.0F);
  });
}

double add(const double& x, const double& y) {
  return x + y;
}

TEST(bad_calls, user_operators_are_for_their_own_type) {
  run_in_process(2, [](communicator& members) {
    std::vector<float> floats(4, 1.0F);
    const reduce_op on_doubles = user_op<double>(&add, commutativity::commutative, "my_sum");
    const auto unsupported = errc::unsupported;
    expect_error(unsupported, "my_sum is not defined on float32", [&] { members.all_reduce(floats, on_doubles); });
    expect_error(unsupported, "has no function", [&] { members.all_reduce(floats, make_op(reduce_kind::user)); });
    expect_error(unsupported, "another type", [&] { members.async().all_reduce(floats, floats, on_doubles); });
    expect_error(unsupported, "another type", [&] { members.persistent().all_reduce(floats, floats, on_doubles); });
    std::vector<double> doubles(4, 1.0);
    call_options narrow;
    narrow.accumulation = data_type::float32;
    expect_error(unsupported, "cannot be kept in float32", [&] { members.all_reduce(doubles, on_doubles, narrow); });
    members.broadcast(doubles, 0, narrow);  // no partial sums: nothing to keep in another type
    members.all_reduce(doubles, on_doubles);
    EXPECT_EQ(doubles[3], 2.0);
  });
}

TEST(bad_calls, an_exchange_in_place_replaces_blocks_of_equal_size) {
  for (const char* algorithm : {"pairwise", "bruck"})
    run_in_process(3, [&](communicator& members) {
      const int me = members.rank().value;
      const std::vector<std::int64_t> narrow{1, 2, 3}, wide{3, 2, 1};
      std::vector<std::int32_t> data(6, -1);
      call_options forced;
      forced.algorithm = algorithm;
      expect_error(errc::invalid_argument, "one of its own size",
                   [&] { members.all_to_all_v(data, narrow, data, wide, forced); });
      // Symmetric counts: what goes to a rank is as long as what comes from it.
      std::vector<std::int64_t> counts;
      for (int r = 0; r < 3; ++r) counts.push_back(me + r);
      data.clear();
      for (int r = 0; r < 3; ++r) data.insert(data.end(), static_cast<std::size_t>(me + r), 10 * me + r);
      members.all_to_all_v(data, counts, data, counts, forced);
      std::size_t at = 0;
      for (int r = 0; r < 3; ++r)
        for (int i = 0; i < me + r; ++i) ASSERT_EQ(data[at++], 10 * r + me) << algorithm;
    });
}

TEST(bad_calls, messages_from_nowhere) {
  run_in_process(2, [](communicator& members) {
    const rank other = 1 - members.rank().value;
    const std::span<float> nowhere(static_cast<float*>(nullptr), 3);
    expect_error(errc::invalid_argument, "null pointer", [&] { members.send(nowhere, other); });
    expect_error(errc::invalid_argument, "null pointer", [&] { members.receive_async(nowhere, other); });
    const std::span<float> nothing(static_cast<float*>(nullptr), 0);
    if (members.rank() == rank(0))
      members.send(nothing, other);
    else
      members.receive(nothing, other);
  });
}

TEST(bad_calls, a_plan_that_was_not_started_cannot_be_tested) {
  run_in_process(2, [](communicator& members) {
    persistent never = members.persistent().barrier();
    expect_error(errc::invalid_argument, "before it was started", [&] { never.test(); });
    expect_error(errc::invalid_argument, "before it was started", [&] { never.wait(); });
  });
}

TEST(bad_topologies, are_refused_at_creation) {
  const auto create = [](int size, const std::string& topology) {
    communicator_options options;
    options.topology = topology;
    run_in_process(size, options, [](communicator&) {});
  };
  expect_error(errc::invalid_argument, "does not fit the job", [&] { create(3, "rack:2 gpu:2"); });
  EXPECT_THROW(create(2, "rack:2 gpu"), error);
  EXPECT_THROW(create(2, "no-such-file.json"), error);
}

TEST(mismatches, ranks_with_different_hierarchies_are_named) {
  const auto job = bootstrap::in_process_job::create(4);
  const auto hub = std::make_shared<transport::in_process_hub>(4);
  std::vector<std::thread> threads;
  std::atomic<int> named{0};
  for (int r = 0; r < 4; ++r)
    threads.emplace_back([&, r] {
      communicator_options options;
      options.transports = {transport::in_process_factory(hub)};
      options.topology = r == 2 ? "rack:4 gpu:1" : "rack:2 gpu:2";
      try {
        communicator members(job->join(r), options);
      } catch (const error& raised) {
        if (raised.code() == errc::mismatch && std::string(raised.what()).find("ranks 2 differ") != std::string::npos)
          ++named;
      }
    });
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(named, 4);
}

TEST(mismatches, a_missing_rank_is_named) {
  const auto job = bootstrap::in_process_job::create(2);
  communicator_options options;
  options.rendezvous_timeout = milliseconds(200);
  options.transports = {transport::in_process_factory(std::make_shared<transport::in_process_hub>(2))};
  expect_error(errc::timeout, "host/1", [&] { communicator alone(job->join(0), options); });
}

TEST(mismatches, all_to_all_v_counts_that_differ_are_told_apart) {
  for (const char* algorithm : {"pairwise", "bruck"}) {
    std::atomic<int> errors{0};
    run_in_process(3, [&](communicator& members) {
      const std::vector<std::int64_t> sent{1, 1, 1};
      const std::vector<std::int64_t> received{members.rank() == rank(1) ? 2 : 1, 1, 1};
      std::vector<float> input(3), output(4);
      call_options forced;
      forced.algorithm = algorithm;
      try {
        members.all_to_all_v(input, sent, output, received, forced);
        members.barrier();
      } catch (const error& raised) {
        if (raised.code() == errc::mismatch || raised.code() == errc::aborted || raised.code() == errc::peer_failed)
          ++errors;
      }
    });
    EXPECT_EQ(errors, 3) << algorithm;
  }
}

TEST(failures, a_call_that_nobody_joins_times_out_and_says_what_it_waits_for) {
  communicator_options options;
  options.operation_timeout = milliseconds(100);
  std::atomic<bool> is_over{false};
  run_in_process(2, options, [&](communicator& members) {
    std::vector<float> data(1000);
    if (members.rank() == rank(1)) {
      while (!is_over) std::this_thread::yield();
      EXPECT_THROW(members.barrier(), error);  // the other rank has given the job up
      return;
    }
    expect_error(errc::timeout, "receive from rank 1", [&] { members.all_reduce(data); });
    is_over = true;
    EXPECT_THROW(members.all_reduce(data), error);
  });
}

TEST(failures, a_rank_that_throws_ends_the_others) {
  std::atomic<int> named{0};
  EXPECT_THROW(run_in_process(4,
                              [&](communicator& members) {
                                std::vector<double> data(100'000);
                                for (int round = 0;; ++round) {
                                  if (round == 3 && members.rank() == rank(2)) throw std::runtime_error("out of data");
                                  try {
                                    members.all_reduce(data);
                                  } catch (const error& raised) {
                                    if (raised.peer() == rank(2)) ++named;
                                    throw;
                                  }
                                }
                              }),
               std::exception);
  EXPECT_EQ(named, 3);
}

TEST(failures, an_abort_ends_pending_calls_on_every_rank) {
  std::atomic<int> ended{0};
  run_in_process(3, [&](communicator& members) {
    try {
      if (members.rank() == rank(0)) members.abort("the operator said so");
      for (;;) members.barrier();
    } catch (const error& raised) {
      if (std::string(raised.what()).find("the operator said so") != std::string::npos) ++ended;
    }
  });
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace hawser
