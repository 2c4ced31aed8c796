// Every flat algorithm of every collective, for every number of ranks and every root, proved by the exact verifier.
#include <hawser/topology/synthetic.hpp>

#include "verified.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

topology::hierarchy flat(std::int64_t n) {
  return topology::parse_synthetic("gpu:" + std::to_string(n) + "+reduces");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::int64_t most_ranks = 20;  // the same code, ten times slower
#else
constexpr std::int64_t most_ranks = 64;
#endif

class verify_flat : public testing::TestWithParam<collective> {};

TEST_P(verify_flat, every_algorithm_for_1_to_64_ranks_and_every_root) {
  int checked = 0;
  for (std::int64_t n = 1; n <= most_ranks; ++n) {
    const auto tree = flat(n);
    const auto names = algorithm::algorithm_names(tree, GetParam());
    ASSERT_FALSE(names.empty());
    for (const std::string& name : names)
      checked += each_variant(tree, GetParam(), name, 64, [&](const request& call) {
        if (!HasFailure()) expect_verified(tree, call, name, "gpu:" + std::to_string(n));
      });
  }
  std::printf("%d calls of %s verified\n", checked, std::string(to_string(GetParam())).c_str());
}

TEST_P(verify_flat, primes_and_neighbours_of_powers_of_two_above_64) {
  if (most_ranks < 64) GTEST_SKIP() << "too slow with a sanitizer";
  for (std::int64_t n : {65, 67, 97, 127, 128, 129, 131}) {
    const auto tree = flat(n);
    for (const std::string& name : algorithm::algorithm_names(tree, GetParam())) {
      // Those of a linear number of steps have no special cases there.
      if (algorithm::steps_bound(tree, GetParam(), name) >= n) continue;
      each_variant(tree, GetParam(), name, 1, [&](const request& call) {
        if (!HasFailure()) expect_verified(tree, call, name, "gpu:" + std::to_string(n));
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(collectives, verify_flat, testing::ValuesIn(schedule::all_collectives),
                         [](const auto& each) { return std::string(to_string(each.param)); });

}  // namespace
