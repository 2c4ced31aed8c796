// The decomposition of rack sums into one-to-one stages: complete, one-to-one, and as short as the bound.
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include <hawser/algorithm/balanced_stages.hpp>

namespace hawser::algorithm {
namespace {

using matrix = std::vector<std::int64_t>;

void check(const matrix& sums, std::int64_t racks) {
  const balanced_stages made = balance(sums, racks);
  matrix carried(sums.size(), 0);
  std::int64_t time = 0;
  for (const balanced_stage& stage : made.stages) {
    ASSERT_GT(stage.amount, 0);
    time += stage.amount;
    std::set<std::int32_t> receivers;
    for (std::int64_t i = 0; i < racks; ++i) {
      const auto from = static_cast<std::size_t>(i);
      ASSERT_LE(stage.carried[from], stage.amount);
      ASSERT_EQ(stage.carried[from] > 0, stage.to[from] >= 0);
      if (stage.to[from] < 0) continue;
      EXPECT_NE(stage.to[from], i);
      EXPECT_TRUE(receivers.insert(stage.to[from]).second) << "two racks send to one";
      carried[static_cast<std::size_t>(i * racks + stage.to[from])] += stage.carried[from];
    }
    EXPECT_FALSE(receivers.empty()) << "a stage in which nobody sends";
  }
  EXPECT_EQ(carried, made.sums);
  EXPECT_EQ(time, made.bound());
  EXPECT_LE(static_cast<std::int64_t>(made.stages.size()), racks * racks);
}

std::int64_t skewed(std::mt19937_64& random) {
  const auto kind = random() % 10;
  if (kind < 4) return 0;
  return static_cast<std::int64_t>(kind < 8    ? random() % 100
                                   : kind == 8 ? random() % 1'000'000
                                               : random() % (1LL << 50));
}

TEST(balanced_stages, random_skewed_matrices_reach_the_bound) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const auto racks = static_cast<std::int64_t>(1 + random() % 17);
    matrix sums(static_cast<std::size_t>(racks * racks));
    for (std::int64_t& each : sums) each = skewed(random);
    if (random() % 2 == 0) {  // a rack without anything to send, one that nobody sends to
      const auto silent = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(racks));
      const auto deaf = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(racks));
      for (std::int64_t j = 0; j < racks; ++j)
        sums[static_cast<std::size_t>(silent * racks + j)] = sums[static_cast<std::size_t>(j * racks + deaf)] = 0;
    }
    check(sums, racks);
  }
}

TEST(balanced_stages, equal_racks_rotate) {
  for (std::int64_t racks : {2, 3, 8, 16, 40}) {
    const matrix sums(static_cast<std::size_t>(racks * racks), 1000);
    check(sums, racks);
    EXPECT_EQ(static_cast<std::int64_t>(balance(sums, racks).stages.size()), racks - 1);
  }
}

TEST(balanced_stages, one_hot_rack_takes_one_stage_per_sender) {
  matrix sums(25, 0);
  for (std::size_t i = 0; i < 5; ++i) sums[i * 5 + 2] = 100;
  check(sums, 5);
  EXPECT_EQ(balance(sums, 5).stages.size(), 4U) << "they take turns: no incast";
}

TEST(balanced_stages, nothing_to_send_needs_no_stage) {
  EXPECT_TRUE(balance(matrix(9, 0), 3).stages.empty());
  EXPECT_TRUE(balance(matrix{7}, 1).stages.empty()) << "what stays in a rack crosses nothing";
}

TEST(balanced_stages, equal_sums_give_equal_stages) {
  std::mt19937_64 random(3);
  matrix sums(100);
  for (std::int64_t& each : sums) each = skewed(random);
  EXPECT_EQ(balance(sums, 10), balance(sums, 10));
}

TEST(balanced_stages, refuses_what_is_no_matrix_of_sums) {
  EXPECT_THROW((void)balance(matrix(3, 1), 2), error);
  EXPECT_THROW((void)balance(matrix{0, -1, 0, 0}, 2), error);
}

}  // namespace
}  // namespace hawser::algorithm
