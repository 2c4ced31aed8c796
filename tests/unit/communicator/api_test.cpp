// The forms of a call (asynchronous, persistent, grouped, point to point), split, user types and operators.
#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include <hawser/communicator/in_process.hpp>

/// A user's element: a 2x2 matrix, whose product does not commute.
struct matrix {
  std::int64_t a = 1, b = 0, c = 0, d = 1;
  friend bool operator==(const matrix&, const matrix&) = default;
};

template <>
struct hawser::data_type_of<matrix> : hawser::user_element {};

namespace hawser {
namespace {

matrix multiply(const matrix& x, const matrix& y) {
  return {x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c, x.c * y.b + x.d * y.d};
}

/// A matrix of each rank that does not commute with the others'.
matrix matrix_of(int rank) {
  return {1, rank % 3, rank % 2, 1 + rank % 3 * (rank % 2)};
}

matrix product_of(int ranks) {
  matrix product;
  for (int r = 0; r < ranks; ++r) product = multiply(product, matrix_of(r));
  return product;
}

communicator_options on(const std::string& topology) {
  communicator_options options;
  options.topology = topology;
  return options;
}

TEST(asynchronous, many_at_once_complete_in_any_order_of_waiting) {
  run_in_process(4, [](communicator& members) {
    std::vector<std::vector<std::int32_t>> data;
    std::vector<pending> started;
    for (int i = 0; i < 20; ++i) data.emplace_back(static_cast<std::size_t>(100 * i), members.rank().value + i);
    for (auto& each : data) started.push_back(members.async().all_reduce(each, each));
    for (std::size_t i = started.size(); i-- > 0;) started[i].wait();
    for (std::size_t i = 0; i < data.size(); ++i)
      for (std::int32_t value : data[i]) ASSERT_EQ(value, 6 + 4 * static_cast<int>(i));
  });
}

/// A rank alone has no steps to run, in however many segments.
TEST(segments, more_than_the_window_of_a_program_without_steps) {
  run_in_process(1, {}, [](communicator& members) {
    call_options cut;
    cut.segments = 32;
    std::vector<std::int32_t> data(100'000, 7);
    members.all_reduce(data, op::sum, cut);
    members.broadcast(data, rank(0), cut);
    members.async().all_reduce(data, op::sum, cut).wait();
    EXPECT_EQ(data, std::vector(data.size(), 7));
  });
}

TEST(asynchronous, test_completes_without_waiting) {
  run_in_process(3, [](communicator& members) {
    std::vector<double> data(5'000, 1.5);
    pending sum = members.async().all_reduce(data, data);
    while (!sum.test()) std::this_thread::yield();
    sum.wait();
    for (double value : data) ASSERT_EQ(value, 4.5);
  });
}

TEST(asynchronous, a_handle_that_is_dropped_waits) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::int32_t> data(100'000, 1);
    { pending dropped = members.async().all_reduce(data, data); }
    for (std::int32_t value : data) ASSERT_EQ(value, 2);
  });
}

TEST(persistent, runs_many_times_on_what_the_buffers_hold_then) {
  run_in_process(3, [](communicator& members) {
    std::vector<std::int64_t> input(777), output(777);
    persistent sum = members.persistent().all_reduce(input, output);
    EXPECT_FALSE(sum.plan().algorithm.empty());
    for (int round = 0; round < 50; ++round) {
      std::fill(input.begin(), input.end(), round + members.rank().value);
      sum.start();
      sum.wait();
      for (std::int64_t value : output) ASSERT_EQ(value, 3 * round + 3);
    }
  });
}

TEST(persistent, all_to_all_v_and_conversions_run_again_too) {
  run_in_process(2, [](communicator& members) {
    const int me = members.rank().value;
    const std::vector<std::int64_t> sent{1 + me, 3}, received{me == 0 ? 1 : 3, me == 0 ? 2 : 3};
    std::vector<float> input(8), output(8);
    call_options bruck;
    bruck.algorithm = "bruck";
    persistent exchange = members.persistent().all_to_all_v(input, sent, output, received, bruck);
    std::vector<bfloat16> small(9), total(9);
    call_options wide;
    wide.accumulation = data_type::float32;
    persistent sum = members.persistent().all_reduce(small, total, op::sum, wide);
    for (int round = 1; round < 4; ++round) {
      std::fill(input.begin(), input.end(), static_cast<float>(10 * round + me));
      std::fill(small.begin(), small.end(), static_cast<bfloat16>(static_cast<float>(round)));
      exchange.start();
      sum.start();
      exchange.wait();
      sum.wait();
      ASSERT_EQ(output[0], static_cast<float>(10 * round));
      ASSERT_EQ(output[static_cast<std::size_t>(received[0])], static_cast<float>(10 * round + 1));
      ASSERT_EQ(static_cast<float>(total[8]), static_cast<float>(2 * round));
    }
  });
}

TEST(persistent, starting_a_run_that_is_not_complete_is_an_error) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::int32_t> data(10);
    persistent sum = members.persistent().all_reduce(data, data);
    sum.start();
    if (!sum.test()) {
      EXPECT_THROW(sum.start(), error);
    }
    sum.wait();
    persistent never = members.persistent().barrier();
    EXPECT_THROW(never.wait(), error);
  });
}

