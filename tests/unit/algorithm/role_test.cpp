// Roles: one class where ranks are alike, more where the machine or the root tells them apart.
#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/role.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <map>

namespace {

using namespace hawser;
using schedule::collective;

std::vector<rank> everybody(const topology::hierarchy& tree) {
  std::vector<rank> ranks;
  for (std::int32_t r = 0; r < tree.size(); ++r) ranks.emplace_back(r);
  return ranks;
}

std::vector<algorithm::role_class> classes(const char* machine, collective what, const char* name, rank root = 0) {
  const auto tree = topology::parse_synthetic(machine);
  schedule::request call;
  call.what = what;
  call.root = root;
  return algorithm::classes_of(tree, call, name, everybody(tree));
}

TEST(role, ring_of_one_rack_has_one_class) {
  const auto found = classes("gpu:9", collective::all_reduce, "ring");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ranks, 9);
  EXPECT_EQ(found[0].representative, rank(0));
}

TEST(role, a_ring_over_racks_tells_the_edges_of_a_rack_from_its_inside) {
  // Receive from another rack, send to another rack, neither.
  const auto found = classes("rack:3 gpu:4", collective::all_reduce, "ring");
  std::map<rank, std::int64_t> sizes;
  for (const auto& each : found) sizes[each.representative] = each.ranks;
  EXPECT_EQ(sizes, (std::map<rank, std::int64_t>{{0, 3}, {1, 6}, {3, 3}}));
}

TEST(role, racks_of_different_sizes_are_different_classes) {
  const auto tree = topology::parse_synthetic("rack:[4,4,3]");
  schedule::request call;
  EXPECT_NE(algorithm::role_of(tree, call, "hierarchical(ring,ring)", 0),
            algorithm::role_of(tree, call, "hierarchical(ring,ring)", 8));
}

TEST(role, the_root_is_a_class_of_its_own) {
  const auto found = classes("gpu:6", collective::gather, "linear", 4);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].representative, rank(4));
  EXPECT_EQ(found[1].ranks, 1);
}

TEST(role, ranks_of_one_class_send_as_much) {
  const auto tree = topology::parse_synthetic("rack:[4,3,4]");
  for (collective what : schedule::all_collectives)
    for (const std::string& name : algorithm::algorithm_names(tree, what)) {
      schedule::request call;
      call.what = what;
      std::map<std::uint64_t, std::int64_t> elements;
      for (rank r : everybody(tree)) {
        const auto written = algorithm::generate(tree, call, name, r);
        const std::uint64_t role = algorithm::role_of(tree, call, name, r);
        std::size_t sends = 0;
        for (const auto& each : written.steps) sends += each.sends();
        const auto [known, is_new] = elements.emplace(role, static_cast<std::int64_t>(sends));
        EXPECT_EQ(known->second, static_cast<std::int64_t>(sends)) << name << (is_new ? "" : ", not alone");
      }
    }
}

}  // namespace
