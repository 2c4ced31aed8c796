// Plans: the choice, its reasons, what is refused, and that every rank decides alike.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <hawser/planner/explain.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::planner {
namespace {

using schedule::collective;
using schedule::request;

request of(collective what, std::int64_t bytes) {
  request made{.what = what};
  made.count = bytes / 4;
  return made;
}

planner on(const char* topology) {
  return planner(topology::parse_synthetic(topology));
}

const schedule::candidate& named(const schedule::plan& made, const std::string& name) {
  for (const schedule::candidate& each : made.candidates)
    if (each.algorithm == name) return each;
  throw error(errc::not_found, name);
}

TEST(planner, chooses_the_cheapest_and_lists_every_algorithm) {
  const planner p = on("rack:4 gpu:4");
  for (collective what : schedule::all_collectives)
    for (std::int64_t bytes : {0, 64, 1 << 20}) {
      const schedule::plan made = p.make_plan(of(what, bytes));
      EXPECT_EQ(made.candidates.size(), algorithm::algorithm_names(p.tree(), what).size());
      EXPECT_EQ(made.algorithm, made.candidates.front().algorithm);
      for (const schedule::candidate& each : made.candidates)
        if (each.is_possible()) {
          EXPECT_GE(each.predicted * cost::price_of_not_knowing, made.predicted);
        }
    }
}

TEST(planner, size_changes_the_choice) {
  const planner p = on("rack:8@10GB/s,10us gpu:8@100GB/s,1us");
  const auto small = p.make_plan(of(collective::all_reduce, 64)),
             large = p.make_plan(of(collective::all_reduce, 1 << 28));
  EXPECT_NE(small.algorithm, large.algorithm);
  EXPECT_TRUE(algorithm::parse_name(large.algorithm).is_hierarchical) << large.algorithm;
}

TEST(planner, does_not_look_at_one_ranks_buffers) {
  const planner p = on("rack:2 gpu:3");
  for (collective what : schedule::all_collectives) {
    request out_of_place = of(what, 1 << 16), in_place = out_of_place;
    in_place.in_place = true;
    EXPECT_EQ(p.make_plan(out_of_place).algorithm, p.make_plan(in_place).algorithm);
    EXPECT_EQ(p.make_plan(out_of_place).segments, p.make_plan(in_place).segments);
  }
}

TEST(planner, the_same_hierarchy_gives_the_same_plan) {
  EXPECT_EQ(explain(on("rack:[2,3]").make_plan(of(collective::all_reduce, 4096))),
            explain(on("rack:2 gpu:[2,3]").make_plan(of(collective::all_reduce, 4096))));
}

TEST(planner, a_non_commutative_operator_gets_an_order_preserving_algorithm) {
  const planner p = on("rack:2 gpu:3");
  for (collective what : {collective::all_reduce, collective::reduce_scatter, collective::reduce}) {
    request ordered = of(what, 4096);
    ordered.is_commutative = false;
    const schedule::plan made = p.make_plan(ordered);
    EXPECT_TRUE(algorithm::keeps_order(p.tree(), what, made.algorithm)) << made.algorithm;
  }
  request ordered = of(collective::all_reduce, 4096);
  ordered.is_commutative = false;
  EXPECT_NE(named(p.make_plan(ordered), "ring").rejected.find("order"), std::string::npos);
}

TEST(planner, private_counts_get_an_algorithm_that_needs_no_others) {
  const planner p = on("rack:2 gpu:3");
  for (collective what : {collective::all_to_all_v, collective::gather, collective::scatter}) {
    request own = of(what, 4096);
    own.has_ragged_blocks = true;
    own.are_counts_agreed = false;
    const schedule::plan made = p.make_plan(own);
    EXPECT_TRUE(algorithm::works_with_private_counts(what, made.algorithm)) << made.algorithm;
    EXPECT_EQ(made.segments, 1);
  }
}

/// All that forwards blocks of sizes that only their owners know pays for a pass of the sizes, and nothing else does.
TEST(planner, sizes_that_go_ahead_are_charged) {
  const planner p = on("pod:2 rack:2 gpu:4");
  request agreed = of(collective::all_to_all, 4096), own = of(collective::all_to_all_v, 4096);
  own.has_ragged_blocks = true;
  own.are_counts_agreed = false;
  const schedule::plan same_size = p.make_plan(agreed), sizes_first = p.make_plan(own);
  for (const schedule::candidate& each : sizes_first.candidates) {
    SCOPED_TRACE(each.algorithm);
    ASSERT_TRUE(each.is_possible()) << each.rejected;
    const seconds without = named(same_size, each.algorithm).predicted;
    if (each.algorithm == "pairwise") {
      EXPECT_EQ(each.predicted, without);
    } else {
      EXPECT_GT(each.predicted, without);
    }
  }
}

TEST(planner, small_blocks_take_few_messages_large_ones_the_straight_way) {
  const planner p = on("pod:8@400GB/s,8us rack:8@50GB/s,5us gpu:8@450GB/s,1us");
  const auto all_to_all = [&](std::int64_t bytes) { return p.make_plan(of(collective::all_to_all, bytes)); };
  EXPECT_EQ(all_to_all(64).algorithm, "hierarchical(pairwise,pairwise,pairwise)");
  EXPECT_EQ(all_to_all(1 << 20).algorithm, "hierarchical(pairwise,pairwise)");
  const planner flat = on("gpu:64@50GB/s,1us");
  EXPECT_NE(flat.make_plan(of(collective::all_to_all, 8)).algorithm, "pairwise");
  EXPECT_EQ(flat.make_plan(of(collective::all_to_all, 1 << 20)).algorithm, "pairwise");
}

TEST(planner, a_forced_algorithm_is_taken_however_slow) {
  const planner p = on("rack:4 gpu:4");
  request forced = of(collective::all_reduce, 1 << 24);
  forced.algorithm = "one_shot";
  const schedule::plan made = p.make_plan(forced);
  EXPECT_EQ(made.algorithm, "one_shot");
  EXPECT_NE(made.chosen_by, "cost model");
  forced.algorithm = "hierarchical(ring,circulant)";
  EXPECT_EQ(p.make_plan(forced).algorithm, forced.algorithm);
  forced.algorithm = "hierarchical";
  EXPECT_TRUE(algorithm::parse_name(p.make_plan(forced).algorithm).is_hierarchical);
}

TEST(planner, refuses_what_cannot_be) {
  const planner p = on("gpu:4");
  const auto code_of = [&](request what, const char* name) {
    what.algorithm = name;
    try {
      (void)p.make_plan(what);
    } catch (const error& refused) {
      return refused.code();
    }
    return errc::internal;
  };
  EXPECT_EQ(code_of(of(collective::all_reduce, 64), "magic"), errc::not_found);
  EXPECT_EQ(code_of(of(collective::all_reduce, 64), "hierarchical"), errc::unsupported);
  EXPECT_EQ(code_of(of(collective::all_reduce, 64), "hierarchical(ring,ring)"), errc::unsupported);
  EXPECT_EQ(code_of(of(collective::gather, 64), "hierarchical(linear)"), errc::unsupported);
  request ordered = of(collective::all_reduce, 64);
  ordered.is_commutative = false;
  EXPECT_EQ(code_of(ordered, "ring"), errc::unsupported);
}

TEST(planner, a_hundred_thousand_ranks_on_a_laptop) {
  const planner p = on("rack:1820 gpu:72");
  for (collective what : {collective::all_reduce, collective::all_to_all}) {
    const schedule::plan made = p.make_plan(of(what, 1 << 20));
    EXPECT_TRUE(algorithm::parse_name(made.algorithm).is_hierarchical) << made.algorithm;
    for (const std::string& name : algorithm::algorithm_names(p.tree(), what)) {
      if (!algorithm::parse_name(name).is_hierarchical) continue;
      const auto steps = algorithm::generate(p.tree(), made.what, name, 131'039);
      EXPECT_LE(steps.memory_bytes(), std::size_t{4} << 20) << name;
    }
    EXPECT_NE(named(made, algorithm::algorithm_names(p.tree(), what).front()).rejected.find("not considered"),
              std::string::npos);
  }
}

TEST(explain, says_what_why_and_why_not) {
  const schedule::plan made = on("rack:2 gpu:4").make_plan(of(collective::all_reduce, 1 << 20));
  const std::string text = explain(made);
  for (const schedule::candidate& each : made.candidates)
    EXPECT_NE(text.find(each.algorithm), std::string::npos) << each.algorithm;
  for (const char* part : {"all_reduce of 262144 float32", "rack:2 gpu:4", "chosen", "cost model", "bound", "latency",
                           "of the chosen", "own work"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_NE(explain(made, 3).find("more"), std::string::npos);
}

TEST(planner, every_collective_has_a_plan_on_machines_of_any_size) {
  for (const char* machine : {"rack:13 gpu:5", "rack:[8,8,5,60]", "pod:2 rack:8 gpu:72", "rack:1820 gpu:72"}) {
    const planner p = on(machine);
    for (const collective what : schedule::all_collectives) {
      const schedule::plan made = p.make_plan(of(what, what == collective::barrier ? 0 : 4096));
      EXPECT_FALSE(made.algorithm.empty()) << machine << " " << to_string(what);
      EXPECT_GT(made.predicted.count(), 0) << machine << " " << to_string(what);
    }
  }
}

}  // namespace
}  // namespace hawser::planner
