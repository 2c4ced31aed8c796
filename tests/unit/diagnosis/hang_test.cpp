// Every verdict over dumps that are written here by hand, and the JSON of dumps with what is wrong in it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/diagnosis/hang.hpp>

#include "support/needs.hpp"

namespace hawser::diagnosis {
namespace {

using schedule::step_kind;

const std::string usual = "all_reduce of 1000 float32, sum, by ring";

dumped_call collective(std::uint64_t number, bool is_open, std::vector<dumped_step> steps = {},
                       std::string signature = usual, std::string communicator = "world") {
  dumped_call made{.communicator = std::move(communicator),
                   .number = number,
                   .what = "all_reduce",
                   .signature = std::move(signature),
                   .begin = 10.0 + static_cast<double>(number)};
  if (!is_open) made.end = made.begin + 0.5;
  made.steps = std::move(steps);
  return made;
}

dumped_step step(std::uint32_t number, step_kind kind, std::int32_t peer, bool is_open) {
  dumped_step made{number, 0, kind, peer, 20, {}};
  if (!is_open) made.end = 20.5;
  return made;
}

dump of(std::int32_t rank, std::int32_t size, std::vector<dumped_call> calls) {
  dump made{.rank = rank,
            .size = size,
            .host = "n" + std::to_string(rank),
            .process = 100 + rank,
            .reason = "timed out",
            .time = 30};
  made.communicators = {{"world", {}}};
  made.calls = std::move(calls);
  return made;
}

void expect(const hang_report& found, hang_kind kind, const std::vector<std::int32_t>& ranks,
            const std::vector<std::string>& words) {
  EXPECT_EQ(to_string(found.kind), to_string(kind)) << found.sentence;
  EXPECT_EQ(found.ranks, ranks) << found.sentence;
  for (const std::string& each : words) EXPECT_NE(found.sentence.find(each), std::string::npos) << found.sentence;
}

TEST(hang, nobody_waits) {
  const hang_report found = find_hang({of(0, 2, {collective(1, false)}), of(1, 2, {collective(1, false)})});
  expect(found, hang_kind::none, {}, {"No rank waits"});
  EXPECT_TRUE(found.waiting.empty());
}

TEST(hang, a_rank_that_has_not_made_the_call) {
  const auto found = find_hang({of(0, 3, {collective(4, false), collective(5, true)}), of(1, 3, {collective(4, false)}),
                                of(2, 3, {collective(4, false), collective(5, true)})});
  expect(found, hang_kind::late, {1},
         {"Rank 1 has not made call 5 of communicator world (" + usual + "), in which ranks 0 and 2 wait",
          "the last that it made there is call 4, which ended 15.5 s before its dump"});
  EXPECT_EQ(found.call, 5U);
  EXPECT_EQ(found.waiting.size(), 2U);
}

TEST(hang, ranks_that_made_different_calls) {
  const std::string other = "broadcast of 5 float32, root 1, by linear";
  const auto found = find_hang(
      {of(0, 3, {collective(5, true)}), of(1, 3, {collective(5, true, {}, other)}), of(2, 3, {collective(5, true)})});
  expect(found, hang_kind::different_calls, {1},
         {"As call 5 of communicator world, ranks 0 and 2 called " + usual + ", while rank 1 called " + other});
}

/// The first difference counts: what comes after it follows from it.
TEST(hang, the_earliest_difference) {
  const auto found =
      find_hang({of(0, 2, {collective(4, false, {}, "barrier, by linear"), collective(5, true, {}, "a")}),
                 of(1, 2, {collective(4, false), collective(5, true, {}, "b")})});
  EXPECT_EQ(found.call, 4U) << found.sentence;
}

TEST(hang, a_rank_without_a_dump) {
  const auto found = find_hang({of(0, 3, {collective(5, true)}), of(2, 3, {collective(5, true)})});
  expect(found, hang_kind::missing, {1}, {"no dump of rank 1, while ranks 0 and 2 wait in call 5"});
  EXPECT_EQ(found.without_dump, std::vector<std::int32_t>{1});
}

/// One that is known to have failed comes before one that had no reason to make the call any more.
TEST(hang, a_rank_that_is_blamed_comes_first) {
  dump survivor = of(0, 3, {collective(5, true)});
  survivor.blamed = 1;
  survivor.reason = "rank 1 failed: its process closed the connection without leaving (killed or crashed)";
  const auto found = find_hang({survivor, of(2, 3, {collective(4, false)})});
  expect(found, hang_kind::missing, {1}, {"no dump of rank 1", "rank 0 says: rank 1 failed", "killed or crashed"});
}

TEST(hang, calls_of_two_communicators_in_different_orders) {
  const auto two = [](dump made) {
    made.communicators.push_back({"world.7:0", {0, 1}});
    return made;
  };
  const auto found =
      find_hang({two(of(0, 2, {collective(8, true)})), two(of(1, 2, {collective(1, true, {}, usual, "world.7:0")}))});
  EXPECT_EQ(to_string(found.kind), "order") << found.sentence;
  EXPECT_NE(found.sentence.find("different orders"), std::string::npos) << found.sentence;
}

TEST(hang, a_message_that_was_sent_and_never_came) {
  const auto found = find_hang({of(0, 2, {collective(5, true, {step(0, step_kind::send, 1, false)})}),
                                of(1, 2, {collective(5, true, {step(3, step_kind::recv_reduce, 0, true)})})});
  expect(found, hang_kind::link, {0, 1}, {"rank 1 has waited for 10.0 s in step 3 for a message that rank 0 has sent"});
}

/// 0 waits for 1, which waits for 2, which computes.
TEST(hang, the_rank_at_the_end_of_the_chain) {
  const auto found = find_hang({of(0, 3, {collective(5, true, {step(1, step_kind::recv, 1, true)})}),
                                of(1, 3, {collective(5, true, {step(2, step_kind::recv, 2, true)})}),
                                of(2, 3, {collective(5, true, {step(0, step_kind::copy, -1, false)})})});
  expect(found, hang_kind::step, {2},
         {"rank 0 waits in step 1 for rank 1, which waits in step 2 for rank 2, which does nothing in the call"});
}

TEST(hang, a_circle_of_receives) {
  const auto found = find_hang({of(0, 2, {collective(5, true, {step(1, step_kind::recv, 1, true)})}),
                                of(1, 2, {collective(5, true, {step(1, step_kind::recv, 0, true)})})});
  EXPECT_EQ(to_string(found.kind), "step") << found.sentence;
  EXPECT_NE(found.sentence.find("in turn"), std::string::npos) << found.sentence;
}

TEST(hang, a_message_that_nobody_sends) {
  dumped_call receive{.communicator = "world",
                      .number = 7,
                      .what = "receive",
                      .signature = "receive of 100 bytes",
                      .peer = 1,
                      .begin = 25};
  expect(find_hang({of(0, 2, {receive}), of(1, 2, {})}), hang_kind::late, {1},
         {"Rank 1 has no send for it: rank 0 has waited for 5.0 s in receive of 100 bytes from rank 1 with label 7"});
  dumped_call send = receive;
  send.what = "send";
  send.signature = "send of 100 bytes";
  send.peer = 0;
  expect(find_hang({of(0, 2, {receive}), of(1, 2, {send})}), hang_kind::link, {0, 1}, {"do not meet"});
}

/// Rank 0 waits for a message from rank 1, which waits for rank 0 in a call.
TEST(hang, a_message_and_a_call_in_different_orders) {
  dumped_call receive{.communicator = "world",
                      .number = 7,
                      .what = "receive",
                      .signature = "receive of 100 bytes",
                      .peer = 1,
                      .begin = 25};
  const auto found = find_hang({of(0, 2, {collective(4, false), receive}), of(1, 2, {collective(5, true)})});
  expect(found, hang_kind::order, {0},
         {"Rank 0 is in receive of 100 bytes from rank 1 with label 7, while rank 1 waits for it in call 5"});
}

/// Rank 0 is late because rank 2, which is in no call, does not send.
TEST(hang, a_message_that_keeps_others_waiting_in_a_call) {
  dumped_call receive{.communicator = "world",
                      .number = 7,
                      .what = "receive",
                      .signature = "receive of 100 bytes",
                      .peer = 2,
                      .begin = 25};
  const auto found = find_hang(
      {of(0, 3, {collective(4, false), receive}), of(1, 3, {collective(5, true)}), of(2, 3, {collective(5, false)})});
  expect(found, hang_kind::late, {2}, {"Rank 2 has no send for it: rank 0 has waited for 5.0 s"});
}

TEST(hang, ranks_are_listed_by_runs) {
  EXPECT_EQ(ranks_in_words({3}), "rank 3");
  EXPECT_EQ(ranks_in_words({0, 1}), "ranks 0 and 1");
  EXPECT_EQ(ranks_in_words({0, 1, 2, 3, 7}), "ranks 0-3 and 7");
  EXPECT_EQ(ranks_in_words({0, 2, 4, 5, 6}), "ranks 0, 2 and 4-6");
}

class dump_json : public testing::Test {
 protected:
  void SetUp() override { HAWSER_NEEDS(to_json(of(0, 1, {}))); }
};

TEST_F(dump_json, reads_back_equal) {
  dump written =
      of(1, 3, {collective(5, true, {step(0, step_kind::send, 2, false), step(1, step_kind::copy, -1, true)})});
  written.blamed = 2;
  written.steps_lost = 12;
  written.communicators.push_back({"world.7:0", {0, 2}});
  written.calls.push_back({.communicator = "world",
                           .number = 3,
                           .what = "send",
                           .signature = "send of 4 bytes",
                           .peer = 0,
                           .begin = 1.25,
                           .end = 2.5,
                           .has_failed = true});
  EXPECT_EQ(dump_from_json(to_json(written)), written);
}

/// What is wrong is named with its place; none of it is believed.
TEST_F(dump_json, says_what_is_wrong) {
  const std::string right = to_json(of(0, 2, {collective(1, true, {step(0, step_kind::send, 1, true)})}));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = right;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  const std::pair<std::string, std::string> wrong[] = {
      {"", "parse error"},
      {right.substr(0, right.size() / 2), "parse error"},
      {with("hawser.dump/1", "hawser.dump/2"), "schema"},
      {with("\"rank\": 0", "\"rank\": 2"), "rank 2 is not one of 2"},
      {with("\"size\": 2", "\"size\": 0"), "size"},
      {with("\"kind\": \"send\"", "\"kind\": \"sent\""), "calls[0].steps[0].kind"},
      {with("\"number\": 1", "\"number\": -1"), "calls[0].number"},
      {with("\"begin\": 20.0", "\"begin\": \"now\""), "calls[0].steps[0].begin"},
      {with("\"failed\"", "\"fialed\""), "fialed"},
  };
  for (const auto& [text, words] : wrong) {
    try {
      dump_from_json(text, "rank-0.dump.json");
      ADD_FAILURE() << "no error: " << words;
    } catch (const error& found) {
      EXPECT_EQ(found.code(), errc::parse) << found.what();
      EXPECT_NE(std::string(found.what()).find(words), std::string::npos) << found.what();
      EXPECT_NE(std::string(found.what()).find("rank-0.dump.json"), std::string::npos) << found.what();
    }
  }
}

class dump_folder : public testing::Test {
 protected:
  dump_folder() {
    char name[] = "/tmp/hawser-dumps-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~dump_folder() override { std::filesystem::remove_all(path_); }
  void SetUp() override { HAWSER_NEEDS(to_json(of(0, 1, {}))); }
  void write(const std::string& name, const std::string& text) { std::ofstream(path_ + "/" + name) << text; }
  void expect_refusal(errc code, const std::string& words) {
    try {
      read_dumps(path_);
      ADD_FAILURE() << "no error: " << words;
    } catch (const error& found) {
      EXPECT_EQ(found.code(), code) << found.what();
      EXPECT_NE(std::string(found.what()).find(words), std::string::npos) << found.what();
    }
  }
  std::string path_;
};

TEST_F(dump_folder, is_read_by_rank) {
  write("rank-1.dump.json", to_json(of(1, 2, {})));
  write("rank-0.dump.json", to_json(of(0, 2, {})));
  write("notes.txt", "not a dump");
  const auto dumps = read_dumps(path_);
  ASSERT_EQ(dumps.size(), 2U);
  EXPECT_EQ(dumps[0].rank, 0);
  EXPECT_EQ(dumps[1].rank, 1);
}

TEST_F(dump_folder, says_what_is_wrong) {
  expect_refusal(errc::not_found, "there is no dump");
  write("rank-0.dump.json", to_json(of(0, 2, {})));
  write("again.dump.json", to_json(of(0, 2, {})));
  expect_refusal(errc::mismatch, "two dumps");
  write("again.dump.json", to_json(of(1, 3, {})));
  expect_refusal(errc::mismatch, "of different jobs");
  write("again.dump.json", "{");
  expect_refusal(errc::parse, "again.dump.json");
  path_ += "/nowhere";
  expect_refusal(errc::io, "nowhere");
}

}  // namespace
}  // namespace hawser::diagnosis
