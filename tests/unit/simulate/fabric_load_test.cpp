// Collisions in a hashed two-tier fabric: the published table, and what no hash can do.
#include <gtest/gtest.h>

#include <hawser/simulate/fabric_load.hpp>

namespace hawser::simulate {
namespace {

spread mean_of(pattern traffic, int queue_pairs) {
  std::vector<double> means;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)  // fixed: the table is a statistic, not a property of each draw
    means.push_back(load_fabric(32, 32, traffic, queue_pairs, seed).mean);
  return spread::of(means);
}

TEST(fabric_load, reproduces_the_table_of_a_rail_shift) {
  EXPECT_NEAR(mean_of(pattern::rail_shift, 1).mean, 0.64, 0.015);
  EXPECT_NEAR(mean_of(pattern::rail_shift, 4).mean, 0.895, 0.01);
  EXPECT_NEAR(mean_of(pattern::rail_shift, 8).mean, 0.96, 0.01);
  EXPECT_NEAR(mean_of(pattern::rail_shift, 32).mean, 1.0, 0.01);
}

TEST(fabric_load, a_random_permutation_collides_more) {
  EXPECT_NEAR(mean_of(pattern::random_permutation, 1).mean, 0.53, 0.03);
  EXPECT_NEAR(mean_of(pattern::random_permutation, 4).mean, 0.83, 0.03);
}

TEST(fabric_load, one_host_per_leaf_cannot_collide) {
  const fabric_load load = load_fabric(8, 1, pattern::rail_shift, 3, 1);
  EXPECT_NEAR(load.mean, 1, 1e-12);
  EXPECT_NEAR(load.slowest, 1, 1e-12);
}

TEST(fabric_load, the_same_seed_draws_the_same) {
  EXPECT_EQ(load_fabric(8, 8, pattern::random_permutation, 2, 5).mean,
            load_fabric(8, 8, pattern::random_permutation, 2, 5).mean);
  EXPECT_THROW((void)load_fabric(1, 8, pattern::rail_shift, 1, 1), error);
}

}  // namespace
}  // namespace hawser::simulate
