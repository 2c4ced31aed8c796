// Every collective through the whole stack, threads as ranks.
#include <gtest/gtest.h>

#include <mutex>
#include <numeric>
#include <set>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/communicator/in_process.hpp>
#include <support/collective_battery.hpp>

namespace hawser {
namespace {

std::set<std::uint64_t> digests_of(int size, const std::string& topology) {
  std::set<std::uint64_t> digests;
  std::mutex mutex;
  communicator_options options;
  options.topology = topology;
  run_in_process(size, options, [&](communicator& members) {
    const std::uint64_t digest = test::run_battery(members, true);
    std::lock_guard lock(mutex);
    digests.insert(digest);
  });
  return digests;
}

TEST(battery, every_rank_count) {
  for (int size : {1, 2, 3, 4, 5, 7, 8}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(digests_of(size, "").size(), 1U);
  }
}

TEST(battery, hierarchies) {
  const std::pair<int, const char*> cases[] = {
      {4, "rack:2 gpu:2"}, {5, "rack:[2,3]"}, {8, "pod:2 rack:2 gpu:2"}, {6, "rack:[1,2,3]"}};
  for (const auto& [size, topology] : cases) {
    SCOPED_TRACE(topology);
    EXPECT_EQ(digests_of(size, topology).size(), 1U);
  }
}

TEST(battery, the_same_plans_give_the_same_bits_again) {
  EXPECT_EQ(digests_of(6, "rack:[1,2,3]"), digests_of(6, "rack:[1,2,3]"));
}

std::int64_t total_of(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

void force_all_reduce(communicator& members, const call_options& forced) {
  const int size = members.size();
  for (int count : {0, 1, 3, 1001}) {
    std::vector<std::int32_t> data(static_cast<std::size_t>(count), members.rank().value + 1);
    members.all_reduce(data, op::sum, forced);
    for (std::int32_t each : data) ASSERT_EQ(each, size * (size + 1) / 2);
  }
}

/// Blocks of 0 to 3 elements, uneven and some empty.
void force_reduce_scatter(communicator& members, const call_options& forced) {
  const int size = members.size(), self = members.rank().value;
  std::vector<std::int64_t> blocks;
  for (int r = 0; r < size; ++r) blocks.push_back(r * 3 % 4);
  std::vector<std::int32_t> data(static_cast<std::size_t>(total_of(blocks))),
      mine(static_cast<std::size_t>(blocks[static_cast<std::size_t>(self)]));
  std::iota(data.begin(), data.end(), 0);
  members.reduce_scatter_v(data, mine, blocks, op::sum, forced);
  const auto before = std::accumulate(blocks.begin(), blocks.begin() + self, std::int64_t{0});
  for (std::size_t i = 0; i < mine.size(); ++i) ASSERT_EQ(mine[i], size * (before + static_cast<std::int64_t>(i)));
}

void force_all_to_all_v(communicator& members, const call_options& forced) {
  const int size = members.size(), self = members.rank().value;
  std::vector<std::int64_t> sent, received;
  for (int r = 0; r < size; ++r) {
    sent.push_back((self + 2 * r) % 3);
    received.push_back((r + 2 * self) % 3);
  }
  std::vector<std::int32_t> data(static_cast<std::size_t>(total_of(sent)), self),
      got(static_cast<std::size_t>(total_of(received)), -1);
  members.all_to_all_v(data, sent, got, received, forced);
  std::size_t at = 0;
  for (int r = 0; r < size; ++r)
    for (std::int64_t i = 0; i < received[static_cast<std::size_t>(r)]; ++i) ASSERT_EQ(got[at++], r);
}

void force_broadcast(communicator& members, const call_options& forced) {
  for (int root = 0; root < members.size(); ++root) {
    std::vector<std::int32_t> data(7, members.rank().value == root ? 42 + root : 0);
    members.broadcast(data, root, forced);
    for (std::int32_t each : data) ASSERT_EQ(each, 42 + root);
  }
}

void force_reduce(communicator& members, const call_options& forced) {
  for (int root = 0; root < members.size(); ++root) {
    std::vector<std::int32_t> data(7, 1), sum(7, 0);
    members.reduce(data, sum, root, op::sum, forced);
    if (members.rank() != rank(root)) continue;
    for (std::int32_t each : sum) ASSERT_EQ(each, members.size());
  }
}

/// Element i of rank r's part; no two are equal.
std::int32_t element(int r, std::size_t i) {
  return 1000 * r + static_cast<std::int32_t>(i);
}

constexpr std::size_t part = 5;

void force_gathers(communicator& members, bool to_all, const call_options& forced) {
  const auto size = static_cast<std::size_t>(members.size());
  std::vector<std::int32_t> mine(part);
  for (std::size_t i = 0; i < part; ++i) mine[i] = element(members.rank().value, i);
  for (int root = 0; root < (to_all ? 1 : members.size()); ++root) {
    std::vector<std::int32_t> all(size * part, -1);
    if (to_all)
      members.all_gather(mine, all, forced);
    else
      members.gather(mine, all, root, forced);
    if (!to_all && members.rank() != rank(root)) continue;
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], element(static_cast<int>(i / part), i % part));
  }
}

void force_scatter(communicator& members, const call_options& forced) {
  for (int root = 0; root < members.size(); ++root) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(members.size()) * part, -1), mine(part, -1);
    if (members.rank() == rank(root))
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = element(static_cast<int>(i / part), i % part) + root;
    members.scatter(all, mine, root, forced);
    for (std::size_t i = 0; i < part; ++i) ASSERT_EQ(mine[i], element(members.rank().value, i) + root);
  }
}

void force_all_to_all(communicator& members, const call_options& forced) {
  const int self = members.rank().value;
  std::vector<std::int32_t> sent(static_cast<std::size_t>(members.size()) * part), got(sent.size(), -1);
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = element(self, i);
  members.all_to_all(sent, got, forced);
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], element(static_cast<int>(i / part), static_cast<std::size_t>(self) * part + i % part));
}

void force(communicator& members, schedule::collective what, const call_options& forced) {
  switch (what) {
    case schedule::collective::all_reduce: return force_all_reduce(members, forced);
    case schedule::collective::reduce_scatter: return force_reduce_scatter(members, forced);
    case schedule::collective::all_gather: return force_gathers(members, true, forced);
    case schedule::collective::all_to_all: return force_all_to_all(members, forced);
    case schedule::collective::all_to_all_v: return force_all_to_all_v(members, forced);
    case schedule::collective::broadcast: return force_broadcast(members, forced);
    case schedule::collective::reduce: return force_reduce(members, forced);
    case schedule::collective::gather: return force_gathers(members, false, forced);
    case schedule::collective::scatter: return force_scatter(members, forced);
    case schedule::collective::barrier: return members.barrier(forced);
  }
}

/// Every registered algorithm, forced, runs its collective.
TEST(battery, every_algorithm_forced) {
  for (const auto& [size, topology] : {std::pair{5, "rack:[2,3]"}, std::pair{4, "rack:2 gpu:2"}}) {
    communicator_options options;
    options.topology = topology;
    run_in_process(size, options, [](communicator& members) {
      for (schedule::collective what : schedule::all_collectives)
        for (const std::string& name : algorithm::algorithm_names(members.hierarchy(), what)) {
          SCOPED_TRACE(name);
          call_options forced;
          forced.algorithm = name;
          force(members, what, forced);
        }
    });
  }
}

}  // namespace
}  // namespace hawser
