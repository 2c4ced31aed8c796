// The arbiter's table alone, then agreements between threads: one decision for all, whoever dies meanwhile.
#include <hawser/bootstrap/agreement.hpp>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/bootstrap/in_process.hpp>

namespace hawser::bootstrap {
namespace {

using namespace std::chrono_literals;
using clock = agreement_table::clock;

question about(const std::string& name, int size, std::chrono::milliseconds timeout = 60s) {
  question asked{.name = name, .members = {}, .said = {}, .timeout = timeout};
  for (int r = 0; r < size; ++r) asked.members.emplace_back(r);
  return asked;
}

/// A table whose ranks stand as the test says.
struct fixture {
  explicit fixture(int size) : states(static_cast<std::size_t>(size), standing::present) {}
  std::vector<std::string> decide(clock::time_point now) {
    return table.decide(
        now, [this](rank r) { return states[static_cast<std::size_t>(r.value)]; }, lobby);
  }
  agreement_table table;
  std::vector<standing> states;
  std::vector<rank> lobby;
};

TEST(agreement_table, waits_for_all_that_live_and_keeps_what_they_said) {
  fixture ranks(3);
  const auto now = clock::now();
  question asked = about("a", 3);
  asked.said = "zero";
  ranks.table.ask(0, asked, now);
  EXPECT_TRUE(ranks.decide(now).empty());
  ranks.states[2] = standing::dead;
  EXPECT_TRUE(ranks.decide(now).empty());
  asked.said = "one";
  ranks.table.ask(1, asked, now);
  EXPECT_EQ(ranks.decide(now), std::vector<std::string>{"a"});
  const agreement made = *ranks.table.find("a");
  EXPECT_EQ(made.members[0], (agreement::member{0, standing::present, "zero"}));
  EXPECT_EQ(made.members[1], (agreement::member{1, standing::present, "one"}));
  EXPECT_EQ(made.members[2], (agreement::member{2, standing::dead, ""}));
}

TEST(agreement_table, whoever_has_asked_and_died_before_the_decision_does_not_count) {
  fixture ranks(2);
  const auto now = clock::now();
  question asked = about("a", 2);
  asked.said = "something";
  ranks.table.ask(0, asked, now);
  ranks.states[0] = standing::unreachable;
  ranks.table.ask(1, asked, now);
  ASSERT_EQ(ranks.decide(now).size(), 1u);
  EXPECT_EQ(ranks.table.find("a")->members[0], (agreement::member{0, standing::unreachable, ""}));
}

TEST(agreement_table, a_decision_stays_whatever_happens_later) {
  fixture ranks(2);
  const auto now = clock::now();
  ranks.table.ask(0, about("a", 2), now);
  ranks.table.ask(1, about("a", 2), now);
  ASSERT_EQ(ranks.decide(now).size(), 1u);
  const agreement made = *ranks.table.find("a");
  ranks.states[1] = standing::dead;
  ranks.table.ask(0, about("a", 2), now);
  EXPECT_TRUE(ranks.decide(now + 1h).empty());
  EXPECT_EQ(*ranks.table.find("a"), made);
}

TEST(agreement_table, the_time_is_up_for_all_alike_and_names_who_has_not_come) {
  fixture ranks(2);
  const auto now = clock::now();
  ranks.table.ask(1, about("a", 2, 1s), now);
  EXPECT_TRUE(ranks.decide(now + 999ms).empty());
  ASSERT_EQ(ranks.decide(now + 1s).size(), 1u);
  EXPECT_EQ(ranks.table.find("a")->members[0].state, standing::absent);
  EXPECT_EQ(ranks.table.find("a")->members[1].state, standing::present);
}

TEST(agreement_table, newcomers_are_taken_together_or_not_at_all) {
  fixture ranks(1);
  const auto now = clock::now();
  question asked = about("a", 1, 1s);
  asked.newcomers = 2;
  ranks.table.ask(0, asked, now);
  ranks.lobby = {7};
  EXPECT_TRUE(ranks.decide(now).empty());
  ASSERT_EQ(ranks.decide(now + 1s).size(), 1u);
  EXPECT_TRUE(ranks.table.find("a")->newcomers.empty());
  EXPECT_EQ(ranks.lobby, std::vector<rank>{7});
  asked.name = "b";
  ranks.table.ask(0, asked, now);
  ranks.lobby = {7, 8, 9};
  ASSERT_EQ(ranks.decide(now).size(), 1u);
  EXPECT_EQ(ranks.table.find("b")->newcomers, (std::vector<rank>{7, 8}));
  EXPECT_EQ(ranks.lobby, std::vector<rank>{9});
}

TEST(agreement_table, an_adopted_decision_is_not_made_again) {
  fixture ranks(2);
  const auto now = clock::now();
  const agreement known{{{0, standing::present, "x"}, {1, standing::dead, ""}}, {}};
  ranks.table.ask(0, about("a", 2), now);
  ranks.table.adopt("a", known);
  ranks.table.ask(1, about("a", 2), now);
  EXPECT_TRUE(ranks.decide(now + 1h).empty());
  EXPECT_EQ(*ranks.table.find("a"), known);
}

/// Threads ask; some die before they do, others after. All that get an answer get the same one.
TEST(agreement, threads_that_die_at_random_leave_one_answer) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    const int size = 2 + static_cast<int>(random() % 6);
    const auto job = in_process_job::create(size);
    std::vector<int> part(static_cast<std::size_t>(size));  // 0: lives, 1: dies before it asks, 2: is killed meanwhile
    for (int& each : part) each = static_cast<int>(random() % 3);
    part[random() % part.size()] = 0;
    std::vector<std::optional<agreement>> answers(part.size());
    std::vector<std::unique_ptr<bootstrap>> doors;
    for (int r = 0; r < size; ++r) doors.push_back(job->join(r));
    std::vector<std::thread> threads;
    for (int r = 0; r < size; ++r)
      threads.emplace_back([&, r] {
        const auto at = static_cast<std::size_t>(r);
        if (part[at] == 1) return job->declare_dead(r);
        std::thread killer;
        if (part[at] == 2) killer = std::thread([&] { job->declare_dead(r); });
        answers[at] = doors[at]->agree(about("round", size));
        if (killer.joinable()) killer.join();
      });
    for (std::thread& each : threads) each.join();
    std::optional<agreement> first;
    for (const auto& each : answers) {
      if (!each) continue;
      if (!first) first = each;
      EXPECT_EQ(*first, *each);
    }
    for (std::size_t r = 0; r < part.size(); ++r) {
      if (part[r] == 2) continue;  // either, but for all alike
      EXPECT_EQ(first->members[r].state, part[r] == 0 ? standing::present : standing::dead);
    }
    for (auto& each : doors) each->leave();
  }
}

}  // namespace
}  // namespace hawser::bootstrap
