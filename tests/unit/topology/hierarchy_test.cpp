// Tests the hierarchy value itself: nesting, units, parting levels, placements, and what it refuses.
#include <hawser/topology/hierarchy.hpp>

#include <numeric>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

level named(std::string name, child_counts units) {
  return {std::move(name), std::move(units), {}};
}

// pod0 {rack0 {0 1}, rack1 {2 3 4}}, pod1 {rack2 {5}}
hierarchy ragged() {
  return hierarchy({named("pod", child_counts::uniform(1, 2)), named("rack", child_counts::listed({2, 1})),
                    named("gpu", child_counts::listed({2, 3, 1}))});
}

TEST(child_counts, uniform_and_listed_agree) {
  const child_counts uniform = child_counts::uniform(3, 4);
  EXPECT_EQ(uniform, child_counts::listed({4, 4, 4}));
  EXPECT_TRUE(child_counts::listed({4, 4, 4}).is_uniform());
  EXPECT_EQ(uniform.total(), 12);
  EXPECT_EQ(uniform.first(2), 8);
  EXPECT_EQ(uniform.parent_of(11), 2);
}

TEST(child_counts, ragged) {
  const child_counts counts = child_counts::listed({2, 3, 1});
  EXPECT_FALSE(counts.is_uniform());
  EXPECT_EQ(counts.parents(), 3);
  EXPECT_EQ(counts.total(), 6);
  EXPECT_EQ(counts.distinct_sizes(), (std::vector<std::int64_t>{1, 2, 3}));
  for (std::int64_t parent = 0; parent < 3; ++parent)
    for (std::int64_t child = counts.first(parent); child < counts.first(parent) + counts.size(parent); ++child)
      EXPECT_EQ(counts.parent_of(child), parent);
}

TEST(hierarchy, units_and_first_positions) {
  const hierarchy tree = ragged();
  EXPECT_EQ(tree.depth(), 3);
  EXPECT_EQ(tree.size(), 6);
  const std::vector<std::int64_t> rack_of{0, 0, 1, 1, 1, 2}, pod_of{0, 0, 0, 0, 0, 1};
  for (std::int64_t p = 0; p < tree.size(); ++p) {
    EXPECT_EQ(tree.unit_of(p, 0), pod_of[static_cast<std::size_t>(p)]);
    EXPECT_EQ(tree.unit_of(p, 1), rack_of[static_cast<std::size_t>(p)]);
    EXPECT_EQ(tree.unit_of(p, 2), p);
  }
  EXPECT_EQ(tree.first_position(1, 0), 5);
  EXPECT_EQ(tree.first_position(1, 1), 2);
  EXPECT_EQ(tree.first_position(3, 1), 6);  // one past the last rack: the end
}

TEST(hierarchy, parting_level) {
  const hierarchy tree = ragged();
  EXPECT_EQ(tree.parting_level(3, 3), 3);
  EXPECT_EQ(tree.parting_level(2, 4), 2);
  EXPECT_EQ(tree.parting_level(1, 2), 1);
  EXPECT_EQ(tree.parting_level(0, 5), 0);
}

TEST(hierarchy, parting_level_is_the_outermost_level_of_different_units) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    const hierarchy tree = random_hierarchy(random);
    for (std::int64_t a = 0; a < tree.size(); a += 3)
      for (std::int64_t b = 0; b < tree.size(); ++b) {
        int expected = 0;
        while (expected < tree.depth() && tree.unit_of(a, expected) == tree.unit_of(b, expected)) ++expected;
        ASSERT_EQ(tree.parting_level(a, b), expected);
      }
  }
}

TEST(hierarchy, placement) {
  const std::vector<level> levels{named("gpu", child_counts::uniform(1, 4))};
  const hierarchy tree(levels, {rank(2), rank(0), rank(3), rank(1)});
  EXPECT_FALSE(tree.is_in_rank_order());
  EXPECT_EQ(tree.rank_at(0), rank(2));
  EXPECT_EQ(tree.position_of(rank(2)), 0);
  for (std::int64_t p = 0; p < 4; ++p) EXPECT_EQ(tree.position_of(tree.rank_at(p)), p);
  EXPECT_NE(tree, hierarchy(levels));
  const hierarchy in_order(levels, {rank(0), rank(1), rank(2), rank(3)});
  EXPECT_TRUE(in_order.is_in_rank_order());
  EXPECT_EQ(in_order, hierarchy(levels));
}

TEST(hierarchy, refuses_what_does_not_nest) {
  const auto message = [](std::vector<level> levels) {
    const error failure = error_of([&] { hierarchy tree(levels); });
    EXPECT_EQ(failure.code(), errc::invalid_argument);
    return std::string(failure.what());
  };
  EXPECT_NE(message({}).find("at least one level"), std::string::npos);
  EXPECT_NE(message({named("gpu", child_counts::uniform(2, 4))}).find("does not nest"), std::string::npos);
  EXPECT_NE(message({named("rack", child_counts::uniform(1, 3)), named("gpu", child_counts::listed({4, 3}))})
                .find("level \"gpu\" does not nest"),
            std::string::npos);
  EXPECT_NE(message({named("rack", child_counts::uniform(1, 2)), named("gpu", child_counts::listed({4, 0}))})
                .find("empty group"),
            std::string::npos);
  EXPECT_NE(message({named("rack", child_counts::uniform(1, 65536)), named("gpu", child_counts::uniform(65536, 65536))})
                .find("2^31 - 1"),
            std::string::npos);
}

TEST(hierarchy, refuses_what_is_no_permutation) {
  const std::vector<level> levels{named("gpu", child_counts::uniform(1, 3))};
  const auto message = [&](std::vector<rank> placement) {
    return std::string(error_of([&] { hierarchy tree(levels, placement); }).what());
  };
  EXPECT_NE(message({rank(0), rank(1)}).find("names 2 ranks"), std::string::npos);
  EXPECT_NE(message({rank(0), rank(1), rank(1)}).find("rank 1 occurs twice"), std::string::npos);
  EXPECT_NE(message({rank(0), rank(1), rank(3)}).find("rank 3 is out of range"), std::string::npos);
  EXPECT_NE(message({rank(0), rank(1), rank(-1)}).find("rank -1 is out of range"), std::string::npos);
}

}  // namespace
}  // namespace hawser::topology
