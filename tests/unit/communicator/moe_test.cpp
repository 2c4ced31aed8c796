// Mixture-of-experts dispatch and combine, threads as ranks, random routings: who receives what, how often tokens cross
// between racks, and the weighted sums against float64.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include <hawser/communicator/in_process.hpp>
#include <hawser/communicator/moe.hpp>

namespace hawser {
namespace {

/// All that every rank may know for checking: the tokens, experts and weights of all.
struct routing {
  moe_shape shape;
  std::vector<std::vector<double>> tokens;
  std::vector<std::vector<std::int32_t>> experts;
  std::vector<std::vector<float>> weights;
};

routing random_routing(int ranks, const moe_shape& shape, std::mt19937& random) {
  routing made{shape, {}, {}, {}};
  const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  const int experts = ranks * static_cast<int>(shape.experts_per_rank), hot = number(0, experts - 1);
  for (int r = 0; r < ranks; ++r) {
    const auto rows = static_cast<std::size_t>(number(0, 3) == 0 ? 0 : number(1, 30));
    auto& tokens = made.tokens.emplace_back(rows * static_cast<std::size_t>(shape.hidden));
    auto& chosen = made.experts.emplace_back(rows * static_cast<std::size_t>(shape.top_k));
    auto& weights = made.weights.emplace_back(chosen.size());
    // Numbers that every type holds exactly, far from its smallest.
    for (double& each : tokens) each = number(-128, 128) / 128.0;
    for (std::int32_t& each : chosen) each = number(0, 3) == 0 ? hot : number(-1, experts - 1);
    for (float& each : weights) each = static_cast<float>(number(-64, 64)) / 64;
  }
  return made;
}

/// What expert e makes of an element: another linear map for each.
double expert_of(std::int64_t e, double x) {
  return x * static_cast<double>(e % 5 + 1) / 4 - 0.5;
}

template <class T>
struct type_facts;
template <>
struct type_facts<double> {
  static constexpr double epsilon = 0x1p-52;
};
template <>
struct type_facts<float> {
  static constexpr double epsilon = 0x1p-23;
};
template <>
struct type_facts<bfloat16> {
  static constexpr double epsilon = 0x1p-7;
};
template <>
struct type_facts<float16> {
  static constexpr double epsilon = 0x1p-10;
};

template <class T>
T as(double value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else
    return static_cast<T>(static_cast<float>(value));
}
template <class T>
double number(T value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else
    return static_cast<double>(static_cast<float>(value));
}

template <class T>
void check_received(const moe_received<T>& got, const routing& all, rank self) {
  const std::int64_t per_rank = all.shape.experts_per_rank, k = all.shape.top_k;
  const auto hidden = static_cast<std::size_t>(all.shape.hidden);
  std::multiset<std::pair<int, std::int64_t>> wanted, rows;
  std::size_t assignments = 0;
  for (std::size_t source = 0; source < all.experts.size(); ++source)
    for (std::size_t i = 0; i < all.experts[source].size(); ++i) {
      const std::int32_t expert = all.experts[source][i];
      if (expert < 0 || expert / per_rank != self.value) continue;
      ++assignments;
      const std::pair row(static_cast<int>(source), static_cast<std::int64_t>(i) / k);
      if (wanted.count(row) == 0) wanted.insert(row);
    }
  for (std::size_t r = 0; r < got.sources.size(); ++r) rows.insert({got.sources[r].value, got.source_rows[r]});
  EXPECT_EQ(rows, wanted) << "rank " << self.value << " of a top " << k;
  EXPECT_EQ(got.assignments.size(), assignments);
  ASSERT_EQ(got.tokens.size(), got.sources.size() * hidden);
  for (std::size_t r = 0; r < got.sources.size(); ++r) {
    const auto& source = all.tokens[static_cast<std::size_t>(got.sources[r].value)];
    for (std::size_t i = 0; i < hidden; ++i)
      ASSERT_EQ(number(got.tokens[r * hidden + i]), source[static_cast<std::size_t>(got.source_rows[r]) * hidden + i]);
  }
}

template <class T>
void check_combined(const std::vector<T>& got, const routing& all, rank self) {
  const auto me = static_cast<std::size_t>(self.value), hidden = static_cast<std::size_t>(all.shape.hidden),
             k = static_cast<std::size_t>(all.shape.top_k);
  ASSERT_EQ(got.size(), all.tokens[me].size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    double wanted = 0, scale = 0;
    for (std::size_t j = i / hidden * k; j < (i / hidden + 1) * k; ++j)
      if (const std::int32_t expert = all.experts[me][j]; expert >= 0) {
        const double part =
            static_cast<double>(all.weights[me][j]) * number(as<T>(expert_of(expert, all.tokens[me][i])));
        wanted += part;
        scale += std::abs(part);
      }
    // At most k + 4 roundings to T or better: products, sums on three ranks, and twice on the way.
    ASSERT_NEAR(number(got[i]), wanted, scale * static_cast<double>(k + 4) * type_facts<T>::epsilon)
        << "rank " << me << ", element " << i << " of a top " << k;
  }
}

/// Tokens x foreign racks with any of their experts: the least that can cross.
std::int64_t crossings(const routing& all, const algorithm::moe_dispatch& routes, rank self) {
  const auto& experts = all.experts[static_cast<std::size_t>(self.value)];
  std::set<std::pair<std::size_t, std::int64_t>> racks;
  for (std::size_t i = 0; i < experts.size(); ++i)
    if (experts[i] >= 0) {
      const std::int64_t rack = routes.racks().rack_of(routes.owner_of(experts[i]));
      if (rack != routes.racks().rack_of(self)) racks.insert({i / static_cast<std::size_t>(all.shape.top_k), rack});
    }
  return static_cast<std::int64_t>(racks.size());
}

template <class T>
void run(communicator& members, const std::vector<routing>& cases) {
  const rank self = members.rank();
  moe_exchange<T> exchange(members, cases.front().shape);
  const algorithm::moe_dispatch routes(members.hierarchy(), cases.front().shape.experts_per_rank);
  for (const routing& all : cases) {
    const auto me = static_cast<std::size_t>(self.value), hidden = static_cast<std::size_t>(all.shape.hidden);
    std::vector<T> tokens;
    for (double each : all.tokens[me]) tokens.push_back(as<T>(each));
    const moe_received<T>& got = exchange.dispatch(tokens, all.experts[me], all.weights[me]);
    check_received(got, all, self);
    EXPECT_EQ(exchange.traffic().between_racks, crossings(all, routes, self));
    std::vector<T> outputs;
    for (const moe_assignment& each : got.assignments)
      for (std::size_t i = 0; i < hidden; ++i) {
        const T x = got.tokens[static_cast<std::size_t>(each.row) * hidden + i];
        outputs.push_back(as<T>(expert_of(self.value * all.shape.experts_per_rank + each.expert, number(x))));
      }
    check_combined(exchange.combine(outputs), all, self);
  }
}

const std::pair<int, const char*> machines[] = {
    {1, ""}, {4, "gpu:4"}, {4, "rack:2 gpu:2"}, {6, "rack:[1,2,3]"}, {8, "pod:2 rack:2 gpu:2"}};

TEST(moe, random_routings_arrive_and_sum_up) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& [ranks, topology] : machines)
    for (std::int64_t top_k = 1; top_k <= 8; ++top_k) {
      const moe_shape shape{.experts_per_rank = 1 + top_k % 3, .top_k = top_k, .hidden = 5 + 3 * (top_k % 2)};
      std::vector<routing> cases;
      for (int i = 0; i < 2; ++i) cases.push_back(random_routing(ranks, shape, random));
      communicator_options options;
      options.topology = topology;
      run_in_process(ranks, options, [&](communicator& members) {
        run<float>(members, cases);
        if (top_k % 4 == 0) run<double>(members, cases);
        if (top_k % 4 == 2) run<bfloat16>(members, cases);
        if (top_k % 4 == 3) run<float16>(members, cases);
      });
    }
}

