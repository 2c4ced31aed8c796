// In-network reduction for real: aggregators join the job, and every collective that has the algorithm is right bit by
// bit, through them and beside each other; what does not fit is an error that says why.
#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/communicator/aggregator.hpp>
#include <support/threads_over.hpp>

#include "../../../src/communicator/state.hpp"

namespace hawser {
namespace {

call_options by(std::string algorithm, schedule::mode reproducibility = schedule::mode::fast) {
  call_options wishes;
  wishes.algorithm = std::move(algorithm);
  wishes.reproducibility = reproducibility;
  return wishes;
}

using schedule::collective;

/// Runs ranks, and an aggregator for each named level after them; returns what each process failed with.
template <class Body>
std::vector<std::string> run_with(int ranks, const std::vector<std::string>& levels, communicator_options options,
                                  Body&& body) {
  const int size = ranks + static_cast<int>(levels.size());
  const auto job = bootstrap::in_process_job::create(size);
  options.transports = {transport::in_process_factory(std::make_shared<transport::in_process_hub>(size))};
  std::vector<std::string> failures(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      try {
        if (r >= ranks) return serve_switch(job->join(r), options, levels[static_cast<std::size_t>(r - ranks)]);
        communicator members(job->join(r), options);
        body(members);
      } catch (const std::exception& failed) {
        failures[static_cast<std::size_t>(r)] = failed.what();
      }
    });
  for (std::thread& each : threads) each.join();
  return failures;
}

void expect_no_failures(const std::vector<std::string>& failures) {
  for (std::size_t r = 0; r < failures.size(); ++r) EXPECT_EQ(failures[r], "") << "process " << r;
}

communicator_options on(const char* topology) {
  communicator_options options;
  options.topology = topology;
  return options;
}

/// Names of the possible candidates that use switches.
std::vector<std::string> through_switches(communicator& members, collective what, std::int64_t count) {
  std::vector<std::string> names;
  for (const schedule::candidate& each : members.plan_for({.what = what, .count = count}).candidates)
    if (each.is_possible() && algorithm::needs_switch(each.algorithm)) names.push_back(each.algorithm);
  return names;
}

std::int64_t value(int r, std::size_t i) {
  return (r + 1) * 1'000'003 + static_cast<std::int64_t>(i) * 7;
}

std::vector<std::int64_t> input_of(communicator& members, std::size_t elements) {
  std::vector<std::int64_t> made(elements);
  for (std::size_t i = 0; i < elements; ++i) made[i] = value(members.rank().value, i);
  return made;
}

std::int64_t total(communicator& members, std::size_t i) {
  std::int64_t sum = 0;
  for (int r = 0; r < members.size(); ++r) sum += value(r, i);
  return sum;
}

void check_all_reduce(communicator& members, std::size_t count, const call_options& wishes) {
  std::vector<std::int64_t> sum = input_of(members, count);
  members.all_reduce(std::span(sum), op::sum, wishes);
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(sum[i], total(members, i)) << wishes.algorithm << " " << i;
}

void check_rooted(communicator& members, std::size_t count, const call_options& wishes, collective what, rank root) {
  std::vector<std::int64_t> data = input_of(members, count), result(count);
  if (what == collective::broadcast) {
    members.broadcast(std::span(data), root, wishes);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(data[i], value(root.value, i)) << wishes.algorithm;
    return;
  }
  members.reduce(data, result, root, op::sum, wishes);
  if (members.rank() != root) return;
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(result[i], total(members, i)) << wishes.algorithm;
}

void check_blocks(communicator& members, std::size_t count, const call_options& wishes, collective what) {
  const std::size_t n = static_cast<std::size_t>(members.size()), self = static_cast<std::size_t>(members.rank().value);
  if (what == collective::reduce_scatter) {
    std::vector<std::int64_t> own(count);
    members.reduce_scatter(input_of(members, n * count), own, op::sum, wishes);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(own[i], total(members, self * count + i)) << wishes.algorithm;
    return;
  }
  std::vector<std::int64_t> all(n * count);
  members.all_gather(input_of(members, count), all, wishes);
  for (std::size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(all[i], value(static_cast<int>(i / count), i % count)) << wishes.algorithm;
}

void check_everything(communicator& members) {
  for (const std::size_t count : {1U, 37U, 5000U})
    for (const std::int64_t segments : {0, 3}) {
      call_options wishes;
      wishes.segments = segments;
      const auto agreed = static_cast<std::int64_t>(count);
      int algorithms = 0;
      for (const collective what : {collective::all_reduce, collective::reduce, collective::broadcast,
                                    collective::reduce_scatter, collective::all_gather})
        for (const std::string& name : through_switches(members, what, agreed)) {
          wishes.algorithm = name;
          ++algorithms;
          if (what == collective::all_reduce)
            check_all_reduce(members, count, wishes);
          else if (schedule::has_root(what))
            check_rooted(members, count, wishes, what, members.size() - 1);
          else
            check_blocks(members, count, wishes, what);
        }
      EXPECT_GT(algorithms, 5);
    }
}

TEST(aggregator, every_collective_is_right_through_one_switch) {
  expect_no_failures(run_with(6, {""}, on("rack:3 gpu:2"), check_everything));
  expect_no_failures(run_with(4, {"gpu"}, on("gpu:4"),
                              [](communicator& members) { check_all_reduce(members, 1000, by("in_network")); }));
}

TEST(aggregator, every_collective_is_right_through_switches_of_two_levels) {
  expect_no_failures(run_with(6, {"rack", "gpu", "gpu", "gpu"}, on("rack:3 gpu:2"), check_everything));
}

TEST(aggregator, ragged_racks_meet_in_the_switch) {
  expect_no_failures(run_with(6, {"rack"}, on("rack:[3,1,2]"), check_everything));
}

TEST(aggregator, calls_run_side_by_side_and_again) {
  expect_no_failures(run_with(4, {"rack"}, on("rack:2 gpu:2"), [](communicator& members) {
    constexpr std::size_t count = 4096;
    const call_options wishes = by("hierarchical(direct,in_network)");
    std::vector<std::vector<std::int64_t>> sums(8, input_of(members, count));
    for (int round = 0; round < 3; ++round) {
      std::vector<pending> started;
      for (auto& each : sums) {
        each = input_of(members, count);
        started.push_back(members.async().all_reduce(std::span(each), op::sum, wishes));
      }
      for (auto each = started.rbegin(); each != started.rend(); ++each) each->wait();
      for (const auto& each : sums)
        for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(each[i], total(members, i));
    }
  }));
}

TEST(aggregator, modes_that_sum_in_an_order_of_their_own_use_it_too) {
  expect_no_failures(run_with(4, {"rack"}, on("rack:2 gpu:2"), [](communicator& members) {
    for (const auto mode : {schedule::mode::canonical, schedule::mode::order_invariant}) {
      std::vector<float> by_switch(999), among_ranks(999);
      for (std::size_t i = 0; i < by_switch.size(); ++i)
        by_switch[i] = among_ranks[i] =
            1.0F / static_cast<float>(3 + i + 17U * static_cast<unsigned>(members.rank().value));
      members.all_reduce(std::span(by_switch), op::sum, by("hierarchical(direct,in_network)", mode));
      members.all_reduce(std::span(among_ranks), op::sum, by("hierarchical(direct,two_shot)", mode));
      EXPECT_EQ(by_switch, among_ranks) << to_string(mode);
    }
  }));
}

TEST(aggregator, the_planner_considers_it_only_where_it_can_serve) {
  expect_no_failures(run_with(4, {"rack"}, on("rack:2 gpu:2"), [](communicator& members) {
    EXPECT_FALSE(through_switches(members, collective::all_reduce, 1000).empty());
    const auto part = members.split(members.rank().value % 2, 0);
    EXPECT_TRUE(through_switches(*part, collective::all_reduce, 1000).empty());
    const schedule::request own{.what = collective::all_reduce, .count = 10, .op = reduce_kind::user};
    for (const schedule::candidate& each : members.plan_for(own).candidates)
      EXPECT_FALSE(algorithm::needs_switch(each.algorithm) && each.is_possible()) << each.algorithm;
  }));
  // The topology says that the switches can reduce, but no aggregator has joined, or only for some.
  expect_no_failures(run_with(4, {}, on("rack:2+reduces gpu:2"), [](communicator& members) {
    EXPECT_TRUE(through_switches(members, collective::all_reduce, 1000).empty());
    for (const schedule::candidate& each : members.plan_for({.count = 1000}).candidates) {
      if (each.algorithm == "hierarchical(direct,in_network)") {
        EXPECT_EQ(each.rejected, "no aggregator serves the switch over level rack");
      }
    }
  }));
  expect_no_failures(run_with(4, {"gpu", "gpu"}, on("rack:2+reduces gpu:2"), [](communicator& members) {
    const auto names = through_switches(members, collective::all_reduce, 1000);
    EXPECT_FALSE(names.empty());
    for (const std::string& name : names) check_all_reduce(members, 1000, by(name));
  }));
}

void expect_all_say(const std::vector<std::string>& failures, const std::string& what) {
  for (std::size_t r = 0; r < failures.size(); ++r)
    EXPECT_NE(failures[r].find(what), std::string::npos) << "process " << r << " says: " << failures[r];
}

TEST(aggregator, what_does_not_fit_is_told_to_all) {
  const auto nothing = [](communicator&) {};
  expect_all_say(run_with(4, {"zone"}, on("rack:2 gpu:2"), nothing), "the job's hierarchy has rack, gpu");
  expect_all_say(run_with(4, {"gpu"}, on("rack:2 gpu:2"), nothing), "level gpu has 2 switches");
  expect_all_say(run_with(4, {"gpu", "gpu", "rack"}, on("rack:2 gpu:2"), nothing), "not in order");
}

TEST(aggregator, a_dead_one_is_named_by_every_rank) {
  const auto failures = run_with(4, {"rack"}, on("rack:2 gpu:2"), [](communicator& members) {
    check_all_reduce(members, 1000, by("hierarchical(direct,in_network)"));
    // The aggregator meets a call that it cannot read: it ends, and nobody waits for it for ever.
    if (members.rank() == rank(0)) {
      detail::switch_call wrong;
      wrong.what.algorithm = "hierarchical(magic,in_network)";
      detail::switch_announcer told(members.state()->owner().engine());
      told.tell(4, wrong);
      told.flush(std::chrono::seconds(10));
    }
    check_all_reduce(members, 1000, by("hierarchical(direct,in_network)"));
  });
  EXPECT_NE(failures[4].find("magic"), std::string::npos) << failures[4];
  for (std::size_t r = 0; r < 4; ++r)
    EXPECT_NE(failures[r].find("is the aggregator of the switch over level rack"), std::string::npos) << failures[r];
}

}  // namespace
}  // namespace hawser
