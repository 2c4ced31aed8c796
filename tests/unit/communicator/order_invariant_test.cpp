// Mode order_invariant: the bits of a sum depend on the contributions alone, not on who makes them, among how many
// ranks, by which plan, or in which calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <hawser/core/integer_sum.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

using schedule::mode;

constexpr std::size_t count = 300;
constexpr float infinity = std::numeric_limits<float>::infinity();

const call_options invariant = [] {
  call_options wishes;
  wishes.reproducibility = mode::order_invariant;
  return wishes;
}();

/// Contribution `number`; far apart in magnitude, cancelling, and special at the end of the vector.
template <class T>
std::vector<T> contribution(std::uint64_t seed, int number) {
  std::mt19937_64 random(seed * 1000 + static_cast<std::uint64_t>(number));
  std::vector<T> values(count);
  for (T& each : values)
    each = static_cast<T>(std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random), random() % 14));
  values[count - 1] = static_cast<T>(number == 3 ? std::nanf("") : 1.0F);
  values[count - 2] = static_cast<T>(number == 0 ? infinity : -1.0F);
  values[count - 3] = static_cast<T>(-0.0F);
  return values;
}

template <class T>
std::string bits_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// What the definition gives (core/integer_sum.hpp), element by element.
template <class T>
std::vector<T> expected_sum(std::uint64_t seed, int contributions, int digits) {
  std::vector<T> sums(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t scale = 0;
    std::int64_t sum = 0;
    for (int c = 0; c < contributions; ++c)
      scale = std::max(scale, integer_scale_of(static_cast<float>(contribution<T>(seed, c)[i])));
    for (int c = 0; c < contributions; ++c) sum += to_integer(static_cast<float>(contribution<T>(seed, c)[i]), scale);
    sums[i] = static_cast<T>(from_integer(sum, scale, digits));
  }
  return sums;
}

template <class T>
struct digits_of;
template <>
struct digits_of<float> : std::integral_constant<int, 24> {};
template <>
struct digits_of<float16> : std::integral_constant<int, 11> {};
template <>
struct digits_of<bfloat16> : std::integral_constant<int, 8> {};

template <class T>
class order_invariant : public testing::Test {};
using float_types = testing::Types<float, float16, bfloat16>;
TYPED_TEST_SUITE(order_invariant, float_types);

/// All three reductions of the first `contributions`, each held by the rank that `holder` says, the others holding
/// zeros.
template <class T>
void check_split(const std::string& transport, std::uint64_t seed, int ranks, const std::vector<int>& holder,
                 const std::string& topology, const std::vector<T>& expected) {
  communicator_options options;
  options.topology = topology;
  test::run_threads_over(transport, ranks, options, [&](communicator& members) {
    const int self = members.rank().value;
    std::vector<T> input(count, static_cast<T>(0.0F)), output(count);
    for (std::size_t c = 0; c < holder.size(); ++c)
      if (holder[c] == self) input = contribution<T>(seed, static_cast<int>(c));
    members.all_reduce(input, output, op::sum, invariant);
    EXPECT_EQ(bits_of(output) == bits_of(expected), true) << "all_reduce, " << ranks << " ranks, " << topology;
    const int root = ranks - 1;
    members.reduce(input, output, root, op::sum, invariant);
    if (self == root) {
      EXPECT_EQ(bits_of(output) == bits_of(expected), true) << "reduce, " << ranks << " ranks";
    }
    // In blocks of different sizes, the last one empty where there are several.
    std::vector<std::int64_t> blocks(static_cast<std::size_t>(ranks), 0);
    for (std::size_t i = 0; i < count; ++i) ++blocks[i % 3 == 0 ? 0 : i % std::max<std::size_t>(1, blocks.size() - 1)];
    const auto mine = static_cast<std::size_t>(blocks[static_cast<std::size_t>(self)]);
    const auto first =
        static_cast<std::size_t>(std::accumulate(blocks.begin(), blocks.begin() + self, std::int64_t{0}));
    std::vector<T> part(mine);
    members.reduce_scatter_v(input, part, blocks, op::sum, invariant);
    EXPECT_EQ(bits_of(part) == bits_of(std::vector<T>(expected.begin() + static_cast<std::ptrdiff_t>(first),
                                                      expected.begin() + static_cast<std::ptrdiff_t>(first + mine))),
              true)
        << "reduce_scatter_v, " << ranks << " ranks, rank " << self;
  });
}

TYPED_TEST(order_invariant, any_ranks_of_any_number_may_hold_the_contributions) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const int contributions : {1, 2, 5, 16}) {
    const auto expected = expected_sum<TypeParam>(seed, contributions, digits_of<TypeParam>::value);
    for (const int ranks : {1, 2, 3, 4, 6, 9, 13, 16}) {
      if (ranks < contributions) continue;
      std::vector<int> holder(static_cast<std::size_t>(ranks));
      std::iota(holder.begin(), holder.end(), 0);
      std::shuffle(holder.begin(), holder.end(), random);
      holder.resize(static_cast<std::size_t>(contributions));
      const std::string topology = ranks % 3 == 0 ? "rack:3 gpu:" + std::to_string(ranks / 3) : "";
      const std::string& transport = test::thread_transports()[random() % 2];
      check_split<TypeParam>(transport, seed, ranks, holder, topology, expected);
    }
  }
}

