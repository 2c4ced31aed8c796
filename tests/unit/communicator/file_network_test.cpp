// A topology file that tells links, not only a hierarchy: every rank of a job plans for these links.
#include <hawser/communicator/in_process.hpp>
#include <hawser/topology/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <support/needs.hpp>
#include <support/refused_ranks.hpp>
#include <support/temporary_file.hpp>

namespace hawser {
namespace {

/// GPUs, joined one after the other in this order: a ring with a broken link.
std::string chain(const std::vector<topology::node_index>& order, std::optional<bandwidth> rate = bandwidth{50e9}) {
  topology::graph machine;
  for (std::size_t g = 0; g < order.size(); ++g) {
    const std::string name = "g" + std::to_string(g);
    machine.add_node({.kind = topology::node_kind::gpu, .name = name, .identities = {name}});
  }
  for (std::size_t g = 1; g < order.size(); ++g)
    machine.add_edge({.a = order[g - 1], .b = order[g], .kind = topology::edge_kind::nvlink, .rate = rate});
  return topology::to_json(machine);
}

schedule::request large_gather() {
  schedule::request what;
  what.what = schedule::collective::all_gather;
  what.count = 1 << 22;
  return what;
}

bool is_candidate(const schedule::plan& made, std::string_view name) {
  return std::ranges::any_of(made.candidates,
                             [&](const auto& each) { return each.algorithm == name && each.is_possible(); });
}

communicator_options with_topology(const std::string& topology) {
  communicator_options options;
  options.topology = topology;
  return options;
}

void expect_gathered(communicator& members) {
  const int count = 10'007, n = members.size();
  std::vector<std::int32_t> own(count), all(static_cast<std::size_t>(count * n));
  std::iota(own.begin(), own.end(), 1'000'000 * members.rank().value);
  members.all_gather(own, all);
  for (int r = 0; r < n; ++r)
    for (int i = 0; i < count; i += 97)
      ASSERT_EQ(all[static_cast<std::size_t>(r * count + i)], 1'000'000 * r + i) << "rank " << r;
}

class file_network : public testing::Test {
 protected:
  void SetUp() override { HAWSER_NEEDS(chain({0, 1})); }
};

TEST_F(file_network, links_of_a_file_are_planned_for_on_all_ranks) {
  const test::temporary_file file(chain({0, 1, 2, 3, 4, 5}));
  std::mutex mutex;
  std::set<std::string> plans;
  run_in_process(6, with_topology(file.name()), [&](communicator& members) {
    const schedule::plan made = members.plan_for(large_gather());
    EXPECT_TRUE(is_candidate(made, "packed_trees"));
    expect_gathered(members);
    std::lock_guard lock(mutex);
    plans.insert(made.algorithm + " " + made.prepared + " " + std::to_string(made.predicted.count()));
  });
  EXPECT_EQ(plans.size(), 1u);
}

TEST_F(file_network, a_repaired_link_brings_back_the_file_s) {
  const test::temporary_file file(chain({0, 1, 2, 3}));
  run_in_process(4, with_topology(file.name()), [&](communicator& members) {
    const schedule::plan before = members.plan_for(large_gather());
    const std::string level = members.hierarchy().levels().back().name;
    const bool tells = members.rank() == rank(1);
    members.report_degraded(tells ? std::vector<degraded_link>{{2, level, 0.25}} : std::vector<degraded_link>{});
    EXPECT_GT(members.plan_for(large_gather()).predicted, before.predicted);
    members.report_degraded(tells ? std::vector<degraded_link>{{2, level, 1}} : std::vector<degraded_link>{});
    EXPECT_EQ(members.plan_for(large_gather()).predicted, before.predicted);
    EXPECT_TRUE(is_candidate(members.plan_for(large_gather()), "packed_trees"));
    expect_gathered(members);
  });
}

TEST_F(file_network, a_hierarchy_or_unknown_rates_are_planned_by_the_hierarchy) {
  const test::temporary_file unknown(chain({0, 1, 2, 3}, std::nullopt));
  for (const std::string& topology : {unknown.name(), std::string("gpu:4")})
    run_in_process(4, with_topology(topology), [&](communicator& members) {
      EXPECT_FALSE(is_candidate(members.plan_for(large_gather()), "packed_trees")) << topology;
      expect_gathered(members);
    });
}

TEST_F(file_network, ranks_whose_files_tell_other_links_are_named) {
  const test::temporary_file one(chain({0, 1, 2, 3})), other(chain({0, 2, 1, 3}));  // the same hierarchy
  const auto options_of = [&](int r) { return with_topology((r == 2 ? other : one).name()); };
  const int told = test::count_refused(4, options_of, [](const error& failure) {
    EXPECT_EQ(failure.code(), errc::mismatch);
    EXPECT_NE(std::string(failure.what()).find("ranks 2 differ"), std::string::npos) << failure.what();
    return true;
  });
  EXPECT_EQ(told, 4);
}

}  // namespace
}  // namespace hawser
