// Programs cut into stages, and what is wrong when the stages of ranks do not go together.
#include <hawser/schedule/builder.hpp>
#include <hawser/schedule/verify_stages.hpp>

#include <gtest/gtest.h>

namespace {

using namespace hawser;
using namespace hawser::schedule;

/// Quarter i of a buffer with one block.
region_list quarter(buffer where, std::uint64_t i) {
  return {{where, 1, 0, {fraction(i, 4), fraction(i + 1, 4)}}};
}

program finish(builder&& out) {
  return derive_dependences(std::move(out).finish());
}

std::string text_of(const std::vector<stage>& stages) {
  std::string text;
  for (const stage& each : stages) {
    text += "[";
    for (const auto i : each.messages) text += " " + std::to_string(i);
    text += " |";
    for (const auto i : each.work) text += " " + std::to_string(i);
    text += "]";
  }
  return text;
}

TEST(stages_of, end_with_the_last_message_that_a_later_one_needs) {
  builder out(request{}, 0, 4);
  out.send(1, quarter(buffer::input, 0));   // 0
  out.recv(3, quarter(buffer::output, 0));  // 1
  out.send(1, quarter(buffer::input, 1));   // 2 needs nothing, and belongs to the round of 3
  out.send(2, quarter(buffer::output, 0));  // 3 hands on what 1 has brought
  out.recv(3, quarter(buffer::output, 1));  // 4
  EXPECT_EQ(text_of(stages_of(finish(std::move(out)))), "[ 0 1 |][ 2 3 4 |]");
}

TEST(stages_of, have_the_work_that_follows_their_messages) {
  builder out(request{}, 0, 4);
  out.copy(quarter(buffer::output, 3), quarter(buffer::input, 3));            // 0 needs no message
  out.send(1, quarter(buffer::output, 3));                                    // 1 needs 0
  out.recv_reduce(2, quarter(buffer::output, 0), quarter(buffer::input, 0));  // 2
  out.copy(quarter(buffer::output, 1), quarter(buffer::output, 0));           // 3 needs 2
  out.recv(3, quarter(buffer::output, 2));                                    // 4
  out.send(3, quarter(buffer::output, 1));                                    // 5 needs 3
  EXPECT_EQ(text_of(stages_of(finish(std::move(out)))), "[ | 0][ 1 2 | 2 3][ 4 5 |]");
}

TEST(stages_of, put_messages_in_the_order_of_channels) {
  builder out(request{}, 0, 4);
  out.send(1, quarter(buffer::input, 0));
  schedule::schedule steps = std::move(out).finish();
  step other = steps.steps[0];
  steps.steps[0].channel = 1;
  steps.steps.push_back(other);  // channel 0, later in the program
  EXPECT_EQ(text_of(stages_of(derive_dependences(std::move(steps)))), "[ 1 0 |]");
}

TEST(stages_of, are_none_where_there_is_nothing_to_do) {
  EXPECT_TRUE(stages_of(finish(builder(request{}, 0, 1))).empty());
}

std::optional<violation> verify_pair(const std::function<void(builder&)>& zero,
                                     const std::function<void(builder&)>& one) {
  return verify_stages(2, [&](rank r) {
    builder out(request{}, r, 2);
    (r == rank(0) ? zero : one)(out);
    return finish(std::move(out));
  });
}

TEST(verify_stages, finds_a_circle) {
  // Each sends on what it has received: no order of the two exchanges serves both.
  const auto found = verify_pair(
      [](builder& out) {
        out.recv(1, quarter(buffer::output, 0));
        out.send(1, quarter(buffer::output, 0));
      },
      [](builder& out) {
        out.recv(0, quarter(buffer::output, 0));
        out.send(0, quarter(buffer::output, 0));
      });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, violation_kind::deadlock);
  EXPECT_NE(found->what.find("stage 0 waits for stage 1 of rank 1"), std::string::npos) << found->what;
}

/// Message by message this comes to an end: rank 1's first send needs nothing.
TEST(verify_stages, finds_a_circle_of_stages_that_messages_alone_do_not_have) {
  const auto found = verify_pair(
      [](builder& out) {
        out.recv(1, quarter(buffer::output, 0));
        out.send(1, quarter(buffer::output, 0));
        out.recv(1, quarter(buffer::output, 1));
      },
      [](builder& out) {
        out.recv(0, quarter(buffer::output, 0));
        out.send(0, quarter(buffer::input, 0));
        out.send(0, quarter(buffer::output, 0));
      });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, violation_kind::deadlock);
  EXPECT_FALSE(verify_pair(
      [](builder& out) {
        out.send(1, quarter(buffer::input, 0));
        out.recv(1, quarter(buffer::output, 0));
      },
      [](builder& out) {
        out.recv(0, quarter(buffer::output, 0));
        out.send(0, quarter(buffer::output, 0));
      }));
}

TEST(verify_stages, finds_messages_without_another_end) {
  const auto nothing = [](builder&) {};
  const auto sent = verify_pair([](builder& out) { out.send(1, quarter(buffer::input, 0)); }, nothing);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->kind, violation_kind::unmatched_send);
  const auto awaited = verify_pair(nothing, [](builder& out) { out.recv(0, quarter(buffer::output, 0)); });
  ASSERT_TRUE(awaited);
  EXPECT_EQ(awaited->kind, violation_kind::unmatched_receive);
}

}  // namespace
