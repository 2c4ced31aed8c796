// Shares of rails: as long as each rail is fast, on networks with slow and broken ones; what is generated from them is
// right, whole or with a step broken, and loads each NIC by its share.
#include <hawser/algorithm/multi_rail.hpp>
#include <hawser/cost/rank_traffic.hpp>
#include <hawser/schedule/verify.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "../schedule/mutants.hpp"

namespace {

using namespace hawser;
using algorithm::capacity_graph;
using schedule::rail_shares;

/// `racks` of `gpus` on a switch each, and a switch per rail, or one for all.
capacity_graph rails(int racks, int gpus, std::int64_t nic, bool has_one_fabric) {
  capacity_graph graph(racks * gpus, racks + gpus);
  for (int r = 0; r < graph.ranks(); ++r) {
    graph.join(r, graph.ranks() + r / gpus, 12 * nic);
    graph.join(r, graph.ranks() + racks + (has_one_fabric ? 0 : r % gpus), nic);
  }
  return graph;
}

topology::hierarchy racks_of(int racks, int gpus) {
  return topology::parse_synthetic("rack:" + std::to_string(racks) + " gpu:" + std::to_string(gpus));
}

std::vector<schedule::violation> found_in(const topology::hierarchy& tree, const rail_shares& shares, bool in_place) {
  schedule::request call;
  call.in_place = in_place;
  return schedule::verify(
      call, tree.size(),
      [&](rank r) { return schedule::derive_dependences(algorithm::generate_multi_rail(tree, call, shares, r)); },
      {.max_violations = 1});
}

TEST(multi_rail, shares_follow_the_slowest_link_of_each_rail) {
  for (const bool has_one_fabric : {false, true}) {
    capacity_graph links = rails(3, 4, 10, has_one_fabric);
    const topology::hierarchy tree = racks_of(3, 4);
    EXPECT_EQ(algorithm::shares_of_rails(tree, links).weight, (std::vector<std::int64_t>{1, 1, 1, 1}));
    const auto nic_switch = [&](int r) { return 12 + 3 + (has_one_fabric ? 0 : r % 4); };
    links.join(5, nic_switch(5), -8);     // rail 1, in rack 1
    links.join(11, nic_switch(11), -10);  // rail 3, in rack 2
    EXPECT_EQ(algorithm::shares_of_rails(tree, links).weight, (std::vector<std::int64_t>{5, 1, 5, 0}));
  }
}

TEST(multi_rail, every_nic_carries_its_share) {
  const topology::hierarchy tree = racks_of(4, 4);
  const rail_shares shares{{5, 1, 5, 0}};
  for (int r = 0; r < 16; ++r) {
    const auto moved = cost::detail::count_rank(tree, algorithm::generate_multi_rail(tree, {}, shares, r));
    const double share = static_cast<double>(shares.weight[static_cast<std::size_t>(r % 4)]) / 11;
    EXPECT_NEAR(moved.blocks_out[0], 2 * 3.0 / 4 * share, 1e-12) << r;
  }
}

TEST(multi_rail, random_shares_are_right) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int trial = 0; trial < 100 && !HasFailure(); ++trial) {
    const int racks = 2 + static_cast<int>(random() % 5), gpus = 2 + static_cast<int>(random() % 5);
    rail_shares shares;
    for (int rail = 0; rail < gpus; ++rail) shares.weight.push_back(static_cast<std::int64_t>(random() % 4));
    shares.weight[random() % static_cast<unsigned>(gpus)] = 1 + static_cast<std::int64_t>(random() % 9);
    EXPECT_EQ(schedule::parse_rail_shares(to_string(shares)), shares);
    for (const bool in_place : {false, true}) {
      const auto found = found_in(racks_of(racks, gpus), shares, in_place);
      EXPECT_TRUE(found.empty()) << racks << " x " << gpus << ", " << to_string(shares) << to_string(found.front());
    }
  }
}

TEST(multi_rail, ranks_may_be_placed_anyhow) {
  const topology::hierarchy placed(racks_of(2, 3).levels(), {3, 1, 5, 0, 2, 4});
  EXPECT_TRUE(found_in(placed, {{2, 0, 1}}, false).empty());
}

TEST(multi_rail, broken_steps_are_caught) {
  const topology::hierarchy tree = racks_of(2, 3);
  const rail_shares shares{{2, 1, 3}};
  const schedule::request call;
  tests::schedules right;
  for (int r = 0; r < 6; ++r) right.push_back(algorithm::generate_multi_rail(tree, call, shares, r));
  const tests::oracle runs(call, 6);
  ASSERT_TRUE(runs.is_right(right));
  int made = 0, equivalent = 0;
  for (const tests::mutation how : tests::all_mutations)
    for (std::size_t r = 0; r < 6; ++r)
      tests::each_mutant(right[r], how, 6, [&](const schedule::schedule& mutant, const std::string& change) {
        ++made;
        tests::schedules all = right;
        all[r] = mutant;
        const auto program_of = [&](rank each) {
          return schedule::derive_dependences(all[static_cast<std::size_t>(each.value)]);
        };
        if (!schedule::verify(call, 6, program_of, {.max_violations = 1}).empty()) return;
        ++equivalent;
        EXPECT_TRUE(runs.is_right(all)) << "not caught: " << change;
      });
  std::printf("%d mutants, %d of them equivalent\n", made, equivalent);
  EXPECT_LT(equivalent, made / 4);
}

TEST(multi_rail, what_does_not_fit_is_refused) {
  schedule::request call;
  EXPECT_THROW((void)algorithm::generate_multi_rail(racks_of(2, 3), call, {{1, 1}}, 0), error);
  EXPECT_THROW((void)algorithm::generate_multi_rail(topology::parse_synthetic("gpu:4"), call, {{1, 1, 1, 1}}, 0),
               error);
  EXPECT_THROW((void)algorithm::generate_multi_rail(topology::parse_synthetic("rack:2 gpu:[2,3]"), call, {{1, 1}}, 0),
               error);
  call.what = schedule::collective::all_gather;
  EXPECT_THROW((void)algorithm::generate_multi_rail(racks_of(2, 3), call, {{1, 1, 1}}, 0), error);
  for (const char* text : {"", "hawser.rail_shares/1", "hawser.rail_shares/1 0 0", "hawser.rail_shares/1 1 -1",
                           "hawser.rail_shares/1 1 x", "rails 1 1"})
    EXPECT_THROW((void)schedule::parse_rail_shares(text), error) << text;
}

}  // namespace
