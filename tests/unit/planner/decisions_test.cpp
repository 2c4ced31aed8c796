// Decisions over sizes, pinned decisions and what they may not do, turning points, and how explain tells of them.
#include <gtest/gtest.h>

#include <hawser/planner/decision_file.hpp>
#include <hawser/planner/decision_map.hpp>
#include <hawser/planner/explain.hpp>
#include <hawser/planner/turning_points.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::planner {
namespace {

using schedule::collective;
using schedule::request;
using topology::hierarchy;
using topology::parse_synthetic;

constexpr const char* machine = "rack:4@10GB/s,5us gpu:8@100GB/s,1us";

request of(collective what, std::int64_t bytes) {
  request made{.what = what};
  made.count = bytes / 4;
  return made;
}

decision_table table_for(const hierarchy& tree, std::vector<decision> decisions) {
  return {"pinned.json", "somewhere", topology::fingerprint_text(tree), tree.size(), std::move(decisions)};
}

planner pinned(const hierarchy& tree, decision_table table) {
  return planner(tree, {}, std::make_shared<const decision_table>(std::move(table)));
}

bool mentions(const std::vector<std::string>& notes, const std::string& text) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& each) { return each.find(text) != std::string::npos; });
}

TEST(decisions, a_map_says_what_the_planner_chooses_at_each_size) {
  const planner chooser(parse_synthetic(machine));
  const std::int64_t n = chooser.tree().size();
  const collective all[] = {collective::all_reduce, collective::all_to_all, collective::barrier};
  const decision_table table = decide(chooser, all, doubling_sizes(64, 1 << 20));
  for (const decision& each : table.decisions) {
    request asked = of(each.what, each.least_bytes / schedule::buffer_blocks(each.what, n));
    const schedule::plan made = chooser.make_plan(asked);
    EXPECT_EQ(each.algorithm, made.algorithm);
    EXPECT_EQ(each.segments, made.segments);
    EXPECT_EQ(table.find(each.what, each.least_bytes), &each);
    EXPECT_EQ(table.find(each.what, each.most_bytes), &each);
  }
  EXPECT_EQ(table.find(collective::all_to_all, 64), nullptr);  // less than an element for each of 32 ranks
  EXPECT_EQ(table.find(collective::all_reduce, (1 << 20) + 1), nullptr);
  EXPECT_EQ(table.find(collective::broadcast, 64), nullptr);
  EXPECT_NE(table.find(collective::barrier, 0), nullptr);
  EXPECT_THROW((void)doubling_sizes(8, 4), error);
  EXPECT_THROW((void)doubling_sizes(0, 4), error);
}

TEST(decisions, a_pinned_one_comes_before_the_model_and_after_the_request) {
  const hierarchy tree = parse_synthetic(machine);
  const planner chooser = pinned(tree, table_for(tree, {{collective::all_reduce, 1024, 4096, "ring", 2, {}, {}}}));
  const schedule::plan made = chooser.make_plan(of(collective::all_reduce, 2048));
  EXPECT_EQ(made.algorithm, "ring");
  EXPECT_EQ(made.segments, 2);
  EXPECT_EQ(made.chosen_by, "decision file \"pinned.json\"");
  EXPECT_GT(made.predicted, made.candidates.front().predicted);
  request forced = of(collective::all_reduce, 2048);
  forced.algorithm = "recursive_doubling";
  const schedule::plan other = chooser.make_plan(forced);
  EXPECT_EQ(other.algorithm, "recursive_doubling");
  EXPECT_TRUE(mentions(other.notes, "comes before decision file")) << other.explain(0);
  // Outside its range, and of other collectives, the model decides, and says so.
  const schedule::plan outside = chooser.make_plan(of(collective::all_reduce, 4100));
  EXPECT_EQ(outside.chosen_by, "cost model");
  EXPECT_TRUE(mentions(outside.notes, "does not cover 4100 B"));
  EXPECT_EQ(outside.algorithm, planner(tree).make_plan(of(collective::all_reduce, 4100)).algorithm);
}

TEST(decisions, what_cannot_be_done_is_left_to_the_model_and_said) {
  const hierarchy tree = parse_synthetic(machine);
  const planner chooser = pinned(
      tree, table_for(tree, {{collective::all_reduce, 0, 1 << 20, "ring", 1, {}, {}},
                             {collective::reduce_scatter, 0, 1 << 20, "hierarchical(ring,ring,ring)", 1, {}, {}}}));
  request ordered = of(collective::all_reduce, 4096);
  ordered.is_commutative = false;
  const schedule::plan made = chooser.make_plan(ordered);
  EXPECT_NE(made.algorithm, "ring");
  EXPECT_TRUE(mentions(made.notes, "cannot serve")) << made.explain(0);
  EXPECT_TRUE(mentions(chooser.make_plan(of(collective::reduce_scatter, 64)).notes, "cannot serve"));
}

