// The same program text over every transport between real processes: right results, and identical bits.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include <hawser/communicator/in_process.hpp>
#include <multiprocess/local_job.hpp>
#include <multiprocess/transports.hpp>
#include <support/collective_battery.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;

communicator_options options_for(int size, const std::string& transport) {
  communicator_options options;
  options.topology = test::topology_for(size);
  if (!transport.empty()) options.transports = test::transport_named(transport);
  return options;
}

std::string digest_in_process(int size) {
  std::string digest;
  std::mutex mutex;
  run_in_process(size, options_for(size, ""), [&](communicator& members) {
    const std::string mine = std::to_string(test::run_battery(members, true));
    std::lock_guard lock(mutex);
    digest = mine;
  });
  return digest;
}

class collectives_over : public testing::TestWithParam<int> {};

TEST_P(collectives_over, every_transport_gives_the_bits_of_threads) {
  const int size = GetParam();
  const std::string expected = digest_in_process(size);
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_job(size, milliseconds(10'000), [&](auto door) {
      communicator members(std::move(door), options_for(size, transport));
      return std::to_string(test::run_battery(members, true));
    });
    for (int r = 0; r < size; ++r) {
      const test::rank_end& end = ends[static_cast<std::size_t>(r)];
      EXPECT_EQ(end.exit_code, 0) << "rank " << r << ": " << end.said;
      EXPECT_EQ(end.said, expected) << "rank " << r;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(processes, collectives_over, testing::Values(1, 2, 3, 4, 5, 8));

TEST(collectives, shared_memory_is_preferred_inside_a_host) {
  const auto ends = test::run_job(2, milliseconds(10'000), [&](auto door) {
    communicator members(std::move(door));
    members.barrier();
    return std::string(members.transport_to(1 - members.rank().value));
  });
  for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "shared_memory");
}

/// Rank 2 kills itself in the middle of a series of collectives; every other rank must name it in time.
TEST(collectives, a_killed_rank_is_named_by_all_others) {
  constexpr milliseconds peer_timeout(2'000);
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_job(4, peer_timeout, [&](auto door) {
      communicator_options options = options_for(4, transport);
      options.peer_timeout = peer_timeout;
      communicator members(std::move(door), options);
      std::vector<float> data(300'000, 1.0F);
      auto last = std::chrono::steady_clock::now();
      try {
        for (int round = 0;; ++round) {
          if (round == 20 && members.rank() == rank(2)) raise(SIGKILL);
          last = std::chrono::steady_clock::now();
          members.all_reduce(data, op::max);
        }
      } catch (const error& failed) {
        const auto took = std::chrono::steady_clock::now() - last;
        const std::string named = failed.peer() ? to_string(*failed.peer()) : "nobody";
        return std::string(to_string(failed.code())) + " names " + named +
               (took < peer_timeout + milliseconds(1'000) ? " in time" : " late");
      }
    });
    for (int r = 0; r < 4; ++r) {
      const test::rank_end& end = ends[static_cast<std::size_t>(r)];
      if (r == 2)
        EXPECT_TRUE(end.was_killed) << end.said;
      else
        EXPECT_EQ(end.said, "peer failed names 2 in time") << "rank " << r;
    }
  }
}

/// One rank calls with another count: every rank gets an error, none hangs, none gets a wrong result silently.
TEST(collectives, a_count_mismatch_ends_every_rank) {
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_job(3, milliseconds(2'000), [&](auto door) {
      communicator members(std::move(door), options_for(3, transport));
      std::vector<std::int32_t> data(members.rank() == rank(1) ? 1000 : 2000, 1);
      try {
        members.all_reduce(data);
        members.barrier();
      } catch (const error& failed) {
        return std::string(to_string(failed.code()));
      }
      return std::string("no error");
    });
    for (const test::rank_end& end : ends)
      EXPECT_TRUE(end.said == "mismatch" || end.said == "aborted" || end.said == "peer failed") << end.said;
  }
}

/// Ranks outnumber the cores here, so those that wait must block: the work of one must not be disturbed by them.
TEST(collectives, ranks_that_wait_use_no_core) {
  const int size = static_cast<int>(std::thread::hardware_concurrency()) + 2;
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_job(size, milliseconds(10'000), [&](auto door) {
      communicator members(std::move(door), options_for(size, transport));
      members.barrier();
      rusage before{}, after{};
      getrusage(RUSAGE_SELF, &before);
      if (members.rank() == rank(0)) std::this_thread::sleep_for(milliseconds(1'000));  // the work that others wait for
      members.barrier();
      getrusage(RUSAGE_SELF, &after);
      const auto seconds_of = [](const rusage& used) {
        return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
      };
      return std::to_string(seconds_of(after) - seconds_of(before));
    });
    for (const test::rank_end& end : ends) {
      ASSERT_EQ(end.exit_code, 0) << end.said;
      EXPECT_LT(std::stod(end.said), 0.05) << "CPU seconds in one second of waiting";
    }
  }
}

/// More than 2^31 elements, in place. Needs memory for two ranks' buffers and their segments.
TEST(collectives, more_than_two_to_the_31_elements) {
  const std::int64_t count = (std::int64_t{1} << 31) + 11;
  const auto available = static_cast<std::int64_t>(sysconf(_SC_AVPHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  if (available < 3 * count) GTEST_SKIP() << "needs " << 3 * count / 1'000'000 << " MB of free memory";
  for (const std::string transport : {"shm", "tcp"}) {
    const auto ends = test::run_job(2, milliseconds(30'000), [&](auto door) {
      communicator members(std::move(door), options_for(2, transport));
      std::vector<std::uint8_t> data(static_cast<std::size_t>(count), 1);
      data.front() = data.back() = static_cast<std::uint8_t>(2 + members.rank().value);
      members.all_reduce(data);
      const bool is_right =
          data.front() == 5 && data[data.size() / 2] == 2 && data[data.size() - 2] == 2 && data.back() == 5;
      return std::string(is_right ? "right" : "wrong");
    });
    for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "right") << transport;
  }
}

TEST(collectives, an_abort_reaches_every_rank) {
  const auto ends = test::run_job(3, milliseconds(2'000), [&](auto door) {
    communicator members(std::move(door), options_for(3, "shm"));
    try {
      if (members.rank() == rank(1)) members.abort("the loss is not a number");
      for (;;) members.barrier();
    } catch (const error& failed) {
      return std::string(failed.what());
    }
  });
  for (const test::rank_end& end : ends)
    EXPECT_NE(end.said.find("the loss is not a number"), std::string::npos) << end.said;
}

}  // namespace
}  // namespace hawser
