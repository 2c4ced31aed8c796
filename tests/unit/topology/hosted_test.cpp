// Tests placing ranks by host name, and selecting part of a hierarchy.
#include <hawser/topology/hosted.hpp>

#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

hosted_hierarchy four_hosts() {
  return {parse_synthetic("rack:2 node:2 gpu:3"), {"a", "b", "c", "d"}, 1};
}

TEST(select_positions, keeps_levels_and_drops_what_is_empty) {
  const hierarchy part = select_positions(parse_synthetic("pod:2 rack:2 gpu:3"), {11, 4, 3, 9});
  EXPECT_EQ(part.at(0).units, child_counts::uniform(1, 2));
  EXPECT_EQ(part.at(1).units, child_counts::uniform(2, 1));
  EXPECT_EQ(part.at(2).units, child_counts::uniform(2, 2));
  EXPECT_EQ(part.rank_at(0), rank(2));
  EXPECT_EQ(part.rank_at(1), rank(1));
  EXPECT_EQ(part.rank_at(2), rank(3));
  EXPECT_EQ(part.rank_at(3), rank(0));
  const hierarchy whole = parse_synthetic("gpu:3");
  EXPECT_EQ(select_positions(whole, {0, 1, 2}), whole);
}

TEST(select_positions, refuses_impossible_positions) {
  const hierarchy tree = parse_synthetic("gpu:3");
  for (const std::vector<std::int64_t>& wrong : {std::vector<std::int64_t>{}, {3}, {-1}, {0, 0}})
    EXPECT_EQ(error_of([&] { select_positions(tree, wrong); }).code(), errc::invalid_argument);
}

TEST(place_by_host, fills_hosts_in_the_order_of_ranks) {
  const hierarchy tree = place_by_host(four_hosts(), {"d", "a", "d", "c", "a", "a"});
  EXPECT_EQ(tree.size(), 6);
  EXPECT_EQ(tree.at(0).units, child_counts::uniform(1, 2));
  EXPECT_EQ(tree.at(1).units, child_counts::listed({1, 2}));
  EXPECT_EQ(tree.at(2).units, child_counts::listed({3, 1, 2}));
  const std::vector<int> expected{1, 4, 5, 3, 0, 2};
  for (std::size_t p = 0; p < expected.size(); ++p)
    EXPECT_EQ(tree.rank_at(static_cast<std::int64_t>(p)), rank(expected[p]));
}

TEST(place_by_host, a_full_machine_in_order_is_the_hierarchy_itself) {
  std::vector<std::string> hosts;
  for (const char* host : {"a", "b", "c", "d"}) hosts.insert(hosts.end(), 3, host);
  EXPECT_EQ(place_by_host(four_hosts(), hosts), four_hosts().tree);
}

TEST(place_by_host, a_host_may_have_several_units) {
  const hosted_hierarchy hosted{parse_synthetic("rack:2 gpu:2"), {"a", "b", "b", "a"}, 1};
  const hierarchy tree = place_by_host(hosted, {"a", "a", "b", "b"});
  const std::vector<int> expected{0, 2, 3, 1};
  for (std::size_t p = 0; p < expected.size(); ++p)
    EXPECT_EQ(tree.rank_at(static_cast<std::int64_t>(p)), rank(expected[p]));
}

TEST(place_by_host, names_host_and_rank_in_errors) {
  const error unknown = error_of([] { place_by_host(four_hosts(), {"a", "e"}); });
  EXPECT_EQ(unknown.code(), errc::not_found);
  EXPECT_NE(std::string(unknown.what()).find("rank 1 is on host \"e\""), std::string::npos);
  const error full = error_of([] { place_by_host(four_hosts(), {"a", "a", "b", "a", "a"}); });
  EXPECT_EQ(full.code(), errc::resource);
  EXPECT_NE(std::string(full.what()).find("rank 4 is on host \"a\" (the topology has only 3 positions there)"),
            std::string::npos);
  EXPECT_EQ(error_of([] { place_by_host(four_hosts(), {}); }).code(), errc::invalid_argument);
  EXPECT_EQ(error_of([] { place_by_host({parse_synthetic("gpu:2")}, {"a"}); }).code(), errc::invalid_argument);
  EXPECT_EQ(error_of([] { check_hosts({parse_synthetic("gpu:2"), {"a"}, 0}); }).code(), errc::invalid_argument);
  EXPECT_EQ(error_of([] { check_hosts({parse_synthetic("gpu:2"), {"a", "b"}, 1}); }).code(), errc::invalid_argument);
}

}  // namespace
}  // namespace hawser::topology