TEST(grouped, sends_and_receives_in_any_order_do_not_deadlock) {
  run_in_process(4, [](communicator& members) {
    const int n = members.size(), me = members.rank().value;
    std::vector<std::vector<std::int32_t>> in(static_cast<std::size_t>(n)), out(static_cast<std::size_t>(n));
    std::vector<float> sum(1000, 1);
    group all(members);
    for (int r = 0; r < n; ++r) {
      if (r == me) continue;
      out[static_cast<std::size_t>(r)].assign(20'000, 100 * me + r);
      in[static_cast<std::size_t>(r)].assign(20'000, -1);
      all.send(out[static_cast<std::size_t>(r)], r);
    }
    all.all_reduce(sum);
    for (int r = 0; r < n; ++r)
      if (r != me) all.receive(in[static_cast<std::size_t>(r)], r);
    all.wait();
    for (int r = 0; r < n; ++r)
      for (std::int32_t value : in[static_cast<std::size_t>(r)]) ASSERT_EQ(value, 100 * r + me);
    ASSERT_EQ(sum[999], 4.0F);
  });
}

TEST(point_to_point, labels_tell_messages_apart) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::int32_t> one{1}, two{2};
    if (members.rank() == rank(0)) {
      pending first = members.send_async(one, 1, 7), second = members.send_async(two, 1, 300);
      first.wait();
      second.wait();
    } else {
      std::vector<std::int32_t> got(1);
      members.receive(got, 0, 300);
      EXPECT_EQ(got, two);
      members.receive(got, 0, 7);
      EXPECT_EQ(got, one);
    }
  });
}

TEST(point_to_point, a_bad_peer_is_an_error) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::int32_t> data{1};
    EXPECT_THROW(members.send(data, 2), error);
    EXPECT_THROW(members.send(data, -1), error);
    EXPECT_THROW(members.send(data, members.rank()), error);
  });
}

TEST(split, colors_and_keys_as_in_mpi) {
  run_in_process(7, on("rack:[3,4]"), [](communicator& members) {
    const int me = members.rank().value;
    auto part = members.split(me % 2, -me);
    ASSERT_TRUE(part);
    EXPECT_EQ(part->size(), me % 2 == 0 ? 4 : 3);
    EXPECT_EQ(part->rank().value, (6 - me) / 2);  // ordered by falling rank
    std::vector<std::int64_t> ranks(static_cast<std::size_t>(part->size()));
    part->all_gather(std::vector<std::int64_t>{me}, ranks);
    for (std::size_t r = 0; r + 1 < ranks.size(); ++r) EXPECT_EQ(ranks[r] - ranks[r + 1], 2);
    EXPECT_EQ(part->hierarchy().size(), part->size());
    std::vector<float> data(1000, 1);
    part->all_reduce(data);
    EXPECT_EQ(data[0], static_cast<float>(part->size()));
    members.barrier();
  });
}

TEST(split, no_color_and_many_generations) {
  run_in_process(3, [](communicator& members) {
    auto none = members.split(members.rank() == rank(1) ? -1 : 0, 0);
    EXPECT_EQ(none == nullptr, members.rank() == rank(1));
    for (int generation = 0; generation < 300; ++generation) {  // numbers of communicators are used again
      auto copy = members.split(0, members.rank().value);
      std::vector<std::int32_t> data{1};
      copy->all_reduce(data);
      ASSERT_EQ(data[0], 3);
    }
  });
}

TEST(split, parts_of_parts_at_the_same_time) {
  run_in_process(8, on("rack:2 gpu:4"), [](communicator& members) {
    auto half = members.split(members.rank().value / 4, 0);
    auto quarter = half->split(half->rank().value / 2, 0);
    std::vector<std::int32_t> a{1}, b{1}, c{1};
    pending whole = members.async().all_reduce(a, a), halves = half->async().all_reduce(b, b),
            quarters = quarter->async().all_reduce(c, c);
    quarters.wait();
    whole.wait();
    halves.wait();
    EXPECT_EQ(a[0] * 100 + b[0] * 10 + c[0], 842);
  });
}

