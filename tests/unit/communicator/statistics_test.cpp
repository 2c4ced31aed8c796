// Who keeps the others waiting: by hand, and with a rank that is late on purpose.
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/diagnosis/statistics.hpp>

namespace hawser {
namespace {

using diagnosis::call_statistics;

TEST(statistics, blames_the_shortest_stay) {
  call_statistics made;
  made.communicator = "world";
  // Rank 1 comes last to the first call, rank 2 to the second; of the third nothing is known of rank 0.
  diagnosis::add_calls(made, {{3.0F, 1.5F, 0.0F}, {1.0F, 2.5F, 1.0F}, {2.0F, 0.5F, 1.0F}});
  EXPECT_EQ(made.calls, 2U);
  EXPECT_EQ(made.calls_missed, 1U);
  ASSERT_EQ(made.ranks.size(), 3U);
  EXPECT_EQ(made.ranks[1].times_last, 1U);
  EXPECT_DOUBLE_EQ(made.ranks[1].waited_for.count(), 1.5);  // the mean of 2 and 1
  EXPECT_DOUBLE_EQ(made.ranks[2].waited_for.count(), 1.5);
  EXPECT_DOUBLE_EQ(made.ranks[0].waiting.count(), 3.0);
  EXPECT_DOUBLE_EQ(made.ranks[0].in_calls.count(), 4.5);
  diagnosis::add_calls(made, {{5.0F}, {4.0F}, {1.0F}});
  EXPECT_EQ(made.slowest(), 2);
  EXPECT_DOUBLE_EQ(made.ranks[2].longest.count(), 3.5);
  EXPECT_EQ(made.calls, 3U);
}

TEST(statistics, are_exported) {
  call_statistics made;
  made.communicator = "world";
  EXPECT_EQ(made.slowest(), -1);
  diagnosis::add_calls(made, {{0.5F}, {0.25F}});
  EXPECT_EQ(
      diagnosis::to_json(made),
      "{\n  \"schema\": \"hawser.statistics/1\",\n  \"communicator\": \"world\",\n  \"calls\": 1,\n"
      "  \"calls_missed\": 0,\n  \"ranks\": [\n"
      "    {\"rank\": 0, \"times_last\": 0, \"waited_for\": 0, \"longest\": 0, \"waiting\": 0.25, \"in_calls\": 0.5},\n"
      "    {\"rank\": 1, \"times_last\": 1, \"waited_for\": 0.25, \"longest\": 0.25, \"waiting\": 0, \"in_calls\": "
      "0.25}\n"
      "  ]\n}\n");
  const std::string text = diagnosis::to_prometheus(made);
  for (const std::string line :
       {"# TYPE hawser_waited_for_seconds_total counter\n", "hawser_calls_total{communicator=\"world\"} 1\n",
        "hawser_waited_for_seconds_total{communicator=\"world\",rank=\"1\"} 0.25\n",
        "hawser_times_last_total{communicator=\"world\",rank=\"0\"} 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << text;
}

/// Rank 2 works for 20 ms before each call. All ranks find it, on parts of the job as well.
TEST(statistics, find_a_rank_that_is_late) {
  constexpr int calls = 10;
  constexpr std::chrono::milliseconds work{20};
  run_in_process(3, [&](communicator& members) {
    const auto pair = members.split(members.rank().value == 0 ? 1 : 0, -members.rank().value);  // 2 is its rank 0
    std::vector<float> data(64, 1.0F);
    const auto before = members.statistics();
    for (int i = 0; i < calls; ++i) {
      if (members.rank() == rank(2)) std::this_thread::sleep_for(work);
      members.all_reduce(data);
      if (members.rank() != rank(0)) {
        if (members.rank() == rank(2)) std::this_thread::sleep_for(work);
        pair->barrier();
      }
    }
    const auto found = members.statistics();
    EXPECT_EQ(found.slowest(), 2);
    EXPECT_EQ(found.calls, before.calls + calls);
    EXPECT_EQ(found.calls_missed, before.calls_missed);
    EXPECT_GE((found.ranks[2].waited_for - before.ranks[2].waited_for).count(), 0.5 * calls * 0.020);
    if (members.rank() == rank(0)) return;
    const auto of_pair = pair->statistics();
    EXPECT_EQ(of_pair.slowest(), 0);
    EXPECT_EQ(of_pair.communicator, pair->statistics().communicator);
    EXPECT_NE(of_pair.communicator, "world");
  });
}

/// What is too long ago is counted, not guessed.
TEST(statistics, look_back_so_far) {
  run_in_process(2, [](communicator& members) {
    for (int i = 0; i < 1'500; ++i) members.barrier();
    const auto found = members.statistics();
    EXPECT_EQ(found.calls, 1'024U);
    EXPECT_EQ(found.calls_missed, 1'500U - 1'024U);
    EXPECT_EQ(members.statistics().calls, 1'024U);
  });
}

}  // namespace
}  // namespace hawser
