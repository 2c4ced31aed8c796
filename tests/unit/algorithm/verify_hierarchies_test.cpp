// Every algorithm, flat and hierarchical, on regular and ragged hierarchies and on ranks placed out of order.
#include <hawser/topology/synthetic.hpp>

#include "verified.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

constexpr const char* machines[] = {"rack:1 gpu:1",
                                    "gpu:7",
                                    "rack:3 gpu:5",
                                    "rack:[8,8,5]",
                                    "pod:2 rack:3 gpu:4",
                                    "rack:[1,2,3]",
                                    "rack:[3,1]",
                                    "rack:2 gpu:2",
                                    "pod:2 rack:[2,1] gpu:[3,4,5]",
                                    "pod:2 rack:[1,3] gpu:[2,5,1,3]",
                                    "pod:2 rack:2 gpu:2",
                                    "rack:[5,4,4]",
                                    "rack:7 gpu:[1,1,2,1,1,1,1]",
                                    "pod:3 rack:1 gpu:3",
                                    "rack:4 node:2 gpu:2",
                                    "rack:3+reduces gpu:4",
                                    "rack:2 gpu:3+reduces",
                                    "pod:2+reduces rack:2 gpu:2+reduces",
                                    "pod:2 rack:[3,2]+reduces gpu:[1,2,3,2,2]"};

void verify_all(const topology::hierarchy& tree, const std::string& machine, std::int64_t all_roots_up_to) {
  int checked = 0;
  for (collective what : schedule::all_collectives)
    for (const std::string& name : algorithm::algorithm_names(tree, what))
      checked += each_variant(tree, what, name, all_roots_up_to, [&](const request& call) {
        if (!testing::Test::HasFailure()) expect_verified(tree, call, name, machine);
      });
  std::printf("%d calls on %s verified\n", checked, machine.c_str());
}

class verify_hierarchy : public testing::TestWithParam<const char*> {};

TEST_P(verify_hierarchy, every_algorithm_and_every_root) {
  verify_all(topology::parse_synthetic(GetParam()), GetParam(), 32);
}

/// Ranks dealt out to the innermost groups in turn: the farthest from the order of the machine.
topology::hierarchy dealt_out(const topology::hierarchy& tree, std::int64_t step) {
  std::vector<rank> placed;
  const std::int64_t n = tree.size();
  for (std::int64_t first = 0; first < step; ++first)
    for (std::int64_t r = first; r < n; r += step) placed.emplace_back(static_cast<std::int32_t>(r));
  return {tree.levels(), placed};
}

TEST_P(verify_hierarchy, ranks_out_of_order) {
  const auto tree = topology::parse_synthetic(GetParam());
  if (tree.size() < 3) GTEST_SKIP() << "too few ranks to place out of order";
  verify_all(dealt_out(tree, 3), std::string(GetParam()) + ", dealt out by 3", 1);
}

INSTANTIATE_TEST_SUITE_P(machines, verify_hierarchy, testing::ValuesIn(machines), [](const auto& each) {
  std::string name = each.param;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

TEST(verify_large_hierarchy, sixteen_racks_of_eight) {
  verify_all(topology::parse_synthetic("rack:16 gpu:8"), "rack:16 gpu:8", 1);
}

TEST(verify_large_hierarchy, three_hundred_ragged_ranks) {
  const std::string machine = "pod:4 rack:[10,9,9,9] gpu:8";
  const auto tree = topology::parse_synthetic(machine);
  for (collective what : {collective::all_reduce, collective::broadcast, collective::reduce})
    for (const std::string& name : algorithm::algorithm_names(tree, what)) {
      if (!algorithm::parse_name(name).is_hierarchical) continue;
      request call;
      call.what = what;
      call.root = 17;
      expect_verified(tree, call, name, machine);
    }
}

}  // namespace
