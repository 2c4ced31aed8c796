// The sampled verifier: agrees with the exact one on small machines, works on 131,040 ranks, sees what is broken.
#include <hawser/algorithm/enumerate.hpp>
#include <hawser/schedule/verify_sampled.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

namespace {

using namespace hawser;
using namespace hawser::schedule;

sample_report sample(const topology::hierarchy& tree, const request& what, const std::string& name,
                     const sample_options& options, int broken = -1) {
  return verify_sampled(
      what, tree.size(),
      [&](rank r) {
        hawser::schedule::schedule s = algorithm::generate(tree, what, name, r);
        if (r.value == broken) s.steps.erase(s.steps.begin() + 1);
        return derive_dependences(std::move(s));
      },
      options);
}

TEST(verify_sampled, right_algorithms_are_clean_and_traced_to_the_end) {
  for (const char* machine : {"gpu:7", "rack:[5,3,4]", "pod:2 rack:2 gpu:3"}) {
    const auto tree = topology::parse_synthetic(machine);
    for (collective each : all_collectives)
      for (const std::string& name : algorithm::algorithm_names(tree, each))
        for (bool in_place : {false, true}) {
          request what;
          what.what = each;
          what.root = 2;
          what.in_place = in_place;
          what.has_ragged_blocks = each == collective::all_to_all_v;
          const sample_report report = sample(tree, what, name, {.seed = 7, .traced_points = 4});
          EXPECT_TRUE(report.found.empty())
              << to_string(each) << " " << name << " on " << machine << ": " << to_string(report.found.front());
          EXPECT_EQ(report.traced_points, 4) << to_string(each) << " " << name << " on " << machine;
          EXPECT_EQ(report.unfinished_traces, 0);
        }
  }
}

TEST(verify_sampled, a_dropped_step_of_a_sampled_rank_is_seen) {
  const auto tree = topology::parse_synthetic("rack:4 gpu:4");
  request what;
  for (const std::string& name : algorithm::algorithm_names(tree, what.what)) {
    const sample_report report = sample(tree, what, name, {.ranks = {rank(5)}, .drawn_ranks = 0}, 5);
    EXPECT_FALSE(report.found.empty()) << name;
    if (!report.found.empty()) {
      EXPECT_NE(report.found.front().what.find("seed"), std::string::npos);
    }
  }
}

TEST(verify_sampled, serves_131040_ranks) {
  const auto tree = topology::parse_synthetic("rack:1820 gpu:72");
  request what;
  const sample_report report =
      sample(tree, what, "hierarchical(direct,circulant)",
             {.ranks = {rank(0), rank(131039)}, .drawn_ranks = 2, .traced_points = 1, .generated_programs = 600});
  EXPECT_TRUE(report.found.empty()) << to_string(report.found.front());
  EXPECT_EQ(report.checked_ranks, 4);
  EXPECT_GT(report.matched_messages, 4 * 72);
  EXPECT_EQ(report.unfinished_traces, 1) << "131,040 contributions do not fit the budget";
}

}  // namespace
