// System calls that fail: signals, full buffers, no descriptors, no memory, a full disk. A job over its store, shared
// memory and TCP then works, or every rank gets an error in time, and nothing is left behind.
#include <hawser/core/fault_points.hpp>

#include <dirent.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include <hawser/bootstrap/store.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

namespace hawser {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// How a process's calls fail from now on. Hooks are functions, so this is global.
struct failing {
  static inline std::atomic<int> point{-1}, code{0};  // of which calls, and with what
  static inline std::atomic<std::int64_t> first{0},
      most{0};  // the number of the first call that fails, and of how many
  static inline std::atomic<std::int64_t> calls{0};
  static inline std::atomic<std::uint64_t> random{0};  // of `sometimes`

  static int numbered(fault_point at) {
    if (static_cast<int>(at) != point) return no_fault;
    const std::int64_t number = calls++;
    return number >= first && number < first + most ? code.load() : no_fault;
  }
  /// A fifth of all transfers are interrupted, refused for now, or cut to a byte.
  static int sometimes(fault_point at) {
    std::uint64_t draw = random.fetch_add(0x9e3779b97f4a7c15u);
    draw = (draw ^ draw >> 30) * 0xbf58476d1ce4e5b9u;
    draw = (draw ^ draw >> 27) % 100;
    if (at == fault_point::accept) return draw < 20 ? EINTR : no_fault;
    if (at != fault_point::send && at != fault_point::receive) return no_fault;
    return draw < 7 ? EINTR : draw < 14 ? EAGAIN : draw < 21 ? short_transfer : no_fault;
  }
  static void from(fault_point at, int errno_code, std::int64_t number, std::int64_t count) {
    point = static_cast<int>(at);
    code = errno_code;
    first = number;
    most = count;
    calls = 0;
    set_fault_hook(&numbered);
  }
};

struct without_faults {
  ~without_faults() { set_fault_hook(nullptr); }
};

int entries_of(const char* folder) {
  DIR* const open = opendir(folder);
  int count = 0;
  while (readdir(open)) ++count;
  closedir(open);
  return count;
}

/// What became of a job of three ranks.
struct outcome {
  int right = 0;
  std::vector<std::string> errors;
  clock::duration took{};
  std::string transport;
};

/// One rank: joins, and sums a few vectors.
void live(int self, int port, const transport::registry& lines, std::atomic<int>& right, std::string& transport) {
  bootstrap::store_options door;
  door.self = self;
  door.size = 3;
  door.port = port;
  door.secret = "of the tests";
  door.server_rank.reset();
  door.connect_timeout = 2s;
  communicator_options options;
  options.transports = lines;
  options.topology = "gpu:3";
  options.rendezvous_timeout = 2s;
  options.operation_timeout = 5s;
  communicator members(std::make_unique<bootstrap::store_bootstrap>(door), options);
  for (const std::size_t count : {std::size_t{1}, std::size_t{3000}, std::size_t{200'000}}) {
    std::vector<std::int32_t> data(count, self + 1);
    members.all_reduce(data);
    right += data == std::vector<std::int32_t>(count, 6);
  }
  if (self == 0) transport = members.transport_to(1);
}

outcome run(const transport::registry& lines) {
  outcome seen;
  std::atomic<int> right{0};
  std::mutex mutex;
  const auto began = clock::now();
  bootstrap::store_server_options served;
  served.size = 3;
  served.secret = "of the tests";
  bootstrap::store_server store(served);
  std::vector<std::thread> threads;
  for (int r = 0; r < 3; ++r)
    threads.emplace_back([&, r] {
      try {
        live(r, store.port(), lines, right, seen.transport);
      } catch (const std::exception& failed) {
        const std::lock_guard lock(mutex);
        seen.errors.push_back("rank " + std::to_string(r) + ": " + failed.what());
      }
    });
  for (std::thread& each : threads) each.join();
  seen.right = right;
  seen.took = clock::now() - began;
  return seen;
}

const transport::registry& over_tcp() {
  static const transport::registry lines{transport::tcp_factory()};
  return lines;
}
const transport::registry& over_both() {
  static const transport::registry lines{transport::shared_memory_factory(), transport::tcp_factory()};
  return lines;
}

/// Everything is right, or there is an error on every rank that could not go on; in time either way.
void expect_clear_end(const outcome& seen) {
  EXPECT_TRUE(seen.errors.empty() ? seen.right == 9 : seen.errors.size() <= 3u);
  EXPECT_LT(seen.took, 15s) << (seen.errors.empty() ? "" : seen.errors.front());
}

TEST(fault_points, interrupted_refused_and_short_transfers_change_nothing) {
  const without_faults after;
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  failing::random = seed;
  set_fault_hook(&failing::sometimes);
  const outcome seen = run(over_tcp());
  EXPECT_EQ(seen.right, 9) << (seen.errors.empty() ? "" : seen.errors.front());
}

/// Every call that opens a descriptor fails in its turn, once, or from then on.
TEST(fault_points, no_descriptors_left_is_an_error_or_does_no_harm) {
  const without_faults after;
  run(over_both());  // what a process opens once is open
  const int files = entries_of("/proc/self/fd");
  for (const std::int64_t most : {std::int64_t{1}, INT64_MAX / 2}) {
    for (std::int64_t number = 0;; ++number) {
      SCOPED_TRACE("call " + std::to_string(number) + (most == 1 ? " alone" : " and all after it"));
      failing::from(fault_point::open_descriptor, EMFILE, number, most);
      bool is_over = false;
      try {
        expect_clear_end(run(over_both()));
        is_over = failing::calls <= number;
      } catch (const error& failed) {
        EXPECT_EQ(failed.code(), errc::resource) << failed.what();  // the store itself
      }
      set_fault_hook(nullptr);
      ASSERT_EQ(entries_of("/proc/self/fd"), files) << "descriptors leaked";
      if (is_over) break;
      if (most > 1) number += 3;
    }
  }
}

TEST(fault_points, a_full_or_interrupted_reservation_of_shared_memory) {
  const without_faults after;
  const int names = entries_of("/dev/shm");
  failing::from(fault_point::reserve_memory, EINTR, 0, 5);
  const outcome interrupted = run(over_both());
  EXPECT_EQ(interrupted.right, 9);
  EXPECT_EQ(interrupted.transport, "shared_memory");
  failing::from(fault_point::reserve_memory, ENOSPC, 0, 1);
  EXPECT_EQ(run(over_both()).transport, "shared_memory") << "with smaller rings";
  failing::from(fault_point::reserve_memory, ENOSPC, 0, INT64_MAX / 2);
  const outcome full = run(over_both());
  EXPECT_EQ(full.right, 9);
  EXPECT_EQ(full.transport, "tcp");
  const outcome alone = run({transport::shared_memory_factory()});
  EXPECT_EQ(alone.errors.size(), 3u);
  for (const std::string& each : alone.errors) EXPECT_NE(each.find("no transport reaches"), std::string::npos) << each;
  EXPECT_LE(entries_of("/dev/shm"), names);
}

TEST(fault_points, memory_that_cannot_be_mapped) {
  const without_faults after;
  for (std::int64_t number = 0; number < 9; ++number) {
    failing::from(fault_point::map_memory, ENOMEM, number, 1);
    const outcome seen = run(over_both());
    EXPECT_EQ(seen.right, 9) << "call " << number << ": " << (seen.errors.empty() ? "" : seen.errors.front());
  }
}

TEST(fault_points, a_broken_pipe_in_the_middle_is_an_error_of_all) {
  const without_faults after;
  for (const std::int64_t number : {5, 20, 40, 60}) {
    failing::from(fault_point::send, ECONNRESET, number, 1);
    expect_clear_end(run(over_tcp()));
  }
}

}  // namespace
}  // namespace hawser