TYPED_TEST(order_invariant, every_algorithm_segment_and_cut_of_the_vector_gives_the_same_bits) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto expected = expected_sum<TypeParam>(seed, 6, digits_of<TypeParam>::value);
  for (const std::string& transport : test::thread_transports()) {
    communicator_options options;
    options.topology = "rack:2 gpu:3";
    test::run_threads_over(transport, 6, options, [&](communicator& members) {
      const auto input = contribution<TypeParam>(seed, members.rank().value);
      for (const char* name : {"ring", "two_shot", "double_binary_tree", "hierarchical(ring,circulant)"})
        for (const std::int64_t segments : {1, 4}) {
          call_options wishes = invariant;
          wishes.algorithm = name;
          wishes.segments = segments;
          auto output = input;
          members.all_reduce(output, op::sum, wishes);  // in place
          EXPECT_EQ(bits_of(output) == bits_of(expected), true) << name << ", " << segments << " segments";
        }
      std::vector<TypeParam> output(count);
      for (std::size_t at = 0; at < count; at += 77) {
        const std::size_t size = std::min<std::size_t>(77, count - at);
        members.all_reduce(std::span(input).subspan(at, size), std::span(output).subspan(at, size), op::sum, invariant);
      }
      EXPECT_EQ(bits_of(output) == bits_of(expected), true) << "in pieces";
    });
  }
}

TEST(order_invariant_calls, reduce_scatter_asynchronous_persistent_and_empty) {
  run_in_process(4, {}, [](communicator& members) {
    const std::uint64_t seed = 5;
    const auto expected = expected_sum<float>(seed, 4, 24);
    const auto input = contribution<float>(seed, members.rank().value);
    const std::size_t block = count / 4;
    std::vector<float> part(block);
    members.reduce_scatter(input, part, op::sum, invariant);
    EXPECT_EQ(0, std::memcmp(part.data(), &expected[block * static_cast<std::size_t>(members.rank().value)],
                             block * sizeof(float)));
    std::vector<float> output(count), again(count);
    pending first = members.async().all_reduce(input, output, op::sum, invariant);
    persistent second = members.persistent().all_reduce(input, again, op::sum, invariant);
    for (int run = 0; run < 3; ++run) {
      std::fill(again.begin(), again.end(), 7.0F);
      second.start();
      second.wait();
      EXPECT_EQ(bits_of(again), bits_of(expected)) << "run " << run;
    }
    first.wait();
    EXPECT_EQ(bits_of(output), bits_of(expected));
    EXPECT_GT(second.plan().scales.count(), 0) << "agreeing on scales costs something";
    std::vector<float> nothing;
    members.all_reduce(nothing, op::sum, invariant);
  });
}

TEST(order_invariant_calls, averages_and_premultiplied_sums) {
  run_in_process(3, {}, [](communicator& members) {
    const float mine[] = {0x1p40F, 1.0F, -0x1p40F};
    std::vector<float> data{mine[members.rank().value]};
    members.all_reduce(data, op::avg, invariant);
    EXPECT_EQ(data[0], 1.0F / 3);
    data = {mine[members.rank().value]};
    members.all_reduce(data, premultiplied_sum(0.5), invariant);
    EXPECT_EQ(data[0], 0.5F);
  });
}

template <class Call>
void expect_unsupported(const char* reason, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "was served; expected: " << reason;
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::unsupported) << refused.what();
    EXPECT_NE(std::string(refused.what()).find(reason), std::string::npos) << refused.what();
  }
}

TEST(order_invariant_calls, refuse_what_rounds_otherwise_and_serve_what_does_not_round) {
  run_in_process(2, {}, [](communicator& members) {
    std::vector<double> doubles(4, 1);
    expect_unsupported("sum of float64", [&] { members.all_reduce(doubles, op::sum, invariant); });
    std::vector<float> floats(4, 1);
    expect_unsupported("prod of float32", [&] { members.all_reduce(floats, op::prod, invariant); });
    std::vector<float8_e4m3> tiny(4, float8_e4m3(1.0F));
    expect_unsupported("order_invariant", [&] { members.all_reduce(tiny, op::sum, invariant); });
    call_options wishes = invariant;
    wishes.accumulation = data_type::float64;
    expect_unsupported("keeps no partial sums", [&] { members.all_reduce(floats, op::sum, wishes); });
    const auto plus = user_op<float>([](float a, float b) { return a + b; }, commutativity::commutative, "plus");
    expect_unsupported("order_invariant", [&] { members.all_reduce(floats, plus, invariant); });

    members.all_reduce(doubles, op::max, invariant);
    std::vector<int> integers(4, 3);
    members.all_reduce(integers, op::sum, invariant);
    EXPECT_EQ(integers, std::vector<int>(4, 6));
    members.all_reduce(floats, op::sum, invariant);
    EXPECT_EQ(floats, std::vector<float>(4, 2)) << "the communicator is none the worse";
  });
}

}  // namespace
}  // namespace hawser
