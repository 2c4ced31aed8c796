// What the simulator writes for other programs: Chrome's trace, GOAL.
#include <gtest/gtest.h>

#include <hawser/simulate/goal.hpp>
#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::simulate {
namespace {

using topology::parse_synthetic;

TEST(trace, has_every_step_of_every_segment_and_counts_what_it_drops) {
  schedule::request what;
  what.count = 1000;
  options how;
  how.segments = 5;
  const result ran = simulate(parse_synthetic("gpu:4"), what, "ring", how, 1000);
  EXPECT_EQ(static_cast<std::int64_t>(ran.events_of_steps.events().size()), ran.steps * 5);
  for (const trace_event& each : ran.events_of_steps.events()) {
    EXPECT_LE(each.begin, each.end);
    EXPECT_LE(each.end, ran.time);
  }
  const std::string json = to_chrome_json(ran);
  EXPECT_NE(json.find("\"traceEvents\":["), std::string::npos);
  EXPECT_NE(json.find("\"name\":\"send to 1"), std::string::npos) << json;
  EXPECT_EQ(simulate(parse_synthetic("gpu:4"), what, "ring", how, 3).events_of_steps.dropped(), ran.steps * 5 - 3);
}

TEST(goal, writes_steps_bytes_and_dependences) {
  schedule::request what;
  what.what = schedule::collective::broadcast;
  what.count = 250;
  what.in_place = true;
  EXPECT_EQ(to_goal(parse_synthetic("gpu:3"), what, "chain"),
            "num_ranks 3\n"
            "\nrank 0 {\nl1: send 1000b to 1 tag 0\n}\n"
            "\nrank 1 {\nl1: recv 1000b from 0 tag 0\nl2: send 1000b to 2 tag 0\nl2 requires l1\n}\n"
            "\nrank 2 {\nl1: recv 1000b from 1 tag 0\n}\n");
}

TEST(goal, a_reduction_is_a_calculation_of_its_own) {
  schedule::request what;
  what.what = schedule::collective::reduce;
  what.count = 250;
  const std::string text = to_goal(parse_synthetic("gpu:2"), what, "binomial");
  EXPECT_NE(text.find("r: calc 100\n"), std::string::npos) << text;
  EXPECT_NE(text.find("l1r requires l1\n"), std::string::npos) << text;
}

TEST(goal, refuses_a_machine_that_is_too_large) {
  EXPECT_THROW((void)to_goal(parse_synthetic("gpu:1025"), {}, "ring"), error);
}

}  // namespace
}  // namespace hawser::simulate
