// Patience: what is learned from waits.
#include <hawser/executor/wait_policy.hpp>

#include <gtest/gtest.h>

namespace hawser::executor {
namespace {

using std::chrono::microseconds;

constexpr wait_policy full{.spin = microseconds(10), .yields = 100};

TEST(patience, begins_whole) {
  const patience fresh(full);
  EXPECT_EQ(fresh.spin(), full.spin);
  EXPECT_EQ(fresh.yields(), full.yields);
}

TEST(patience, is_lost_by_long_waits_and_won_back_by_short_ones) {
  patience p(full);
  p.learn(microseconds(5000));
  EXPECT_EQ(p.spin(), full.spin / 2);
  EXPECT_EQ(p.yields(), full.yields / 2);
  for (int i = 0; i < 100; ++i) p.learn(microseconds(5000));
  EXPECT_LT(p.spin(), microseconds(1)) << "a rank that waits for long leaves the core";
  EXPECT_LE(p.yields(), 1);
  int short_waits = 0;
  for (; p.yields() < full.yields; ++short_waits) p.learn(microseconds(20));
  EXPECT_LE(short_waits, 10);
  EXPECT_EQ(p.spin(), full.spin);
}

TEST(wait_policy, spins_only_where_each_rank_has_a_core) {
  EXPECT_GT(wait_policy::for_ranks_on_host(1).spin.count(), 0);
  EXPECT_EQ(wait_policy::for_ranks_on_host(1 << 20).spin.count(), 0);
}

}  // namespace
}  // namespace hawser::executor
