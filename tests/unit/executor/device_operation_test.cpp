// Every registered algorithm on memory of a device whose work is late at random, over wires that delay and reorder:
// the reference result, no access that a device may not make, and nothing left after a failure.
#include <hawser/executor/device_operation.hpp>

#include <cstdlib>
#include <iostream>
#include <random>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/topology/synthetic.hpp>

#include "support/device_job.hpp"
#include "support/failing_device.hpp"
#include "support/seed.hpp"

namespace hawser::testing {
namespace {

using executor::device_operation;
using hawser::test::thread_device;

/// One call on all ranks.
struct running_call {
  running_call(device_job& job, const topology::hierarchy& tree, const device_call& wanted,
               executor::stream_device& memory, std::uint16_t context = 0) {
    for (int r = 0; r < job.size(); ++r) {
      members.push_back(std::make_unique<device_member>(tree, wanted, r, memory));
      executor::operation_arguments arguments = members.back()->arguments();
      arguments.context = context;
      arguments.ended = [](void* state) { ++*static_cast<int*>(state); };
      arguments.state = &ended;
      operations.push_back(std::make_unique<device_operation>(
          std::move(arguments), executor::device_reduction{data_type::int64, reduce_kind::sum}, job.at(r).wire(),
          job.queue_at(r)));
    }
  }
  void start(device_job& job, std::uint16_t number) {
    ended = 0;
    for (std::size_t r = 0; r < members.size(); ++r) {
      members[r]->fill(number);
      job.at(static_cast<int>(r)).start(*operations[r], number);
    }
  }
  bool has_ended() const { return ended == static_cast<int>(members.size()); }
  bool is_right() const {
    return std::all_of(members.begin(), members.end(), [](const auto& each) { return each->is_right(); });
  }
  std::vector<std::unique_ptr<device_member>> members;
  std::vector<std::unique_ptr<device_operation>> operations;
  int ended = 0;
};

void check_all(const std::string& machine, collective what) {
  const topology::hierarchy tree = topology::parse_synthetic(machine);
  std::uint64_t seed = test::seed_of_run();
  bool is_staged = test::seed_of_run() % 2 == 0;
  for (const std::string& name : algorithm::algorithm_names(tree, what)) {
    is_staged = !is_staged || tree.size() < 4;  // by turns, and always where there are few ranks
    const bool has_segments = !has_root(what) && what != collective::barrier;
    const device_call wanted{what,
                             name,
                             what == collective::barrier ? 1 : 17,
                             has_segments ? 5 : 1,
                             2,
                             has_root(what) ? static_cast<int>(tree.size()) / 2 : 0};
    SCOPED_TRACE(machine + ": " + ::testing::PrintToString(wanted) + (is_staged ? ", staged" : "") + ", seed " +
                 std::to_string(++seed));
    thread_device device(seed, std::chrono::microseconds(10));
    {
      device_job job(seed, static_cast<int>(tree.size()), device, is_staged);
      running_call call(job, tree, wanted, device);
      for (std::uint16_t run : {3, 4}) {  // twice: memory is kept from one run to the next
        call.start(job, run);
        ASSERT_TRUE(job.drive_until([&] { return call.has_ended(); }));
        ASSERT_TRUE(call.is_right()) << "in run " << run;
      }
      ASSERT_TRUE(job.drive_until([&] { return job.network().outstanding() == 0; }));
    }
    ASSERT_EQ(device.live(), 0U);
    ASSERT_EQ(device.violations(), std::vector<std::string>{});
  }
}

class device_operation_on : public ::testing::TestWithParam<std::string> {};

TEST_P(device_operation_on, gives_the_reference_result_by_every_algorithm) {
  for (const collective what :
       {collective::all_reduce, collective::reduce_scatter, collective::all_gather, collective::all_to_all,
        collective::broadcast, collective::reduce, collective::gather, collective::scatter, collective::barrier}) {
    check_all(GetParam(), what);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(machines, device_operation_on,
                         ::testing::Values("gpu:1", "gpu:2", "gpu:3", "gpu:5", "rack:2 gpu:2", "rack:3 gpu:[2,1,2]"));

/// Several calls at once on one queue: each of them hears of its own work.
TEST(device_operation, calls_under_way_together_do_not_disturb_each_other) {
  const topology::hierarchy tree = topology::parse_synthetic("rack:2 gpu:2");
  thread_device device(test::seed_of_run(), std::chrono::microseconds(30));
  {
    device_job job(test::seed_of_run(), 4, device, true);
    running_call first(job, tree, {collective::all_reduce, "ring", 200, 6, 3}, device, 1);
    running_call second(job, tree, {collective::all_to_all, "bruck", 9, 3, 2}, device, 2);
    first.start(job, 1);
    second.start(job, 1);
    ASSERT_TRUE(job.drive_until([&] { return first.has_ended() && second.has_ended(); }));
    EXPECT_TRUE(first.is_right() && second.is_right());
  }
  EXPECT_EQ(device.violations(), std::vector<std::string>{});
}

/// A rank is lost after every number of messages: all others end with that error once their engines are told, and no
/// stream works for them any more.
TEST(device_operation, a_lost_peer_leaves_nothing_under_way) {
  const topology::hierarchy tree = topology::parse_synthetic("rack:2 gpu:2");
  for (std::int64_t messages = 0; messages < 40; messages += 3) {
    SCOPED_TRACE("lost after " + std::to_string(messages));
    thread_device device(static_cast<std::uint64_t>(messages), std::chrono::microseconds(50));
    {
      device_job job(static_cast<std::uint64_t>(messages), 4, device, true);
      job.network().lose(2, messages);
      running_call call(job, tree, {collective::all_reduce, "ring", 100, 4, 4}, device);
      call.start(job, 1);
      ASSERT_TRUE(job.drive_until([&] { return call.ended > 0; }));
      for (int r = 0; r < 4; ++r) job.at(r).fail_all({errc::peer_failed, 2, "it is gone"});
      EXPECT_TRUE(call.has_ended());
      for (const auto& each : call.operations) {
        EXPECT_TRUE(each->is_done());
        EXPECT_TRUE(!each->failed() || each->failed()->code == errc::peer_failed);
      }
      for (const auto& each : call.members) std::fill_n(each->output().data, each->output().size, 0);  // ours again
    }
    EXPECT_EQ(device.live(), 0U);
    EXPECT_EQ(device.violations(), std::vector<std::string>{});
  }
}

/// Each call of the device failing in turn, for once and for good.
TEST(device_operation, a_failing_device_fails_the_call) {
  const topology::hierarchy tree = topology::parse_synthetic("gpu:2");
  int refused = 0, failed = 0;
  for (const bool is_lost : {false, true})
    for (long number = 1; number < 400; ++number) {
      SCOPED_TRACE("call " + std::to_string(number) + (is_lost ? " and all later ones" : ""));
      thread_device real(1, std::chrono::microseconds(10));
      failing_device device(real);
      bool is_over = false;
      {
        device_job job(1, 2, device, false);
        device.fail_call(number, is_lost);
        try {
          running_call call(job, tree, {collective::all_reduce, "recursive_doubling", 50, 3, 2}, real);
          try {
            call.start(job, 1);
          } catch (const error& early) {
            EXPECT_EQ(early.code(), errc::resource);
          }
          ASSERT_TRUE(job.drive_until([&] {
            return call.has_ended() || std::any_of(call.operations.begin(), call.operations.end(),
                                                   [](const auto& each) { return each->failed().has_value(); });
          }));
          is_over = !device.has_failed();
          EXPECT_TRUE(!is_over || call.is_right());
          for (int r = 0; r < 2; ++r) job.at(r).fail_all({errc::aborted, -1, "the test is over"});
          failed += is_over ? 0 : 1;
        } catch (const error& early) {
          EXPECT_EQ(early.code(), errc::resource);
          ++refused;
        }
      }
      EXPECT_EQ(real.live(), 0U);
      if (is_over) break;
    }
  EXPECT_GE(refused, 2);
  EXPECT_GT(failed, 10);
}

}  // namespace
}  // namespace hawser::testing