/// Each thread splits a communicator of its own; were two parts given one number, their messages would be mixed up.
TEST(split, from_several_threads_at_a_time) {
  run_in_process(4, [](communicator& members) {
    auto first = members.split(0, 0), second = members.split(0, 0), third = members.split(0, 0);
    const auto work = [](communicator& own, int seed) {
      for (int round = 0; round < 25; ++round) {
        auto part = own.split(own.rank().value % 2, 0), copy = part->split(0, 0);
        for (int i = 0; i < 5; ++i) {
          std::vector<std::int32_t> a{seed + i}, b{seed - i};
          pending one = part->async().all_reduce(a, a);
          copy->all_reduce(b);
          one.wait();
          ASSERT_EQ(a[0], 2 * (seed + i));
          ASSERT_EQ(b[0], 2 * (seed - i));
        }
      }
    };
    std::thread one([&] { work(*first, 1'000); }), other([&] { work(*second, 1'000'000); });
    work(*third, 0);
    one.join();
    other.join();
    members.barrier();
  });
}

TEST(split, more_communicators_than_numbers_is_an_error_on_all_ranks) {
  run_in_process(2, [](communicator& members) {
    std::vector<std::unique_ptr<communicator>> alive;
    for (int i = 0; i < 127; ++i) alive.push_back(members.split(0, 0));
    try {
      members.split(0, 0);
      ADD_FAILURE() << "made";
    } catch (const error& raised) {
      EXPECT_EQ(to_string(raised.code()), to_string(errc::resource)) << raised.what();
    }
    alive.pop_back();
    EXPECT_TRUE(members.split(0, 0));
  });
}

TEST(user_types, an_ordered_operator_meets_its_operands_in_rank_order) {
  for (const auto& [size, topology] :
       {std::pair{5, ""}, std::pair{5, "rack:[2,3]"}, std::pair{8, "pod:2 rack:2 gpu:2"}})
    run_in_process(size, on(topology), [n = size](communicator& members) {
      const reduce_op product = user_op<matrix>(&multiply, commutativity::ordered, "matrix product");
      for (int count : {1, 5, 300}) {
        std::vector<matrix> data(static_cast<std::size_t>(count), matrix_of(members.rank().value));
        members.all_reduce(data, product);
        for (const matrix& each : data) ASSERT_EQ(each, product_of(n));
        std::vector<matrix> input(static_cast<std::size_t>(n), matrix_of(members.rank().value)), own(1), whole(1);
        members.reduce_scatter(input, own, product);
        ASSERT_EQ(own[0], product_of(n));
        for (int root = 0; root < n; ++root) {
          members.reduce(std::span(input).first(1), whole, root, product);
          if (members.rank() == rank(root)) {
            ASSERT_EQ(whole[0], product_of(n));
          }
        }
      }
    });
}

TEST(user_types, an_algorithm_that_loses_the_order_is_refused) {
  run_in_process(3, [](communicator& members) {
    std::vector<matrix> data(4);
    call_options ring;
    ring.algorithm = "ring";
    try {
      members.all_reduce(data, user_op<matrix>(&multiply, commutativity::ordered), ring);
      FAIL() << "accepted";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::unsupported);
      EXPECT_NE(std::string(refused.what()).find("order"), std::string::npos) << refused.what();
    }
  });
}

TEST(operators, premultiplied_sum_and_average) {
  run_in_process(4, [](communicator& members) {
    const int me = members.rank().value;
    std::vector<float> input(100, 2), output(100);
    members.all_reduce(input, output, premultiplied_sum(me + 1));
    EXPECT_EQ(output[99], 20.0F);
    EXPECT_EQ(input[0], 2.0F);  // out of place leaves the input
    std::vector<std::int32_t> whole(10, me);
    members.all_reduce(whole, op::avg);
    EXPECT_EQ(whole[0], 1);  // 6 / 4 truncates
    std::vector<std::uint8_t> bits(3, static_cast<std::uint8_t>(1 << me));
    members.all_reduce(bits, op::bit_or);
    EXPECT_EQ(bits[2], 15);
  });
}

TEST(accumulation, wide_sums_keep_what_narrow_ones_lose) {
  run_in_process(8, [](communicator& members) {
    // 256 + 7 times 1: bfloat16 has 8 bits, so that every 1 alone is lost against 256.
    std::vector<bfloat16> narrow(64, static_cast<bfloat16>(members.rank() == rank(0) ? 256.0F : 1.0F)), wide = narrow;
    call_options options;
    options.accumulation = data_type::float32;
    members.all_reduce(wide, op::sum, options);
    EXPECT_EQ(static_cast<float>(wide[0]), 264.0F);  // 263 rounds to 264
    std::vector<float8_e4m3> eighths(16, static_cast<float8_e4m3>(0.25F));
    members.all_reduce(eighths);
    EXPECT_EQ(static_cast<float>(eighths[15]), 2.0F);
  });
}

}  // namespace
}  // namespace hawser
