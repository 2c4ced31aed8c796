// Memory runs out at one allocation of one rank, any of them: that rank gets std::bad_alloc or an error, the other one
// an error in time or its result, and nothing is wrong, hangs or ends the process.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <new>

#include <hawser/transport/tcp.hpp>
#include <support/threads_over.hpp>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAWSER_TEST_OWNS_NEW 0  // the sanitizers' own
#else
#define HAWSER_TEST_OWNS_NEW 1
#endif

namespace {

/// Allocations of this thread until one fails; negative: none.
thread_local std::int64_t allocations_left = -1;
thread_local bool has_struck = false;

}  // namespace

#if HAWSER_TEST_OWNS_NEW
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (allocations_left >= 0 && allocations_left-- == 0) {
    has_struck = true;
    throw std::bad_alloc();
  }
  if (void* made = std::malloc(bytes == 0 ? 1 : bytes)) return made;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* at) noexcept {
  std::free(at);
}
[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}
#endif

namespace hawser {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// What happened on the two ranks when allocation `number` of rank 1 failed.
struct outcome {
  bool has_struck = false;
  int wrong = 0;
  std::string said[2];
  clock::duration took{};
};

void call(communicator& members, int& wrong) {
  for (const std::size_t count : {std::size_t{10}, std::size_t{40'000}}) {
    std::vector<std::int32_t> data(count, members.rank().value + 1), all(2 * count);
    members.all_reduce(data);
    wrong += data != std::vector<std::int32_t>(count, 3);
    members.all_gather(data, all);
    wrong += all != std::vector<std::int32_t>(2 * count, 3);
  }
}

/// `in_calls`: memory runs out after the communicator was made.
outcome run(const transport::registry& lines, std::int64_t number, bool in_calls, bool has_checksums) {
  outcome seen;
  const auto job = bootstrap::in_process_job::create(2);
  communicator_options options;
  options.transports = lines;
  options.topology = "gpu:2";
  options.operation_timeout = milliseconds(4'000);
  options.rendezvous_timeout = milliseconds(4'000);
  options.has_checksums = has_checksums;
  const auto began = clock::now();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int r = 0; r < 2; ++r)
    threads.emplace_back([&, r] {
      int mine = 0;
      has_struck = false;
      const auto strike = [&](bool now) {
        if (r == 1 && now) allocations_left = number;
      };
      try {
        auto door = job->join(r);
        strike(!in_calls);
        communicator members(std::move(door), options);
        strike(in_calls);
        call(members, mine);
        allocations_left = -1;
      } catch (const std::exception& failed) {
        allocations_left = -1;
        seen.said[r] = failed.what();
      }
      wrong += mine;
      if (r == 1) seen.has_struck = has_struck;
    });
  for (std::thread& each : threads) each.join();
  seen.wrong = wrong;
  seen.took = clock::now() - began;
  return seen;
}

void fail_everywhere(const transport::registry& lines, bool in_calls, bool has_checksums = false) {
#if !HAWSER_TEST_OWNS_NEW
  GTEST_SKIP() << "the sanitizer allocates";
#endif
  int struck = 0;
  // Every one of the first, then fewer and fewer.
  for (std::int64_t number = 0;; number += 1 + number / 40) {
    const outcome seen = run(lines, number, in_calls, has_checksums);
    SCOPED_TRACE("allocation " + std::to_string(number) + ": " + seen.said[0] + " | " + seen.said[1]);
    EXPECT_EQ(seen.wrong, 0);
    EXPECT_LT(seen.took, milliseconds(6'000));
    if (!seen.has_struck) {
      EXPECT_EQ(seen.said[0] + seen.said[1], "");
      break;
    }
    ++struck;
  }
  EXPECT_GT(struck, 5);
}

TEST(allocation_failure, while_a_communicator_over_tcp_is_made) {
  fail_everywhere({transport::tcp_factory()}, false);
}
TEST(allocation_failure, while_a_communicator_over_shared_memory_is_made) {
  fail_everywhere({transport::shared_memory_factory()}, false);
}
TEST(allocation_failure, in_collectives_over_tcp) {
  fail_everywhere({transport::tcp_factory()}, true);
}
TEST(allocation_failure, in_collectives_over_shared_memory) {
  fail_everywhere({transport::shared_memory_factory()}, true);
}
TEST(allocation_failure, in_collectives_with_checksums) {
  fail_everywhere({transport::shared_memory_factory()}, true, true);
}

}  // namespace
}  // namespace hawser
