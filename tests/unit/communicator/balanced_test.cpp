// all_to_all_v in balanced stages, threads as ranks: skewed random sizes, ragged racks, and what is refused.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include <hawser/communicator/balanced.hpp>
#include <hawser/communicator/in_process.hpp>
#include <support/skewed_sizes.hpp>

namespace hawser {
namespace {

using test::matrix;

void run(balanced_exchange& exchange, const matrix& sizes, std::size_t self) {
  const test::exchange_of<double> part(sizes, self);
  std::vector<double> got(part.wanted.size(), -1);
  exchange.all_to_all_v(part.data, part.sent, got, part.received);
  EXPECT_EQ(got, part.wanted) << "rank " << self;
}

TEST(balanced, skewed_sizes_arrive) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& [n, topology] : {std::pair{1, ""}, std::pair{5, "gpu:5"}, std::pair{4, "rack:2 gpu:2"},
                                    std::pair{6, "rack:[1,2,3]"}, std::pair{8, "pod:2 rack:2 gpu:2"}}) {
    std::vector<matrix> cases;
    for (int i = 0; i < 6; ++i) cases.push_back(test::skewed_sizes(n, random, {50, 2'000, 9'000}));
    communicator_options options;
    options.topology = topology;
    run_in_process(n, options, [&](communicator& members) {
      balanced_exchange exchange(members);
      for (const matrix& sizes : cases) run(exchange, sizes, static_cast<std::size_t>(members.rank().value));
    });
  }
}

TEST(balanced, stages_are_agreed_and_reach_the_bound) {
  communicator_options options;
  options.topology = "rack:3 gpu:2";
  run_in_process(6, options, [](communicator& members) {
    balanced_exchange exchange(members);
    matrix sizes(6, std::vector<std::int64_t>(6, 10));
    for (auto& row : sizes) row[4] = 500;  // one hot rank: all racks send to its rack, in turn
    run(exchange, sizes, static_cast<std::size_t>(members.rank().value));
    std::int64_t time = 0;
    for (const auto& stage : exchange.stages().stages) time += stage.amount;
    EXPECT_EQ(time, 4 * 510);
    EXPECT_EQ(exchange.stages().bound(), time);
    std::vector<std::int64_t> mine{time, static_cast<std::int64_t>(exchange.stages().stages.size())}, most(2);
    members.all_reduce(mine, most, op::max);
    EXPECT_EQ(mine, most);
  });
}

TEST(balanced, a_block_whose_ends_disagree_is_a_mismatch) {
  communicator_options options;
  options.topology = "rack:2 gpu:2";
  std::atomic<int> mismatches = 0, aborted = 0;
  run_in_process(4, options, [&](communicator& members) {
    balanced_exchange exchange(members);
    std::vector<std::int64_t> sent(4, 2), received(4, 2);
    // Rank 3 expects one more from rank 0 and one less from rank 1: the sums of the racks agree all the same.
    if (members.rank() == rank(3)) ++received[0], --received[1];
    const std::vector<int> data(8);
    std::vector<int> got(8);
    try {
      exchange.all_to_all_v(data, sent, got, received);
      ADD_FAILURE() << "not noticed on rank " << members.rank().value;
    } catch (const error& noticed) {
      ++(noticed.code() == errc::mismatch ? mismatches : aborted);
    }
  });
  EXPECT_EQ(mismatches, 1);
  EXPECT_EQ(aborted, 3);
}

TEST(balanced, refuses_counts_that_do_not_fit) {
  run_in_process(2, [](communicator& members) {
    balanced_exchange exchange(members);
    const std::vector<int> data(4);
    std::vector<int> got(4);
    const std::vector<std::int64_t> right{2, 2}, few{2}, many{2, 3}, negative{5, -1};
    for (const auto& wrong : {few, many, negative}) {
      EXPECT_THROW(exchange.all_to_all_v(data, wrong, got, right), error);
      EXPECT_THROW(exchange.all_to_all_v(data, right, got, wrong), error);
    }
    exchange.all_to_all_v(data, right, got, right);
  });
}

}  // namespace
}  // namespace hawser
