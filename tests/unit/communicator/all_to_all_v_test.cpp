// all_to_all_v of skewed sizes by every algorithm, threads as ranks: most blocks small, some empty, some a thousand
// times the typical one, whole rows empty. Sizes are known to their owners only.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/communicator/in_process.hpp>

namespace hawser {
namespace {

using matrix = std::vector<std::vector<std::int64_t>>;  // [from][to]: elements

matrix skewed(int n, std::mt19937& random) {
  const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  matrix sizes(static_cast<std::size_t>(n), std::vector<std::int64_t>(static_cast<std::size_t>(n)));
  for (auto& row : sizes) {
    const bool is_silent = number(0, 4) == 0;
    for (std::int64_t& each : row) {
      const int kind = number(0, 9);
      each = is_silent || kind < 3 ? 0 : kind < 9 ? number(1, 20) : number(5'000, 20'000);
    }
  }
  return sizes;
}

std::int32_t element(std::size_t from, std::size_t to, std::int64_t i) {
  return static_cast<std::int32_t>(from * 1'000'000 + to * 100'000) + static_cast<std::int32_t>(i);
}

void exchange(communicator& members, const matrix& sizes, const std::string& name) {
  const auto self = static_cast<std::size_t>(members.rank().value), n = sizes.size();
  const std::vector<std::int64_t>& sent = sizes[self];
  std::vector<std::int64_t> received;
  for (const auto& row : sizes) received.push_back(row[self]);
  std::vector<std::int32_t> data, wanted;
  for (std::size_t r = 0; r < n; ++r) {
    for (std::int64_t i = 0; i < sent[r]; ++i) data.push_back(element(self, r, i));
    for (std::int64_t i = 0; i < received[r]; ++i) wanted.push_back(element(r, self, i));
  }
  std::vector<std::int32_t> got(wanted.size(), -1);
  call_options options;
  options.algorithm = name;
  members.all_to_all_v(data, sent, got, received, options);
  EXPECT_EQ(got, wanted) << name << " on " << n << " ranks";
}

TEST(all_to_all_v, skewed_sizes_by_every_algorithm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::pair<int, const char*> machines[] = {
      {1, ""}, {3, ""}, {7, ""}, {6, "rack:[1,2,3]"}, {8, "pod:2 rack:2 gpu:2"}, {9, "pod:2 rack:[2,1] gpu:[3,2,4]"}};
  for (const auto& [n, topology] : machines) {
    std::vector<matrix> cases;
    for (int i = 0; i < 3; ++i) cases.push_back(skewed(n, random));
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
