// Mode run_to_run: equal calls give equal bits, whatever arrives first, over every transport.
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <support/threads_over.hpp>

namespace hawser {
namespace {

constexpr int ranks = 6;
constexpr std::size_t count = 5000;

/// Sums whose rounding depends on their order.
std::vector<float> contribution(std::uint64_t seed, int self) {
  std::mt19937_64 random(seed * 1000 + static_cast<std::uint64_t>(self));
  std::vector<float> values(count);
  for (float& each : values) each = std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random), random() % 24);
  return values;
}

struct results {
  std::vector<std::string> algorithms;
  std::vector<std::vector<float>> sums;  // per algorithm, of rank 0; the others' are compared to it
};

/// All-reduce by every algorithm; each rank comes late now and then.
results run(const std::string& transport, std::uint64_t seed, std::uint64_t delays) {
  results found;
  std::mutex mutex;
  communicator_options options;
  options.topology = "rack:2 gpu:3";
  test::run_threads_over(transport, ranks, options, [&](communicator& members) {
    std::mt19937_64 random(delays + static_cast<std::uint64_t>(members.rank().value));
    const schedule::request what{.what = schedule::collective::all_reduce, .count = count};
    for (const schedule::candidate& each : members.plan_for(what).candidates) {
      if (!each.is_possible()) continue;
      call_options wishes;
      wishes.algorithm = each.algorithm;
      wishes.reproducibility = schedule::mode::run_to_run;
      wishes.segments = 3;
      std::vector<float> sum = contribution(seed, members.rank().value);
      if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
      members.all_reduce(std::span<float>(sum), op::sum, wishes);
      std::vector<float> first = sum;
      members.broadcast(std::span<float>(first), 0);
      EXPECT_EQ(0, std::memcmp(first.data(), sum.data(), count * sizeof(float))) << each.algorithm << ": ranks differ";
      const std::lock_guard lock(mutex);
      if (members.rank() != rank(0)) continue;
      found.algorithms.push_back(each.algorithm);
      found.sums.push_back(std::move(sum));
    }
  });
  return found;
}

TEST(run_to_run, equal_calls_give_equal_bits_over_every_transport) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const results expected = run("in_process", seed, 1);
  ASSERT_GT(expected.algorithms.size(), 10u);
  for (std::uint64_t again = 2; again < 5; ++again)
    for (const std::string& transport : test::thread_transports()) {
      const results got = run(transport, seed, again);
      ASSERT_EQ(got.algorithms, expected.algorithms);
      for (std::size_t i = 0; i < got.sums.size(); ++i)
        EXPECT_EQ(0, std::memcmp(got.sums[i].data(), expected.sums[i].data(), count * sizeof(float)))
            << got.algorithms[i] << " over " << transport;
    }
}

TEST(run_to_run, the_data_can_tell_orders_apart) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const results all = run("in_process", seed, 1);
  bool differ = false;
  for (const auto& each : all.sums) differ = differ || each != all.sums.front();
  EXPECT_TRUE(differ) << "algorithms that add in other orders round alike: this test would see nothing";
}

}  // namespace
}  // namespace hawser
