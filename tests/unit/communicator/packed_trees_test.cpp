// Trees that are packed because a call asks for them, on data: over threads, even and ragged racks.
#include <hawser/communicator/in_process.hpp>

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace hawser {
namespace {

constexpr int count = 1'001;

call_options forced(const char* algorithm) {
  call_options options;
  options.algorithm = algorithm;
  return options;
}

void expect_right_results(communicator& members) {
  const call_options packed = forced("packed_trees");
  const int n = members.size(), self = members.rank().value;
  std::vector<double> own(count), all(static_cast<std::size_t>(count * n)), sum(count);
  for (int i = 0; i < count; ++i) own[static_cast<std::size_t>(i)] = 1'000.0 * self + i;
  members.all_gather(own, all, packed);
  for (int r = 0; r < n; ++r)
    for (int i = 0; i < count; ++i) ASSERT_EQ(all[static_cast<std::size_t>(r * count + i)], 1'000.0 * r + i);
  members.reduce_scatter(all, sum, op::sum, packed);
  for (int i = 0; i < count; ++i) ASSERT_EQ(sum[static_cast<std::size_t>(i)], n * own[static_cast<std::size_t>(i)]);
  for (int twice = 0; twice < 2; ++twice) {  // the second time along a kept run
    members.all_reduce(own, sum, op::sum, packed);
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(sum[static_cast<std::size_t>(i)], 1'000.0 * n * (n - 1) / 2 + 1.0 * n * i);
  }
}

TEST(packed_trees, serve_calls_that_ask_for_them) {
  for (const auto& [topology, ranks] : {std::pair("rack:2 gpu:[3,2]", 5), std::pair("rack:3 gpu:2", 6)}) {
    communicator_options options;
    options.topology = topology;
    run_in_process(ranks, options, expect_right_results);
  }
}

TEST(packed_trees, refuse_what_they_cannot_do) {
  run_in_process(3, [](communicator& members) {
    std::vector<int> data(8, 1);
    EXPECT_THROW(members.broadcast(data, 0, forced("packed_trees")), error);
    EXPECT_THROW(members.all_reduce(data, op::sum, forced("packed_twigs")), error);
  });
}

}  // namespace
}  // namespace hawser
