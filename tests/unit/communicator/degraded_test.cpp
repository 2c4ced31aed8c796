// Links that are reported as degraded change the plans of all ranks between the same two calls, and results stay right.
#include <hawser/communicator/in_process.hpp>
#include <hawser/schedule/rail_shares.hpp>

#include <gtest/gtest.h>

#include <mutex>
#include <numeric>
#include <set>
#include <vector>

namespace hawser {
namespace {

schedule::request large_sum() {
  schedule::request what;
  what.count = 1 << 22;
  return what;
}

void expect_sums(communicator& members, const std::string& algorithm = {}) {
  call_options options;
  options.algorithm = algorithm;
  std::vector<std::int32_t> data(100'003);
  std::iota(data.begin(), data.end(), members.rank().value);
  members.all_reduce(data, op::sum, options);
  const int n = members.size();
  for (std::size_t i = 0; i < data.size(); i += 331) ASSERT_EQ(data[i], n * static_cast<int>(i) + n * (n - 1) / 2) << i;
}

communicator_options two_racks() {
  communicator_options options;
  options.topology = "rack:2@400MB/s,5us gpu:4@20GB/s,1us";
  return options;
}

TEST(degraded, a_broken_rail_carries_nothing_any_more_on_any_rank_s_plan) {
  std::mutex mutex;
  std::set<std::string> plans;
  run_in_process(8, two_racks(), [&](communicator& members) {
    expect_sums(members);
    const schedule::plan before = members.plan_for(large_sum());
    schedule::request over_rails = large_sum();
    over_rails.algorithm = "multi_rail";
    const std::string shares = members.plan_for(over_rails).prepared;
    std::vector<degraded_link> seen;
    if (members.rank() == rank(5)) seen.push_back({.member = 5, .level = "rack", .left = 0});
    const auto links = members.report_degraded(seen);
    ASSERT_EQ(links.size(), 1u);
    EXPECT_EQ(links[0].member, rank(5));
    const schedule::plan after = members.plan_for(large_sum());
    EXPECT_GT(after.predicted, before.predicted);
    // Of four rails three are left, each with a third.
    const schedule::plan over = members.plan_for(over_rails);
    EXPECT_NE(over.prepared, shares);
    EXPECT_EQ(schedule::parse_rail_shares(over.prepared).weight, (std::vector<std::int64_t>{1, 0, 1, 1}));
    expect_sums(members);
    expect_sums(members, "multi_rail");
    {
      std::lock_guard lock(mutex);
      plans.insert(after.algorithm + " " + over.prepared);
    }
    // Repaired: the plans of before.
    members.report_degraded(members.rank() == rank(0) ? std::vector<degraded_link>{{5, "rack", 1}}
                                                      : std::vector<degraded_link>{});
    EXPECT_EQ(members.plan_for(large_sum()).algorithm, before.algorithm);
    EXPECT_EQ(members.plan_for(large_sum()).predicted, before.predicted);
    expect_sums(members);
  });
  EXPECT_EQ(plans.size(), 1u);
}

TEST(degraded, shares_follow_what_is_left) {
  run_in_process(8, two_racks(), [&](communicator& members) {
    schedule::request over_rails = large_sum();
    over_rails.algorithm = "multi_rail";
    const auto shares = [&] { return schedule::parse_rail_shares(members.plan_for(over_rails).prepared).weight; };
    members.report_degraded({{2, "", 0.5}});  // all say the same
    EXPECT_EQ(shares(), (std::vector<std::int64_t>{2, 2, 1, 2}));
    expect_sums(members, "multi_rail");
    members.report_degraded({{2, "", 0.25}});
    EXPECT_EQ(shares(), (std::vector<std::int64_t>{4, 4, 1, 4}));
    expect_sums(members, "multi_rail");
    EXPECT_EQ(members.report_degraded({}).size(), 1u);
  });
}

TEST(degraded, machines_without_rails_count_the_slower_link_too) {
  communicator_options options;
  options.topology = "rack:2@40GB/s,5us gpu:[3,2]@100GB/s,1us";
  run_in_process(5, options, [&](communicator& members) {
    const seconds before = members.plan_for(large_sum()).predicted;
    members.report_degraded({{4, "rack", 0.1}});
    EXPECT_GT(members.plan_for(large_sum()).predicted, before);
    expect_sums(members);
  });
}

TEST(degraded, wrong_reports_are_refused_on_all_ranks) {
  run_in_process(4, [&](communicator& members) {
    for (const degraded_link& wrong :
         {degraded_link{7, "", 0}, degraded_link{0, "moon", 0}, degraded_link{0, "", 1.5}}) {
      try {
        members.report_degraded(members.rank() == rank(2) ? std::vector{wrong} : std::vector<degraded_link>{});
        ADD_FAILURE();
      } catch (const error& refused) {
        EXPECT_EQ(refused.code(), errc::invalid_argument) << refused.what();
      }
    }
    expect_sums(members);
  });
}

}  // namespace
}  // namespace hawser
