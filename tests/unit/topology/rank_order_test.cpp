// Tests the advice on rank order against all orders of small machines, and its forms.
#include <hawser/topology/rank_order.hpp>

#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

std::vector<rank> ranks(std::initializer_list<int> values) {
  return {values.begin(), values.end()};
}

hierarchy placed(const std::string& text, std::vector<rank> rank_at) {
  return hierarchy(parse_synthetic(text).levels(), std::move(rank_at));
}

std::vector<std::int64_t> crossings(const order_cost& cost) {
  std::vector<std::int64_t> all;
  for (const level_load& each : cost.levels) all.push_back(each.crossing);
  return all;
}

TEST(rank_order, of_blocks_is_kept) {
  const rank_order_advice advice = advise_rank_order(parse_synthetic("rack:4 gpu:8"), bytes{1 << 20});
  EXPECT_TRUE(advice.is_present);
  EXPECT_EQ(crossings(advice.ring.present), (std::vector<std::int64_t>{4, 32}));
  EXPECT_EQ(advice.ring.present.levels[0].busiest, 1);
  EXPECT_EQ(advice.ring.slowdown(), 1);
  for (int r = 0; r < 32; ++r) EXPECT_EQ(advice.old_rank_of[static_cast<std::size_t>(r)], rank(r));
}

TEST(rank_order, dealt_out_cyclically_costs_the_uplinks) {
  const hierarchy block = parse_synthetic("rack:4 gpu:8");
  const rank_order_advice advice = advise_rank_order(hierarchy(block.levels(), cyclic_order(block)), bytes{1 << 30});
  EXPECT_FALSE(advice.is_present);
  EXPECT_EQ(crossings(advice.ring.present), (std::vector<std::int64_t>{32, 32}));
  EXPECT_EQ(advice.ring.present.levels[0].busiest, 8);
  EXPECT_EQ(crossings(advice.ring.advised), (std::vector<std::int64_t>{4, 32}));
  EXPECT_EQ(std::vector<rank>(advice.old_rank_of.begin(), advice.old_rank_of.begin() + 9),
            ranks({0, 4, 8, 12, 16, 20, 24, 28, 1}));
  // 62 steps of 32 MiB: eight at a time through 50 GB/s, or one.
  EXPECT_NEAR(advice.ring.present.time.count(), 62 * (8 * double(1 << 25) / 50e9 + 5e-6), 1e-9);
  EXPECT_NEAR(advice.ring.advised.time.count(), 62 * (double(1 << 25) / 50e9 + 5e-6), 1e-9);
  EXPECT_NEAR(advice.ring.slowdown(), 8, 0.1);
}

TEST(rank_order, cyclic_skips_full_groups) {
  EXPECT_EQ(cyclic_order(parse_synthetic("rack:3 gpu:[1,3,2]")), ranks({0, 1, 3, 5, 2, 4}));
  EXPECT_EQ(cyclic_order(parse_synthetic("gpu:3")), ranks({0, 1, 2}));
}

TEST(rank_order, a_rotation_of_blocks_is_kept) {
  EXPECT_TRUE(advise_rank_order(placed("rack:2 gpu:3", ranks({0, 1, 5, 2, 3, 4})), bytes{1}).is_present);
}

TEST(rank_order, units_come_by_their_lowest_rank_and_ranks_stay_in_order_within) {
  const rank_order_advice advice = advise_rank_order(placed("rack:2 gpu:3", ranks({5, 1, 3, 4, 0, 2})), bytes{1});
  EXPECT_EQ(advice.old_rank_of, ranks({0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(new_ranks(advice.old_rank_of), ranks({0, 3, 1, 4, 2, 5}));
}

TEST(rank_order, recursive_doubling_meets_all_distances) {
  const hierarchy block = parse_synthetic("rack:2 gpu:4");
  const order_cost cost = advise_rank_order(block, bytes{1 << 20}).recursive_doubling.present;
  EXPECT_EQ(crossings(cost), (std::vector<std::int64_t>{8, 24}));  // distance 4 only
  EXPECT_EQ(cost.levels[0].busiest, 4);
  const double data = 1 << 20;
  EXPECT_NEAR(cost.time.count(), 2 * (data / 450e9 + 1e-6) + 4 * data / 50e9 + 5e-6, 1e-12);
}

TEST(rank_order, of_one_rank_costs_nothing) {
  const rank_order_advice advice = advise_rank_order(parse_synthetic("gpu:1"), bytes{1 << 20});
  EXPECT_TRUE(advice.is_present);
  EXPECT_EQ(advice.ring.present.time.count(), 0);
  EXPECT_EQ(advice.ring.slowdown(), 1);
}

// The advised ring has the fewest crossing messages of all orders, on every level at once, and the least time.
TEST(rank_order, no_order_of_a_small_machine_is_better) {
  for (const char* text : {"rack:2 gpu:3", "rack:[3] gpu:[1,3,2]", "pod:2 rack:[1,2] gpu:2", "node:3 gpu:2", "gpu:5"}) {
    std::vector<rank> order;
    const hierarchy block = parse_synthetic(text);
    for (int r = 0; r < block.size(); ++r) order.emplace_back(r);
    do {
      const rank_order_advice advice = advise_rank_order(hierarchy(block.levels(), order), bytes{1 << 20});
      for (std::size_t level = 0; level < advice.ring.present.levels.size(); ++level) {
        const level_load& best = advice.ring.advised.levels[level];
        ASSERT_LE(best.crossing, advice.ring.present.levels[level].crossing) << text;
        ASSERT_EQ(best.crossing, best.units > 1 ? best.units : 0) << text;
        ASSERT_EQ(best.busiest, best.units > 1 ? 1 : 0) << text;
      }
      ASSERT_GE(advice.ring.slowdown(), 1) << text;
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(rank_order, advised_order_is_a_permutation_that_needs_no_more_advice) {
  const unsigned seed = test_seed();
  std::mt19937 random(seed);
  for (int run = 0; run < 200; ++run) {
    const hierarchy tree = random_hierarchy(random, {.may_be_placed = true});
    const rank_order_advice advice = advise_rank_order(tree, bytes{1 << 20});
    std::vector<rank> rank_at(advice.old_rank_of.size());
    for (std::size_t r = 0; r < rank_at.size(); ++r)
      rank_at[static_cast<std::size_t>(tree.position_of(advice.old_rank_of[r]))] = rank(static_cast<int>(r));
    const rank_order_advice again = advise_rank_order(hierarchy(tree.levels(), rank_at), bytes{1 << 20});
    ASSERT_TRUE(again.is_present) << "seed " << seed;
    ASSERT_EQ(again.ring.present.levels, advice.ring.advised.levels) << "seed " << seed;
    ASSERT_EQ(again.ring.present.time, advice.ring.advised.time) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hawser::topology
