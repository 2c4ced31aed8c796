// Real processes that hang, die, differ or are stopped leave dumps, and what these say together names who is to blame.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include <hawser/diagnosis/hang.hpp>
#include <multiprocess/local_job.hpp>
#include <multiprocess/transports.hpp>
#include <support/needs.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;

class dumps : public testing::TestWithParam<std::string> {
 protected:
  dumps() {
    char name[] = "/tmp/hawser-dumps-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~dumps() override { std::filesystem::remove_all(folder_); }
  void SetUp() override { HAWSER_NEEDS(diagnosis::to_json(diagnosis::dump{})); }

  communicator_options options() const {
    communicator_options made;
    made.transports = test::transport_named(GetParam());
    made.dump_directory = folder_ + "/dumps";  // made by the ranks
    made.peer_timeout = milliseconds(4'000);
    made.operation_timeout = milliseconds(2'000);
    made.abort_timeout = milliseconds(200);
    return made;
  }
  /// A dump of another rank is there: that rank has met its failure.
  bool has_dumped(int rank) const {
    return std::filesystem::exists(folder_ + "/dumps/rank-" + std::to_string(rank) + ".dump.json");
  }
  void wait_for_dump_of(int rank) const {
    while (!has_dumped(rank)) std::this_thread::yield();
  }
  /// Runs the ranks, whose bodies all end in an error, and judges what they left.
  template <class Body>
  diagnosis::hang_report judge(int size, Body&& body) {
    const auto ends = test::run_job(size, milliseconds(4'000), [&](auto door) {
      communicator members(std::move(door), options());
      std::vector<float> data(1'000, 1.0F);
      members.all_reduce(data);
      try {
        body(members, data);
      } catch (const error& failed) {
        return std::string(failed.what());
      }
      return std::string("no error");
    });
    for (std::size_t r = 0; r < ends.size(); ++r) said_ += "rank " + std::to_string(r) + ": " + ends[r].said + "\n";
    const auto read = diagnosis::read_dumps(folder_ + "/dumps");
    EXPECT_EQ(read.front().size, size);
    return diagnosis::find_hang(read);
  }
  void expect(const diagnosis::hang_report& found, diagnosis::hang_kind kind, const std::vector<std::int32_t>& ranks,
              const std::string& words) {
    EXPECT_EQ(to_string(found.kind), to_string(kind)) << found.sentence << "\n" << said_;
    EXPECT_EQ(found.ranks, ranks) << found.sentence << "\n" << said_;
    EXPECT_NE(found.sentence.find(words), std::string::npos) << found.sentence << "\n" << said_;
  }

  std::string folder_, said_;
};

TEST_P(dumps, name_a_killed_rank) {
  const auto found = judge(4, [](communicator& members, std::vector<float>& data) {
    for (int round = 0;; ++round) {
      if (round == 20 && members.rank() == rank(2)) raise(SIGKILL);
      members.all_reduce(data);
    }
  });
  expect(found, diagnosis::hang_kind::missing, {2}, "killed or crashed");
  EXPECT_EQ(found.without_dump, std::vector<std::int32_t>{2});
}

/// It is in no call while the others wait, and leaves its dump all the same.
TEST_P(dumps, name_a_rank_that_does_not_come) {
  const auto found = judge(3, [this](communicator& members, std::vector<float>& data) {
    members.barrier();
    if (members.rank() == rank(1)) {
      wait_for_dump_of(0);
      wait_for_dump_of(1);  // its own
    }
    members.all_reduce(data);
  });
  expect(found, diagnosis::hang_kind::late, {1},
         "Rank 1 has not made call 3 of communicator world (all_reduce of 1000");
  EXPECT_TRUE(found.without_dump.empty());
}

TEST_P(dumps, name_calls_that_differ) {
  const auto found = judge(3, [](communicator& members, std::vector<float>& data) {
    members.broadcast(data, members.rank() == rank(2) ? 1 : 0, {.algorithm = "linear"});
    members.barrier();
  });
  expect(found, diagnosis::hang_kind::different_calls, {2}, "rank 2 called broadcast of 1000 float32, root 1");
}

TEST_P(dumps, name_a_part_whose_calls_are_in_another_order) {
  const auto found = judge(2, [](communicator& members, std::vector<float>& data) {
    const auto part = members.split(0, 0);
    if (members.rank() == rank(0)) part->barrier();
    members.all_reduce(data);
    if (members.rank() == rank(1)) part->barrier();
  });
  EXPECT_EQ(to_string(found.kind), "order") << found.sentence << "\n" << said_;
}

TEST_P(dumps, name_a_message_that_nobody_sends) {
  const auto found = judge(2, [this](communicator& members, std::vector<float>& data) {
    if (members.rank() == rank(0)) {
      members.receive(data, 1, 7);
    } else {
      wait_for_dump_of(0);
      wait_for_dump_of(1);  // its own
      members.barrier();
    }
  });
  expect(found, diagnosis::hang_kind::late, {1}, "receive of 4000 bytes from rank 1 with label 7");
}

/// A rank that computes for ever is asked by a signal, from outside.
TEST_P(dumps, are_written_at_a_signal) {
  const auto ends = test::run_job(2, milliseconds(4'000), [&](auto door) {
    communicator_options asked = options();
    asked.dump_signal = SIGUSR2;
    communicator members(std::move(door), asked);
    members.barrier();
    kill(getpid(), SIGUSR2);
    wait_for_dump_of(members.rank().value);
    std::ostringstream now;
    members.dump(now, "the test asks");
    const auto read = diagnosis::dump_from_json(now.str(), "now");
    const auto steps = read.calls.empty() ? std::size_t{0} : read.calls.front().steps.size();
    members.barrier();
    return read.reason + ", " + std::to_string(read.calls.size()) + " calls, " + (steps > 0 ? "with" : "without") +
           " steps, first " + read.calls.front().signature.substr(0, 7);
  });
  for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "the test asks, 1 calls, with steps, first barrier");
  const auto read = diagnosis::read_dumps(folder_ + "/dumps");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_NE(read[0].reason.find("signal"), std::string::npos) << read[0].reason;
}

INSTANTIATE_TEST_SUITE_P(transports, dumps, testing::Values("shm", "tcp"),
                         [](const auto& chosen) { return chosen.param; });

/// A handler that the program has keeps its signal.
TEST(dump_signal, never_replaces_a_handler) {
  const auto ends = test::run_job(1, milliseconds(4'000), [&](auto door) {
    static volatile sig_atomic_t came = 0;
    signal(SIGUSR1, [](int) { came = 1; });
    communicator_options asked;
    asked.dump_directory = "/nowhere/at/all";
    asked.dump_signal = SIGUSR1;
    communicator members(std::move(door), asked);
    raise(SIGUSR1);
    return std::string(came == 1 ? "mine" : "taken");
  });
  EXPECT_EQ(ends[0].said, "mine");
}

}  // namespace
}  // namespace hawser