/// All experts of a token in one other rack of 4: one copy crosses instead of four.
TEST(moe, a_token_crosses_once_for_all_experts_of_a_rack) {
  communicator_options options;
  options.topology = "rack:2 gpu:4";
  run_in_process(8, options, [](communicator& members) {
    const bool is_sender = members.rank() == rank(1);
    moe_exchange<float> exchange(members, {.experts_per_rank = 1, .top_k = 4, .hidden = 2});
    const std::vector<float> tokens(is_sender ? 20 : 0, 1.0F), weights(is_sender ? 40 : 0, 0.25F);
    std::vector<std::int32_t> experts;
    for (int i = 0; is_sender && i < 40; ++i) experts.push_back(4 + i % 4);
    const auto& got = exchange.dispatch(tokens, experts, weights);
    EXPECT_EQ(got.sources.size(), members.rank().value >= 4 ? 10U : 0U);
    EXPECT_EQ(exchange.traffic().between_racks, is_sender ? 10 : 0);
    EXPECT_EQ(exchange.traffic().inside, members.rank() == rank(5) ? 30 : 0);
    EXPECT_EQ(exchange.combine(got.tokens), tokens) << "four quarters";
  });
}

TEST(moe, runs_give_the_same_bits) {
  std::mt19937 random(1);
  const moe_shape shape{.experts_per_rank = 2, .top_k = 6, .hidden = 33};
  const routing all = random_routing(6, shape, random);
  communicator_options options;
  options.topology = "rack:[1,2,3]";
  run_in_process(6, options, [&](communicator& members) {
    moe_exchange<float> exchange(members, shape);
    const auto me = static_cast<std::size_t>(members.rank().value);
    const std::vector<float> tokens(all.tokens[me].begin(), all.tokens[me].end());
    std::vector<float> first;
    for (int i = 0; i < 5; ++i) {
      const auto& got = exchange.dispatch(tokens, all.experts[me], all.weights[me]);
      std::vector<float> outputs;
      for (const moe_assignment& each : got.assignments)
        outputs.insert(outputs.end(), got.tokens.begin() + each.row * 33, got.tokens.begin() + (each.row + 1) * 33);
      const std::vector<float> sums = exchange.combine(outputs);
      if (i == 0) first = sums;
      EXPECT_EQ(sums, first);
    }
  });
}

