// The hierarchical all-to-alls: messages per rank, what crosses which uplink, and the forms that a hierarchy admits.
#include <gtest/gtest.h>

#include <set>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/topology/synthetic.hpp>

#include "../schedule/mutants.hpp"
#include "verified.hpp"

namespace hawser {
namespace {

using schedule::collective;
using schedule::request;

constexpr const char* two_phases = "hierarchical(pairwise,pairwise)";
constexpr const char* three_phases = "hierarchical(pairwise,pairwise,pairwise)";

request exchange(bool ragged = false) {
  request what;
  what.what = ragged ? collective::all_to_all_v : collective::all_to_all;
  what.has_ragged_blocks = ragged;
  return what;
}

std::int64_t messages(const topology::hierarchy& tree, const char* name, rank self) {
  std::int64_t sent = 0;
  for (const auto& each : algorithm::generate(tree, exchange(), name, self).steps) sent += each.sends();
  return sent;
}

TEST(hierarchical_exchange, sends_as_many_messages_as_each_level_has_units) {
  const auto tree = topology::parse_synthetic("pod:3 rack:5 gpu:4");
  for (std::int32_t r = 0; r < tree.size(); ++r) {
    EXPECT_EQ(messages(tree, two_phases, r), 3 + 14);
    EXPECT_EQ(messages(tree, three_phases, r), 3 + 4 + 2);
  }
}

/// The table of docs/algorithms.md: once over every link, but a second time over a rack's where it leaves the pod.
TEST(hierarchical_exchange, what_leaves_a_pod_crosses_a_rack_twice) {
  for (const auto& [text, g, racks, pods] :
       {std::tuple{"pod:3 rack:4 gpu:2", 2.0, 4.0, 3.0}, std::tuple{"pod:2 rack:2 gpu:3", 3.0, 2.0, 2.0}}) {
    const auto tree = topology::parse_synthetic(text);
    const double pod = g * racks, n = pod * pods;
    const auto direct = cost::count_traffic(tree, exchange(), two_phases);
    EXPECT_NEAR(direct.blocks_out[0], pod * (n - pod), 1e-9);
    EXPECT_NEAR(direct.blocks_out[1], g * (n - g), 1e-9);
    const auto relayed = cost::count_traffic(tree, exchange(), three_phases);
    EXPECT_NEAR(relayed.blocks_out[0], pod * (n - pod), 1e-9);
    // To the other racks of the pod: their own blocks and those that they carry on; then out of the pod.
    EXPECT_NEAR(relayed.blocks_out[1], g * (pod - g) * pods + g * (n - pod), 1e-9);
  }
}

TEST(hierarchical_exchange, steps_are_bounded_by_what_the_planner_is_told) {
  for (const char* text :
       {"rack:3 gpu:5", "rack:[8,8,5]", "rack:[1,9]", "pod:2 rack:3 gpu:4", "pod:2 rack:[2,1] gpu:[3,4,5]",
        "pod:2 rack:[1,3] gpu:[2,5,1,3]", "pod:3 rack:[4,1,1] gpu:[1,7,1,7,2,3]"}) {
    const auto tree = topology::parse_synthetic(text);
    for (const std::string& name : algorithm::algorithm_names(tree, collective::all_to_all))
      for (std::int32_t r = 0; r < tree.size(); ++r)
        for (const bool ragged : {false, true})
          EXPECT_LE(static_cast<std::int64_t>(algorithm::generate(tree, exchange(ragged), name, r).steps.size()),
                    algorithm::steps_bound(tree, exchange(ragged).what, name))
              << name << " on " << text << ", rank " << r;
  }
}

TEST(hierarchical_exchange, four_levels_have_two_forms_and_both_are_proved) {
  const std::string text = "zone:2 pod:[2,1] rack:[2,1,2] gpu:[2,3,1,2,2]";
  const auto tree = topology::parse_synthetic(text);
  std::set<std::string> names;
  for (const std::string& name : algorithm::algorithm_names(tree, collective::all_to_all))
    if (algorithm::parse_name(name).is_hierarchical) names.insert(name);
  EXPECT_EQ(names, (std::set<std::string>{two_phases, three_phases}));
  for (const std::string& name : names)
    for (const bool ragged : {false, true})
      for (const bool in_place : {false, true}) {
        request what = exchange(ragged);
        what.in_place = in_place;
        tests::expect_verified(tree, what, name, text);
      }
}

/// Any wrong step of the three phases is caught: by the verifier, or it is none, as the data say.
TEST(hierarchical_exchange, a_wrong_step_in_three_phases_is_caught) {
  const auto tree = topology::parse_synthetic("pod:2 rack:[2,1] gpu:[2,1,2]");
  const int ranks = static_cast<int>(tree.size());
  for (const bool ragged : {false, true}) {
    const request what = exchange(ragged);
    tests::schedules right;
    for (int r = 0; r < ranks; ++r) right.push_back(algorithm::generate(tree, what, three_phases, r));
    const tests::oracle runs(what, ranks);
    ASSERT_TRUE(runs.is_right(right));
    int made = 0;
    for (tests::mutation how : tests::all_mutations)
      for (int r = 0; r < ranks; ++r)
        tests::each_mutant(right[static_cast<std::size_t>(r)], how, ranks, [&](const auto& mutant, const auto& text) {
          ++made;
          tests::schedules all = right;
          all[static_cast<std::size_t>(r)] = mutant;
          const auto found = schedule::verify(what, ranks, [&](rank of) {
            return schedule::derive_dependences(all[static_cast<std::size_t>(of.value)]);
          });
          if (found.empty()) {
            EXPECT_TRUE(runs.is_right(all)) << "not caught: " << text;
          }
        });
    EXPECT_GT(made, 100);
  }
}

errc refusal(const char* text, const char* name) {
  try {
    (void)algorithm::generate(topology::parse_synthetic(text), exchange(), name, 0);
  } catch (const error& refused) {
    return refused.code();
  }
  return errc::internal;
}

TEST(hierarchical_exchange, refuses_phases_that_it_does_not_have) {
  EXPECT_EQ(refusal("rack:2 gpu:2", three_phases), errc::unsupported);
  EXPECT_EQ(refusal("rack:2 gpu:2", "hierarchical(pairwise)"), errc::unsupported);
  EXPECT_EQ(refusal("a:2 b:2 c:2 d:2", "hierarchical(pairwise,pairwise,pairwise,pairwise)"), errc::unsupported);
  EXPECT_EQ(refusal("rack:2 gpu:2", "hierarchical(bruck,pairwise)"), errc::unsupported);
}

TEST(hierarchical_exchange, a_rank_of_131328_holds_its_own_steps_only) {
  const auto tree = topology::parse_synthetic("pod:16 rack:114 gpu:72");
  for (const char* name : {two_phases, three_phases}) {
    const auto made = algorithm::generate(tree, exchange(), name, 131'039);
    EXPECT_LE(made.memory_bytes(), std::size_t{2} << 20) << name;
    EXPECT_LE(static_cast<std::int64_t>(made.steps.size()), algorithm::steps_bound(tree, collective::all_to_all, name));
  }
  EXPECT_EQ(messages(tree, three_phases, 131'039), 71 + 113 + 15);
}

}  // namespace
}  // namespace hawser
