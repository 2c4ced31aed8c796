// Symmetric memory and multicast objects of every kind on fake GPUs: with every call failing once on every rank, all
// ranks get the same answer, and nothing is left behind.
#include <dirent.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/bootstrap/in_process.hpp>

#include "cuda/mapping.hpp"
#include "gpu/fake_gpus.hpp"

namespace device_testing {
namespace {

using namespace hawser::cuda;

constexpr int ranks = 3;

/// Ranks with GPUs of their own whose best common memory is of this kind.
capabilities able(int r, memory_kind kind, bool multicast) {
  capabilities can;
  can.gpu[0] = static_cast<std::uint8_t>(r + 1);
  can.host[0] = kind == memory_kind::fabric ? static_cast<std::uint8_t>(r + 1) : 1;
  can.domain[0] = 1;
  can.process = kind == memory_kind::process_pointers ? 7 : 7 + r;
  can.architecture = 90;
  can.has_vmm_descriptors = kind == memory_kind::descriptors;
  can.has_fabric_handles = kind == memory_kind::fabric;
  can.has_legacy_ipc = true;
  can.has_multicast = multicast;
  return can;
}

/// What a rank saw.
struct outcome {
  std::string error;  ///< what was thrown; empty: nothing
  hawser::errc code{};
  long native_code = 0;
  hawser::rank peer{-1};
  std::string refusal;
  bool has_multicast = false;
  std::size_t bytes = 0;
  bool sees_all = false;  ///< read what every rank wrote
};

/// Writes a number of one's own and reads everyone's.
bool exchange_numbers(const symmetric_mapping& made, const mapping_context& by) {
  const int own = 100 + made.self;
  std::memcpy(made.addresses[static_cast<std::size_t>(made.self)], &own, sizeof own);
  gather(by.job, by.name + "/written", "yes", by.timeout);
  bool all = true;
  for (int r = 0; r < ranks; ++r) {
    int seen = 0;
    std::memcpy(&seen, made.addresses[static_cast<std::size_t>(r)], sizeof seen);
    all = all && seen == 100 + r;
  }
  gather(by.job, by.name + "/read", "yes", by.timeout);
  return all;
}

outcome run_rank(hawser::bootstrap::bootstrap& job, fake_gpus& gpus, memory_kind kind, bool multicast) {
  outcome seen;
  const int self = job.self().value;
  const driver cuda = gpus.of(self);
  const mapping_context by{job, "memory", std::chrono::seconds(30)};
  try {
    const auto made = make_mapping(by, cuda, able(self, kind, multicast), 5000, self);
    EXPECT_EQ(made->agreed.memory, kind);
    seen.refusal = made->multicast_refusal;
    seen.has_multicast = made->multicast.address != nullptr;
    seen.bytes = made->bytes;
    seen.sees_all = exchange_numbers(*made, by);
  } catch (const hawser::error& e) {
    seen.error = e.what();
    seen.code = e.code();
    seen.native_code = e.native_code();
    seen.peer = e.peer().value_or(hawser::rank{-1});
  }
  return seen;
}

std::vector<outcome> run_all(fake_gpus& gpus, memory_kind kind, bool multicast) {
  const auto job = hawser::bootstrap::in_process_job::create(ranks);
  std::vector<outcome> seen(ranks);
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      const auto door = job->join(r);
      seen[static_cast<std::size_t>(r)] = run_rank(*door, gpus, kind, multicast);
      door->leave();
    });
  for (std::thread& each : threads) each.join();
  return seen;
}

int open_descriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

void expect_agreement(const std::vector<outcome>& seen) {
  for (const outcome& each : seen) {
    EXPECT_EQ(each.error, seen[0].error);
    EXPECT_EQ(each.refusal, seen[0].refusal);
    EXPECT_EQ(each.has_multicast, seen[0].has_multicast);
    EXPECT_EQ(each.bytes, seen[0].bytes);
    EXPECT_EQ(each.sees_all, each.error.empty());
  }
}

void expect_nothing_left(const fake_gpus& gpus, int descriptors) {
  EXPECT_EQ(gpus.live(), 0U);
  EXPECT_EQ(gpus.violations(), std::vector<std::string>{});
  EXPECT_EQ(open_descriptors(), descriptors);
}

/// One call fails; false where there are not so many calls.
bool fail_once(memory_kind kind, bool multicast, int rank, int call, int& thrown, int& refused) {
  fake_gpus gpus(rank, call);
  const int descriptors = open_descriptors();
  const auto seen = run_all(gpus, kind, multicast);
  SCOPED_TRACE(std::string(to_string(kind)) + ", " + gpus.failed() + " of rank " + std::to_string(rank));
  expect_agreement(seen);
  expect_nothing_left(gpus, descriptors);
  if (gpus.failed().empty()) return false;
  const std::string& text = seen[0].error.empty() ? seen[0].refusal : seen[0].error;
  EXPECT_EQ(text.find("rank " + std::to_string(rank) + " cannot "), 0U) << text;
  if (!seen[0].error.empty()) {
    EXPECT_EQ(seen[0].code, hawser::errc::resource);
    EXPECT_EQ(seen[0].native_code, 2);
    EXPECT_EQ(seen[0].peer.value, rank);
  }
  EXPECT_FALSE(seen[0].has_multicast && seen[0].error.empty());
  ++(seen[0].error.empty() ? refused : thrown);
  return true;
}

class symmetric_mapping_of : public ::testing::TestWithParam<std::pair<memory_kind, bool>> {};

TEST_P(symmetric_mapping_of, shares_memory_and_leaves_nothing) {
  const auto [kind, multicast] = GetParam();
  fake_gpus gpus;
  const int descriptors = open_descriptors();
  const auto seen = run_all(gpus, kind, multicast);
  expect_agreement(seen);
  expect_nothing_left(gpus, descriptors);
  EXPECT_EQ(seen[0].error, "");
  EXPECT_EQ(seen[0].refusal, "");
  EXPECT_EQ(seen[0].has_multicast, multicast);
  const bool is_vmm = kind == memory_kind::descriptors || kind == memory_kind::fabric;
  EXPECT_EQ(seen[0].bytes, multicast ? fake_gpus::multicast_granularity : is_vmm ? 8192U : 5000U);
}

TEST_P(symmetric_mapping_of, ends_alike_whichever_call_fails) {
  const auto [kind, multicast] = GetParam();
  int thrown = 0, refused = 0;
  for (int rank = 0; rank < ranks; ++rank)
    for (int call = 1; fail_once(kind, multicast, rank, call, thrown, refused); ++call) ASSERT_LT(call, 100);
  EXPECT_GE(thrown, 3 * ranks);  // start, allocate, clear at least
  if (multicast)
    EXPECT_GE(refused, 7 * ranks);  // granularity, device, add, bind, reserve, map, access at least
  else
    EXPECT_EQ(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(
    kinds, symmetric_mapping_of,
    ::testing::Values(std::pair{memory_kind::process_pointers, false}, std::pair{memory_kind::legacy_ipc, false},
                      std::pair{memory_kind::descriptors, false}, std::pair{memory_kind::descriptors, true},
                      std::pair{memory_kind::fabric, false}, std::pair{memory_kind::fabric, true}));

}  // namespace
}  // namespace device_testing
