// What faults of every kind do to collectives: a right result, or a clear error in time, on every rank.
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <numeric>

#include <hawser/transport/tcp.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr int ranks = 4;
constexpr milliseconds operation_timeout{2'000};
constexpr milliseconds grace{1'000};

/// How one rank's calls ended.
struct ending {
  int right = 0, wrong = 0;
  std::optional<errc> code;
  std::string what;
  milliseconds last_call{};
};

/// Three collectives of different shapes; counts what is wrong.
void call_some(communicator& members, int round, ending& seen) {
  const int n = members.size(), me = members.rank().value;
  const auto judge = [&](bool is_right) { ++(is_right ? seen.right : seen.wrong); };
  const auto begin = clock::now();
  seen.last_call = milliseconds(-1);
  std::vector<std::int64_t> sums(3'000 + static_cast<std::size_t>(round) * 7'000);
  std::iota(sums.begin(), sums.end(), me);
  try {
    members.all_reduce(sums);
    bool is_right = true;
    for (std::size_t i = 0; i < sums.size(); ++i)
      is_right = is_right && sums[i] == static_cast<std::int64_t>(i) * n + n * (n - 1) / 2;
    judge(is_right);
    std::vector<std::int32_t> mine(500, me), all(500 * static_cast<std::size_t>(n));
    members.all_gather(mine, all);
    is_right = true;
    for (std::size_t i = 0; i < all.size(); ++i) is_right = is_right && all[i] == static_cast<std::int32_t>(i / 500);
    judge(is_right);
    std::vector<double> told(800, me == round % n ? round : -1);
    members.broadcast(told, round % n);
    judge(told == std::vector<double>(800, round));
  } catch (...) {
    seen.last_call = std::chrono::duration_cast<milliseconds>(clock::now() - begin);
    throw;
  }
}

std::vector<ending> run_under(const std::string& transport, const std::string& faults, bool has_checksums) {
  std::vector<ending> seen(ranks);
  communicator_options options;
  options.topology = "gpu:4";
  options.faults = faults;
  options.has_checksums = has_checksums;
  options.operation_timeout = operation_timeout;
  options.peer_timeout = operation_timeout / 2;  // half of it is the patience with a link that may be a rank's end
  const auto body = [&](communicator& members) {
    ending& mine = seen[static_cast<std::size_t>(members.rank().value)];
    try {
      for (int round = 0; round < 12; ++round) call_some(members, round, mine);
    } catch (const error& failed) {
      mine.code = failed.code();
      mine.what = failed.what();
    }
  };
  if (transport == "tcp") {
    options.transports = {transport::tcp_factory()};
    detail::run_threads(ranks, options, body);
  } else {
    test::run_threads_over(transport, ranks, options, body);
  }
  return seen;
}

class collectives_under_faults : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(transports, collectives_under_faults, testing::Values("in_process", "shared_memory", "tcp"),
                         [](const auto& each) { return each.param; });

TEST_P(collectives_under_faults, are_right_where_messages_are_late_or_overtaken) {
  for (const char* faults : {"delay:2ms@0.05,seed:1", "reorder:0.05,seed:2", "stall:20ms@0.01,seed:3",
                             "delay:1ms@0.02,reorder:0.02,stall:5ms@0.01,seed:4"})
    for (const bool has_checksums : {false, true})
      for (const ending& each : run_under(GetParam(), faults, has_checksums)) {
        EXPECT_FALSE(each.code) << faults << ": " << each.what;
        EXPECT_EQ(each.right, 36) << faults;
        EXPECT_EQ(each.wrong, 0) << faults;
      }
}

/// Everything that changes, loses or doubles data, with checksums: never a wrong result, and an error on every rank.
TEST_P(collectives_under_faults, fail_clearly_where_messages_are_changed_lost_or_doubled) {
  for (const char* fault : {"corrupt:0.02", "drop:0.02", "duplicate:0.02", "short:0.02", "disconnect:0.02"})
    for (const int seed : {1, 2}) {
      const std::string faults = std::string(fault) + ",seed:" + std::to_string(seed);
      SCOPED_TRACE(faults);
      bool is_named = false;
      for (const ending& each : run_under(GetParam(), faults, true)) {
        EXPECT_EQ(each.wrong, 0);
        // A doubled message hurts only if its tag is used again; then nothing at all need have happened.
        if (faults.starts_with("duplicate") && !each.code) continue;
        ASSERT_TRUE(each.code) << "no error";
        EXPECT_LE(each.last_call, operation_timeout + grace) << each.what;
        EXPECT_NE(*each.code, errc::internal) << each.what;
        is_named = is_named || each.what.find("changed on the way") != std::string::npos;
      }
      if (faults.starts_with("corrupt")) {
        EXPECT_TRUE(is_named);
      }
    }
}

/// One damaged message of one link: the error names both ends of it on every rank.
TEST_P(collectives_under_faults, name_the_link_on_every_rank) {
  for (const ending& each : run_under(GetParam(), "corrupt:1,rank:2,after:5,most:1,seed:9", true)) {
    ASSERT_TRUE(each.code);
    EXPECT_TRUE(*each.code == errc::corrupted || *each.code == errc::aborted) << each.what;
    EXPECT_NE(each.what.find("a message from rank 2 to rank"), std::string::npos) << each.what;
    EXPECT_NE(each.what.find("was changed on the way"), std::string::npos) << each.what;
    EXPECT_LT(each.last_call, grace) << "it is told at once";
  }
}

/// The link of two ranks that live is cut before the first message: the others, who wait for one of them to connect,
/// are told at once, not by a time-out.
TEST_P(collectives_under_faults, tell_all_of_a_cut_between_living_ranks) {
  for (const ending& each : run_under(GetParam(), "disconnect:1,rank:3,most:1,seed:1", false)) {
    ASSERT_TRUE(each.code);
    EXPECT_NE(*each.code, errc::timeout) << each.what;
    EXPECT_LT(each.last_call, operation_timeout) << each.what;
  }
}

TEST(faults, of_a_communicator_must_be_readable_and_checksums_alike) {
  communicator_options options;
  options.faults = "melt:0.1";
  EXPECT_THROW(run_in_process(2, options, [](communicator&) {}), error);
  const auto job = bootstrap::in_process_job::create(2);
  const auto hub = std::make_shared<transport::in_process_hub>(2);
  std::vector<std::string> said(2);
  std::vector<std::thread> threads;
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([&, r] {
      communicator_options own;
      own.transports = {transport::in_process_factory(hub)};
      own.has_checksums = r == 1;
      try {
        communicator members(job->join(r), own);
      } catch (const error& refused) {
        said[static_cast<std::size_t>(r)] = refused.what();
      }
    });
  for (std::thread& each : threads) each.join();
  for (const std::string& each : said) EXPECT_NE(each.find("HAWSER_CHECKSUMS"), std::string::npos) << each;
}

}  // namespace
}  // namespace hawser
