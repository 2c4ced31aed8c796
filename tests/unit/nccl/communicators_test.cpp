// Making and ending communicators: lanes, rails, every call failing once on every rank, members that do not come.
#include <algorithm>
#include <set>

#include "unit/nccl/ranks.hpp"

namespace hawser::test {
namespace {

using nccl::communicators;
using nccl::nccl_options;

constexpr int ranks = 3;

nccl_options quick(int lanes = 1) {
  nccl_options options;
  options.lanes = lanes;
  options.creation_timeout = std::chrono::seconds(60);
  return options;
}

TEST(nccl_communicators, are_made_and_end_in_good_order) {
  for (int size = 1; size <= 5; ++size)
    for (int lanes = 1; lanes <= 3; ++lanes) {
      fake_nccl fake(seed_of_run());
      expect_well(run_nccl(fake, size, [&](nccl_rank& on) {
        const communicators made(on.all(), quick(lanes), on.library);
        EXPECT_EQ(made.place(), on.self);
        EXPECT_EQ(made.members().size(), static_cast<std::size_t>(size));
        EXPECT_EQ(made.lanes(), lanes);
        EXPECT_EQ(made.can().version, 22809);
      }));
      EXPECT_EQ(fake.made(), static_cast<std::size_t>(size * lanes));
      EXPECT_EQ(fake.aborted(), 0U);
      expect_nothing_left(fake);
    }
}

TEST(nccl_communicators, take_their_options_to_nccl) {
  fake_nccl fake;
  expect_well(run_nccl(fake, 1, [&](nccl_rank& on) {
    nccl_options options;
    options.min_ctas = 2;
    options.max_ctas = 4;
    options.network = "Socket";
    options.device = 5;
    const communicators made(on.all(), options, on.library);
    EXPECT_EQ(fake.config().minCTAs, 2);
    EXPECT_EQ(fake.config().maxCTAs, 4);
    EXPECT_STREQ(fake.config().netName, "Socket");
    EXPECT_EQ(fake.config().cgaClusterSize, NCCL_CONFIG_UNDEF_INT);
    EXPECT_EQ(fake.devices(), std::vector<int>{5});
  }));
}

TEST(nccl_communicators, of_some_ranks_leave_the_others_alone) {
  fake_nccl fake;
  expect_well(run_nccl(fake, 4, [&](nccl_rank& on) {
    const bool is_odd = on.self % 2 == 1;
    const communicators made(
        {on.job, is_odd ? "odd" : "even", is_odd ? std::vector<rank>{3, 1} : std::vector<rank>{0, 2}}, quick(2),
        on.library);
    EXPECT_EQ(made.place(), is_odd ? (on.self == 3 ? 0 : 1) : on.self / 2);
  }));
  EXPECT_EQ(fake.made(), 8U);
  expect_nothing_left(fake);
}

/// Rails: of ranks 0..5 those with the same remainder by 2.
void split_into_rails(nccl_rank& on) {
  const communicators whole(on.all(), quick(2), on.library);
  const int rail = on.self % 2;
  const auto part = whole.split("rails", {rank(rail + 4), rank(rail), rank(rail + 2)});
  EXPECT_EQ(part->place(), on.self / 2 == 2 ? 0 : on.self / 2 + 1);
  EXPECT_EQ(part->lanes(), 2);
}

TEST(nccl_communicators, split_into_rails_with_and_without_nccls_help) {
  for (const bool has_split : {true, false}) {
    fake_nccl fake(seed_of_run());
    expect_well(run_nccl(fake, 6, split_into_rails, [&](nccl::functions& calls) {
      if (!has_split) calls.split = nullptr;
    }));
    EXPECT_EQ(fake.made(), 24U);
    EXPECT_EQ(fake.aborted(), 0U);
    expect_nothing_left(fake);
  }
}

TEST(nccl_communicators, refuse_what_can_never_work) {
  fake_nccl fake;
  const auto ends = run_nccl(fake, 1, [&](nccl_rank& on) {
    EXPECT_THROW(communicators(on.all(), quick(0), on.library), error);
    nccl_options crossed;
    crossed.min_ctas = 5;
    crossed.max_ctas = 4;
    EXPECT_THROW(communicators(on.all(), crossed, on.library), error);
    EXPECT_THROW(communicators({on.job, "not me", {1, 2}}, {}, on.library), error);
    EXPECT_THROW(communicators({on.job, "twice", {0, 0}}, {}, on.library), error);
  });
  expect_well(ends);
  EXPECT_EQ(fake.made(), 0U);
}

struct shape {
  int lanes;
  bool has_split, tells_peers, splits;
};

/// A rank's call of this number fails, counted over all functions or, with a name, over one; false where there are not
/// so many calls.
bool fail_once(const shape& of, int rank, int call, int& refused, std::set<std::string>& failed,
               const std::string& name = {}) {
  fake_nccl fake(seed_of_run());
  fake.tells_peers = of.tells_peers;
  fake.fail_at(rank, name, call);
  const auto body = [&](nccl_rank& on) {
    const communicators made(on.all(), quick(of.lanes), on.library);
    if (of.splits) made.split("parts", on.self == 2 ? std::vector<hawser::rank>{2} : std::vector<hawser::rank>{0, 1});
  };
  const auto ends = run_nccl(fake, ranks, body, [&](nccl::functions& calls) {
    if (!of.has_split) calls.split = nullptr;
  });
  SCOPED_TRACE(fake.failed() + " of rank " + std::to_string(rank) + ", its call " + std::to_string(call));
  expect_nothing_left(fake);
  if (fake.failed().empty()) return false;
  failed.insert(fake.failed());
  // A refusal at the end is nobody else's matter: the communicators are aborted instead.
  const bool is_at_the_end = std::all_of(ends.begin(), ends.end(), [](const auto& end) { return end.error.empty(); });
  if (is_at_the_end) {
    EXPECT_GT(fake.aborted(), 0U);
    return true;
  }
  ++refused;
  for (const nccl_end& end : ends) {
    EXPECT_EQ(end.error, ends[0].error);  // the same text on all ranks
    EXPECT_NE(end.code, std::nullopt);
    EXPECT_NE(end.native_code, 0);
    EXPECT_GE(end.peer.value, 0);
  }
  EXPECT_EQ(ends[0].peer.value, rank);
  EXPECT_EQ(ends[0].code, errc::resource);
  EXPECT_EQ(ends[0].error.find("rank " + std::to_string(rank) + ": NCCL cannot "), 0U) << ends[0].error;
  EXPECT_NE(ends[0].error.find("(an error: the last error)"), std::string::npos) << ends[0].error;
  return true;
}

class nccl_making : public ::testing::TestWithParam<shape> {};

TEST_P(nccl_making, ends_alike_whichever_call_fails) {
  constexpr int sure = 5;  // how often a communicator is polled differs from run to run
  int refused = 0;
  std::set<std::string> failed;
  for (int rank = 0; rank < ranks; ++rank)
    for (int call = 1, without = 0; without < sure; ++call) {
      without = fail_once(GetParam(), rank, call, refused, failed) ? 0 : without + 1;
      ASSERT_LT(call, 20000);
    }
  EXPECT_GE(refused, ranks * 2);  // making one, and asking for its state
  std::set<std::string> all{"ncclGetUniqueId", "ncclCommInitRankConfig", "ncclCommGetAsyncError", "ncclCommFinalize",
                            "ncclCommDestroy"};
  if (GetParam().has_split && (GetParam().lanes > 1 || GetParam().splits)) all.insert("ncclCommSplit");
  // Numbers that move from run to run may have stepped over a function.
  for (const std::string& name : all)
    for (int rank = 0; rank < ranks; ++rank) fail_once(GetParam(), rank, 1, refused, failed, name);
  failed.erase("ncclCommAbort");
  EXPECT_EQ(failed, all);
}

INSTANTIATE_TEST_SUITE_P(shapes, nccl_making,
                         ::testing::Values(shape{1, true, false, false}, shape{2, true, false, false},
                                           shape{2, false, false, false}, shape{2, true, true, false},
                                           shape{2, true, false, true}, shape{1, false, false, true}));

/// The others have one, and would wait for it.
TEST(nccl_communicators, tell_all_of_a_rank_without_nccl) {
  for (const int without : {0, 1}) {
    fake_nccl fake;
    const auto ends = run_nccl(fake, ranks, [&](nccl_rank& on) {
      nccl_options options = quick(2);
      options.library = "/nowhere/libnccl.so.2";
      communicators(on.all(), options, on.self == without ? nullptr : on.library);
    });
    for (const nccl_end& each : ends) {
      EXPECT_EQ(each.code, errc::unsupported);
      EXPECT_EQ(each.peer, rank(without));
      EXPECT_EQ(each.error, ends[0].error);
      EXPECT_NE(each.error.find("/nowhere/libnccl.so.2"), std::string::npos) << each.error;
    }
    expect_nothing_left(fake);
  }
}

TEST(nccl_communicators, do_not_wait_for_ever_for_a_member) {
  fake_nccl fake;
  nccl_options options = quick(2);
  options.creation_timeout = std::chrono::milliseconds(100);
  const auto ends = run_nccl(fake, ranks, [&](nccl_rank& on) {
    if (on.self != 1) communicators(on.all(), options, on.library);
  });
  EXPECT_EQ(ends[1].error, "");
  for (const int r : {0, 2}) {
    EXPECT_EQ(ends[static_cast<std::size_t>(r)].code, errc::timeout);
    EXPECT_NE(ends[static_cast<std::size_t>(r)].error.find("in time"), std::string::npos);
  }
  expect_nothing_left(fake);
}

TEST(nccl_communicators, hear_of_a_member_that_dies) {
  fake_nccl fake;
  const auto job = bootstrap::in_process_job::create(2);
  const auto door = job->join(0);
  auto other = job->join(1);
  thread_device device;
  const auto opened = nccl::make_library(fake.of(0, device), "the fake");
  std::thread dying([&] { other.reset(); });  // it ends without leaving the job
  try {
    communicators({*door, "group"}, quick(), opened);
    ADD_FAILURE() << "made without the other";
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::peer_failed);
    EXPECT_EQ(e.peer(), rank(1));
  }
  dying.join();
  expect_nothing_left(fake);
  door->leave();
}

}  // namespace
}  // namespace hawser::test
