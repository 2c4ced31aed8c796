// all_to_all_v of skewed sizes by every algorithm, threads as ranks: most blocks small, some empty, some a thousand
// times the typical one, whole rows empty. Sizes are known to their owners only.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/communicator/in_process.hpp>
#include <support/skewed_sizes.hpp>

namespace hawser {
namespace {

using test::matrix;

void exchange(communicator& members, const matrix& sizes, const std::string& name) {
  const test::exchange_of<std::int32_t> part(sizes, static_cast<std::size_t>(members.rank().value));
  std::vector<std::int32_t> got(part.wanted.size(), -1);
  call_options options;
  options.algorithm = name;
  members.all_to_all_v(part.data, part.sent, got, part.received, options);
  EXPECT_EQ(got, part.wanted) << name << " on " << sizes.size() << " ranks";
}

TEST(all_to_all_v, skewed_sizes_by_every_algorithm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::pair<int, const char*> machines[] = {
      {1, ""}, {3, ""}, {7, ""}, {6, "rack:[1,2,3]"}, {8, "pod:2 rack:2 gpu:2"}, {9, "pod:2 rack:[2,1] gpu:[3,2,4]"}};
  for (const auto& [n, topology] : machines) {
    std::vector<matrix> cases;
    for (int i = 0; i < 3; ++i) cases.push_back(test::skewed_sizes(n, random, {20, 5'000, 20'000}));
    communicator_options options;
    options.topology = topology;
    std::atomic<int> algorithms = 0;
    run_in_process(n, options, [&](communicator& members) {
      const auto names = algorithm::algorithm_names(members.hierarchy(), schedule::collective::all_to_all_v);
      for (const std::string& name : names)
        for (const matrix& sizes : cases) exchange(members, sizes, name);
      algorithms = static_cast<int>(names.size());
    });
    EXPECT_GE(algorithms, 5);
  }
}

}  // namespace
}  // namespace hawser
