// Every algorithm in stages, as executors of streams run it: no circle, whatever blocks, on every hierarchy.
#include <hawser/schedule/verify_stages.hpp>
#include <hawser/topology/synthetic.hpp>

#include "verified.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

void expect_staged(const topology::hierarchy& tree, const request& what, const std::string& algorithm,
                   const std::string& machine) {
  const auto found = schedule::verify_stages(tree.size() + topology::reducing_switches(tree).count(), [&](rank r) {
    return schedule::derive_dependences(algorithm::generate(tree, what, algorithm, r));
  });
  if (found) ADD_FAILURE() << describe(what, algorithm, machine) << ": " << to_string(*found);
}

int expect_all_staged(const topology::hierarchy& tree, const std::string& machine, std::int64_t all_roots_up_to) {
  int checked = 0;
  for (collective what : schedule::all_collectives)
    for (const std::string& name : algorithm::algorithm_names(tree, what))
      checked += each_variant(tree, what, name, all_roots_up_to, [&](const request& call) {
        if (!testing::Test::HasFailure()) expect_staged(tree, call, name, machine);
      });
  return checked;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::int64_t most_ranks = 12;  // the same code, ten times slower
#else
constexpr std::int64_t most_ranks = 33;
#endif

TEST(verify_stages, flat_algorithms_for_1_to_33_ranks) {
  int checked = 0;
  for (std::int64_t n = 1; n <= most_ranks; ++n) {
    const std::string machine = "gpu:" + std::to_string(n) + "+reduces";
    checked += expect_all_staged(topology::parse_synthetic(machine), machine, 9);
  }
  std::printf("%d calls verified\n", checked);
}

TEST(verify_stages, hierarchies_regular_ragged_and_out_of_order) {
  int checked = 0;
  for (const char* machine :
       {"rack:3 gpu:5", "rack:[8,8,5]", "pod:2 rack:3 gpu:4", "rack:[1,2,3]", "rack:2 gpu:2", "rack:[3,1]",
        "pod:2 rack:[2,1] gpu:[3,4,5]", "pod:2 rack:[1,3] gpu:[2,5,1,3]", "rack:7 gpu:[1,1,2,1,1,1,1]",
        "rack:4 node:2 gpu:2", "rack:3+reduces gpu:4", "pod:2+reduces rack:2 gpu:2+reduces"}) {
    const auto tree = topology::parse_synthetic(machine);
    checked += expect_all_staged(tree, machine, 1);
    std::vector<rank> placed;
    for (std::int64_t first = 0; first < 3; ++first)
      for (std::int64_t r = first; r < tree.size(); r += 3) placed.emplace_back(static_cast<std::int32_t>(r));
    checked += expect_all_staged({tree.levels(), placed}, std::string(machine) + ", dealt out by 3", 1);
  }
  std::printf("%d calls verified\n", checked);
}

}  // namespace
