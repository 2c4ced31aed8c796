// What Bine butterflies are for: fewer bytes between racks that ranks are not aligned with, than others of as many
// rounds. Verified with all other algorithms by verify_flat_test.cpp; here also as a part of hierarchical forms.
#include <hawser/cost/traffic.hpp>
#include <hawser/topology/synthetic.hpp>

#include <cstdio>
#include <random>
#include <set>

#include "verified.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

/// Blocks that leave racks, over all ranks.
double crossing(const topology::hierarchy& tree, collective what, const char* name) {
  request call;
  call.what = what;
  double blocks = 0;
  for (std::int64_t r = 0; r < tree.size(); ++r)
    blocks += cost::detail::count_rank(tree, algorithm::generate(tree, call, name, static_cast<std::int32_t>(r)))
                  .blocks_out[0];
  return blocks;
}

TEST(bine_butterfly, fewer_bytes_cross_racks_that_are_not_aligned) {
  for (const char* machine : {"rack:[5,11,7,9]", "rack:[6,6,6,6,6,2]", "rack:[13,19,32]", "rack:[3,29]"}) {
    const auto tree = topology::parse_synthetic(machine);
    for (const auto what : {collective::reduce_scatter, collective::all_gather}) {
      const double bine = crossing(tree, what, "bine_butterfly");
      for (const char* other : {"circulant", "direct"}) EXPECT_LT(bine, crossing(tree, what, other)) << machine;
    }
  }
}

/// One split of a job's ranks over racks may suit a hypercube; on average over many, short distances do better.
TEST(bine_butterfly, fewer_bytes_cross_random_racks_on_average) {
  const unsigned seed = 20261130;
  std::mt19937 random(seed);
  for (const int n : {16, 24, 32, 64}) {
    double bine = 0, plain = 0;
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<std::int64_t> sizes;
      for (int left = n; left > 0;) {
        const int size = std::min<int>(left, 1 + static_cast<int>(random() % static_cast<unsigned>(n / 2)));
        sizes.push_back(size), left -= size;
      }
      const topology::hierarchy tree(
          {{"rack", topology::child_counts::uniform(1, static_cast<std::int64_t>(sizes.size())), {}},
           {"gpu", topology::child_counts::listed(sizes), {}}});
      bine += crossing(tree, collective::all_reduce, "bine_doubling");
      plain += crossing(tree, collective::all_reduce, "recursive_doubling");
    }
    std::printf("%d ranks: %.3f of what recursive doubling sends between racks\n", n, bine / plain);
    EXPECT_LT(bine, plain) << n << " ranks, seed " << seed;
  }
}

TEST(bine_butterfly, partners_meet_each_other_and_reach_all) {
  for (int rounds = 1; rounds <= 10; ++rounds) {
    const algorithm::detail::swing_butterfly meets(1 << rounds);
    for (int v = 0; v < 1 << rounds; ++v) {
      std::set<int> reached{v};
      for (int round = 0; round < rounds; ++round) {
        const std::set<int> before = reached;
        for (const int each : before) {
          const int partner = meets.partner(each, round);
          ASSERT_EQ(meets.partner(partner, round), each);
          ASSERT_TRUE(reached.insert(partner).second);
        }
      }
    }
  }
}

TEST(bine_butterfly, no_candidate_on_a_level_but_served_there) {
  for (const char* machine : {"rack:4 gpu:4", "rack:[5,3,4]", "rack:3 gpu:2"}) {
    const auto tree = topology::parse_synthetic(machine);
    for (const auto& [what, name] : {std::pair(collective::reduce_scatter, "hierarchical(direct,bine_butterfly)"),
                                     std::pair(collective::reduce_scatter, "hierarchical(bine_butterfly,ring)"),
                                     std::pair(collective::all_gather, "hierarchical(bine_butterfly,bine_butterfly)"),
                                     std::pair(collective::all_reduce, "hierarchical(bine_butterfly,bine_doubling)")}) {
      const auto names = algorithm::algorithm_names(tree, what);
      EXPECT_EQ(std::find(names.begin(), names.end(), name), names.end());
      each_variant(tree, what, name, 64, [&](const request& call) { expect_verified(tree, call, name, machine); });
    }
  }
}

}  // namespace