TEST(decisions, of_another_machine_are_ignored_and_that_is_said) {
  const hierarchy tree = parse_synthetic(machine), other = parse_synthetic("gpu:4");
  const planner chooser = pinned(tree, table_for(other, {{collective::all_reduce, 0, 1 << 20, "ring", 1, {}, {}}}));
  const schedule::plan made = chooser.make_plan(of(collective::all_reduce, 4096));
  EXPECT_EQ(made.chosen_by, "cost model");
  EXPECT_NE(made.explain().find("override    decision file \"pinned.json\" is ignored"), std::string::npos);
}

TEST(decisions, digests_tell_decisions_apart_and_nothing_else) {
  const hierarchy tree = parse_synthetic(machine);
  const decision one{collective::all_reduce, 0, 64, "ring", 1, {}, {}};
  decision_table table = table_for(tree, {one}), same = table, other = table;
  same.source = "elsewhere.json";
  same.decisions[0].predicted = seconds{1};
  other.decisions[0].segments = 2;
  EXPECT_EQ(digest(&table), digest(&same));
  EXPECT_NE(digest(&table), digest(&other));
  EXPECT_EQ(digest(nullptr), "none");
}

TEST(decisions, survive_json) {
  const planner chooser(parse_synthetic(machine));
  const collective all[] = {collective::all_reduce, collective::broadcast, collective::barrier};
  const decision_table table = decide(chooser, all, doubling_sizes(1024, 1 << 26));
  std::string text;
  try {
    text = to_json(table);
  } catch (const error& refused) {
    ASSERT_EQ(refused.code(), errc::unsupported);
    GTEST_SKIP() << refused.what();
  }
  const decision_table read = decisions_from_json(text, "a file");
  EXPECT_EQ(read.decisions, table.decisions);
  EXPECT_EQ(read.fingerprint, table.fingerprint);
  EXPECT_EQ(read.source, "a file");
  const auto refuses = [&](const std::string& what, const std::string& by, const char* reason) {
    std::string broken = text;
    const std::size_t at = broken.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    broken.replace(at, what.size(), by);
    try {
      (void)decisions_from_json(broken, "broken.json");
      ADD_FAILURE() << "accepted: " << by;
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::parse) << refused.what();
      EXPECT_NE(std::string(refused.what()).find("broken.json"), std::string::npos) << refused.what();
      EXPECT_NE(std::string(refused.what()).find(reason), std::string::npos) << refused.what();
    }
  };
  refuses("hawser.decisions/1", "hawser.plan/1", "schema");
  refuses("\"all_reduce\"", "\"all_frob\"", "unknown collective");
  refuses(table.decisions[0].algorithm, "magic", "magic");
  refuses(table.decisions[0].algorithm, "hierarchical(magic,ring)", "magic");
  refuses("\"least_bytes\": 1024", "\"least_bytes\": 10240000", "larger than");
  refuses("\"least_bytes\": 2048", "\"least_bytes\": 1500", "overlaps");
  refuses("\"segments\": ", "\"segments\": -", "whole number");
  refuses(table.fingerprint, "xyz", "16 hexadecimal digits");
  refuses("\"ranks\"", "\"rank\"", "rank");
  refuses("}", "", "parse error");
  EXPECT_THROW((void)read_decisions("/does/not/exist.json"), error);
}

TEST(turning_points, are_where_the_choice_flips) {
  const planner chooser(parse_synthetic(machine));
  for (std::int64_t bytes : {std::int64_t{256}, std::int64_t{64} << 10, std::int64_t{16} << 20}) {
    const schedule::plan made = make_explained_plan(chooser, of(collective::all_reduce, bytes));
    EXPECT_TRUE(made.is_searched);
    const auto choice_at = [&](std::int64_t count) {
      return chooser.model_choice(of(collective::all_reduce, 4 * count));
    };
    if (made.smaller) {
      EXPECT_NE(made.smaller->algorithm, made.algorithm);
      EXPECT_EQ(choice_at(made.smaller->count), made.smaller->algorithm);
      EXPECT_EQ(choice_at(made.smaller->count + 1), made.algorithm);
    }
    if (made.larger) {
      EXPECT_EQ(choice_at(made.larger->count), made.larger->algorithm);
      EXPECT_EQ(choice_at(made.larger->count - 1), made.algorithm);
    }
    EXPECT_TRUE(made.smaller || made.larger) << made.explain(1);
  }
  request forced = of(collective::all_reduce, 4096);
  forced.algorithm = "ring";
  EXPECT_FALSE(make_explained_plan(chooser, forced).is_searched);
}

TEST(explained, tells_figures_their_provenance_and_what_would_change_the_choice) {
  const planner chooser(parse_synthetic("rack:4@10GB/s,5us gpu:8"));
  const std::string text = make_explained_plan(chooser, of(collective::all_reduce, 1 << 20)).explain();
  for (const char* part : {"rack bandwidth          10GB/s      file", "gpu latency", "assumed", "reduction", "window",
                           "built in", "flips       ", "most of it"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

}  // namespace
}  // namespace hawser::planner
