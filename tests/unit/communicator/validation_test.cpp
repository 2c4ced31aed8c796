// Validation mode with threads as ranks: every difference is found on every rank, before data moves, and what is right
// goes on as without it.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <support/collective_battery.hpp>
#include <support/differing_calls.hpp>
#include <support/refused_ranks.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

communicator_options validated() {
  communicator_options options;
  options.validate = true;
  options.operation_timeout = milliseconds(60'000);
  return options;
}

/// Every rank of every size is told the same: who differs in what. The communicator can be used afterwards.
TEST(validation, tells_all_ranks_what_differs) {
  for (const std::string& transport : test::thread_transports())
    for (int ranks = 2; ranks <= 5; ++ranks)
      for (const test::differing_call& each : test::differing_calls()) {
        SCOPED_TRACE(transport + ", " + std::to_string(ranks) + " ranks, " + each.field);
        std::mutex mutex;
        std::vector<std::string> told;
        test::run_threads_over(transport, ranks, validated(), [&](communicator& members) {
          const int other = ranks - 1;
          try {
            each.make(members, members.rank() == rank(other));
          } catch (const error& found) {
            std::lock_guard lock(mutex);
            EXPECT_EQ(found.code(), errc::mismatch) << found.what();
            const std::string text = found.what();
            told.push_back(text.substr(text.find('(')));  // the call's own name may come first
          }
          members.barrier();
        });
        ASSERT_EQ(told.size(), static_cast<std::size_t>(ranks));
        for (const std::string& text : told) EXPECT_EQ(text, told[0]);
        EXPECT_NE(told[0].find("another " + each.field), std::string::npos) << told[0];
        // Of two ranks either may be the one that differs.
        if (ranks > 2) {
          EXPECT_NE(told[0].find("rank " + std::to_string(ranks - 1) + " calls"), std::string::npos) << told[0];
        }
      }
}

TEST(validation, changes_no_result) {
  for (const std::string& transport : test::thread_transports())
    for (int ranks : {1, 2, 3, 5}) {
      std::atomic<std::uint64_t> plain{0}, checked{0};
      test::run_threads_over(transport, ranks, {},
                             [&](communicator& members) { plain = test::run_battery(members, true); });
      test::run_threads_over(transport, ranks, validated(),
                             [&](communicator& members) { checked = test::run_battery(members, true); });
      EXPECT_EQ(plain, checked) << transport << ", " << ranks << " ranks";
    }
}

/// Blocks that the ranks believe to be of different sizes.
TEST(validation, compares_the_sizes_of_blocks) {
  std::atomic<int> found{0};
  run_in_process(3, validated(), [&](communicator& members) {
    const bool is_other = members.rank() == rank(2);
    const std::vector<std::int64_t> counts =
        is_other ? std::vector<std::int64_t>{2, 1, 3} : std::vector<std::int64_t>{1, 2, 3};
    std::vector<float> own(static_cast<std::size_t>(counts[static_cast<std::size_t>(members.rank().value)])), all(6);
    try {
      members.all_gather_v(own, all, counts);
    } catch (const error& raised) {
      EXPECT_NE(std::string(raised.what()).find("another block sizes"), std::string::npos) << raised.what();
      ++found;
    }
  });
  EXPECT_EQ(found, 3);
}

/// Parts validate their own calls, and asynchronous ones are validated on their way.
TEST(validation, of_parts_and_of_asynchronous_calls) {
  std::atomic<int> found{0};
  run_in_process(4, validated(), [&](communicator& members) {
    const auto half = members.split(members.rank().value % 2, 0);
    std::vector<float> first(4, 1.0F), second(half->rank() == rank(1) ? 5U : 4U, 1.0F), third(4, 1.0F);
    pending a = half->async().all_reduce(first), b = half->async().all_reduce(second),
            c = half->async().all_reduce(third);
    c.wait();
    a.wait();
    try {
      b.wait();
    } catch (const error& raised) {
      EXPECT_EQ(raised.code(), errc::mismatch) << raised.what();
      ++found;
    }
    EXPECT_EQ(first[0], 2.0F);
    EXPECT_EQ(third[3], 2.0F);
    EXPECT_EQ(second[0], 1.0F) << "data moved";
  });
  EXPECT_EQ(found, 4);
}

TEST(validation, is_the_same_on_all_ranks) {
  const auto options_of = [](int r) {
    communicator_options options;
    options.validate = r == 0;
    return options;
  };
  const int found = test::count_refused(2, options_of, [](const error& raised) {
    EXPECT_NE(std::string(raised.what()).find("HAWSER_VALIDATE"), std::string::npos) << raised.what();
    return true;
  });
  EXPECT_EQ(found, 2);
}

}  // namespace
}  // namespace hawser