template <class F>
errc refusal(F&& f) {
  try {
    f();
  } catch (const error& refused) {
    return refused.code();
  }
  return errc::internal;
}

TEST(moe, refuses_what_does_not_fit) {
  run_in_process(2, [](communicator& members) {
    EXPECT_EQ(refusal([&] { moe_exchange<float>(members, {.experts_per_rank = 0}); }), errc::invalid_argument);
    EXPECT_EQ(refusal([&] { moe_exchange<float>(members, {.top_k = 0}); }), errc::invalid_argument);
    moe_exchange<float> exchange(members, {.experts_per_rank = 1, .top_k = 2, .hidden = 3});
    const std::vector<float> tokens(3), weights(2), none;
    const std::vector<std::int32_t> right{0, 1}, beyond{0, 2};
    EXPECT_EQ(refusal([&] { (void)exchange.combine(none); }), errc::invalid_argument);
    EXPECT_EQ(refusal([&] { (void)exchange.dispatch(tokens, beyond, weights); }), errc::invalid_argument);
    EXPECT_EQ(refusal([&] { (void)exchange.dispatch(tokens, right, none); }), errc::invalid_argument);
    EXPECT_EQ(refusal([&] { (void)exchange.dispatch(weights, right, weights); }), errc::invalid_argument);
    const auto& got = exchange.dispatch(tokens, right, weights);
    EXPECT_EQ(got.assignments.size(), 2U);
    EXPECT_EQ(refusal([&] { (void)exchange.combine(none); }), errc::invalid_argument);
    EXPECT_EQ(exchange.combine(std::vector<float>(6)).size(), 3U);
  });
}

}  // namespace
}  // namespace hawser
