// Every interleaving of the synchronisation protocols, and that the checker finds each mistake that is planted.
#include <gtest/gtest.h>

#include "device_flags.hpp"
#include "offer.hpp"
#include "rendezvous.hpp"
#include "ring.hpp"
#include "shrink.hpp"

namespace hawser::models {
namespace {

/// The protocol is right, and each of the mistakes is found.
template <class Model>
void check(std::initializer_list<typename Model::bug> mistakes) {
  const verdict right = explore(Model{});
  EXPECT_TRUE(right.is_right()) << right;
  std::cout << right << std::endl;
  for (const auto mistake : mistakes) {
    const verdict found = explore(Model{mistake});
    EXPECT_FALSE(found.is_right()) << "the planted mistake " << static_cast<int>(mistake) << " was not found";
    std::cout << "  planted " << static_cast<int>(mistake) << ": " << found.problem << " after " << found.trace.size()
              << " steps" << std::endl;
  }
}

TEST(models, the_ring_of_shared_memory_loses_no_line_and_no_wake_up) {
  using bug = ring_model::bug;
  check<ring_model>({bug::looks_before_it_says_that_it_sleeps, bug::publishes_after_waking,
                     bug::looks_before_it_says_that_it_waits, bug::says_that_it_waits_before_it_sleeps,
                     bug::ignores_credits, bug::gives_room_back_silently});
}

TEST(models, an_offered_message_is_not_read_after_it_was_taken_back) {
  using bug = offer_model::bug;
  check<offer_model>({bug::withdraws_while_it_is_read, bug::tells_at_the_first_piece, bug::reads_without_marking});
}

TEST(models, device_flags_keep_calls_apart) {
  using bug = device_flags_model::bug;
  check<device_flags_model>(
      {bug::does_not_wait_to_stage, bug::one_buffer, bug::meets_too_early, bug::writes_after_meeting});
}

TEST(models, nobody_waits_for_ever_at_the_store) {
  using bug = rendezvous_model::bug;
  check<rendezvous_model>({bug::late_joiner_is_not_told, bug::waiting_get_is_not_answered,
                           bug::notice_only_on_the_board, bug::leaves_without_a_word});
}

TEST(models, survivors_get_one_communicator_and_two_parts_never_both_go_on) {
  using bug = shrink_model::bug;
  check<shrink_model>({bug::decisions_are_not_handed_over, bug::absent_ones_are_not_awaited,
                       bug::no_grace_for_latecomers, bug::deaths_are_not_noticed, bug::no_majority, bug::both_halves});
}

/// The same with a third mishap: seconds and 300 MB, so not always (--gtest_also_run_disabled_tests).
TEST(models, DISABLED_survivors_get_one_communicator_after_three_mishaps) {
  shrink_model model;
  model.most_mishaps = 3;
  const verdict right = explore(model);
  EXPECT_TRUE(right.is_right()) << right;
  std::cout << right << std::endl;
}

/// The checker itself: two processes that add one to a counter by a load and a store lose an addition.
struct lost_update {
  struct State {
    std::uint8_t counter, seen[2], at[2];
  };
  std::string broken(const State& s) const { return s.at[0] == 2 && s.at[1] == 2 && s.counter != 2 ? "lost" : ""; }
  bool is_end(const State&) const { return true; }
  void moves(const State& s, std::vector<move<State>>& out) const {
    for (int who = 0; who < 2; ++who) {
      State next = s;
      if (s.at[who] == 0) next.seen[who] = s.counter;
      if (s.at[who] == 1) next.counter = static_cast<std::uint8_t>(s.seen[who] + 1);
      if (s.at[who] < 2) ++next.at[who], out.push_back({next, "load, then store", who});
    }
  }
};

TEST(models, the_checker_finds_a_lost_update_and_its_shortest_trace) {
  const verdict found = explore(lost_update{});
  EXPECT_EQ(found.problem, "lost");
  EXPECT_EQ(found.trace.size(), 4u) << found;
}

}  // namespace
}  // namespace hawser::models
