// A decision file given to a communicator: used, agreed on by all ranks, refused or ignored where it does not fit.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/planner/decision_file.hpp>
#include <hawser/topology/synthetic.hpp>

#include <support/refused_ranks.hpp>
#include <support/temporary_file.hpp>

namespace hawser {
namespace {

using test::temporary_file;

std::string decisions_for(const char* topology, const char* algorithm) {
  const auto tree = topology::parse_synthetic(topology);
  return to_json(planner::decision_table{"",
                                         topology,
                                         topology::fingerprint_text(tree),
                                         tree.size(),
                                         {{schedule::collective::all_reduce, 0, 1 << 20, algorithm, 1, {}, {}}}});
}

schedule::request vector_of(std::int64_t count) {
  schedule::request made;
  made.count = count;
  return made;
}

class decision_files : public testing::Test {
 protected:
  void SetUp() override {
    try {
      (void)planner::to_json(planner::decision_table{});
    } catch (const error& refused) {
      GTEST_SKIP() << refused.what();
    }
  }
};

/// Creates a communicator of 4 ranks, rank 3 with the second file; returns how many ranks raised `code` with `text`.
int raised_by(errc code, const std::string& text, const std::string& file, const std::string& other, bool must_fit) {
  const auto options_of = [&](int r) {
    communicator_options options;
    options.topology = "rack:2 gpu:2";
    options.decisions = r == 3 ? other : file;
    options.must_decisions_fit = must_fit;
    return options;
  };
  return test::count_refused(4, options_of, [&](const error& failure) {
    return failure.code() == code && std::string(failure.what()).find(text) != std::string::npos;
  });
}

TEST_F(decision_files, decide_and_the_result_is_right) {
  const temporary_file file(decisions_for("rack:2 gpu:2", "ring"));
  communicator_options options;
  options.topology = "rack:2 gpu:2";
  options.decisions = file.name();
  run_in_process(4, options, [&](communicator& members) {
    std::vector<float> data(1000, 1.0F);
    members.all_reduce(data);
    EXPECT_EQ(data, std::vector<float>(1000, 4.0F));
    const schedule::plan made = members.plan_for(vector_of(1000));
    EXPECT_EQ(made.algorithm, "ring");
    EXPECT_EQ(made.chosen_by, "decision file \"" + file.name() + "\"");
  });
}

TEST_F(decision_files, that_differ_name_the_ranks) {
  const temporary_file one(decisions_for("rack:2 gpu:2", "ring")), two(decisions_for("rack:2 gpu:2", "one_shot"));
  EXPECT_EQ(raised_by(errc::mismatch, "ranks 3 differ", one.name(), two.name(), true), 4);
  EXPECT_EQ(raised_by(errc::mismatch, "ranks 3 differ", one.name(), "", true), 4);
}

TEST_F(decision_files, for_another_machine_are_refused_or_ignored_as_asked) {
  const temporary_file file(decisions_for("rack:4 gpu:1", "ring"));
  EXPECT_EQ(raised_by(errc::mismatch, "does not fit the job", file.name(), file.name(), true), 4);
  EXPECT_EQ(raised_by(errc::mismatch, "", file.name(), file.name(), false), 0);
  communicator_options options;
  options.topology = "rack:2 gpu:2";
  options.decisions = file.name();
  options.must_decisions_fit = false;
  run_in_process(4, options, [](communicator& members) {
    const schedule::plan made = members.plan_for(vector_of(1000));
    EXPECT_EQ(made.chosen_by, "cost model");
    ASSERT_EQ(made.notes.size(), 1U);
    EXPECT_NE(made.notes[0].find("is ignored"), std::string::npos);
  });
}

TEST_F(decision_files, that_are_corrupt_are_refused) {
  const temporary_file file("{\"schema\": \"hawser.decisions/1\", \"decisions\": [");
  EXPECT_EQ(raised_by(errc::parse, file.name(), file.name(), file.name(), false), 4);
  EXPECT_EQ(raised_by(errc::io, "/does/not/exist", "/does/not/exist", "/does/not/exist", false), 4);
}

}  // namespace
}  // namespace hawser
