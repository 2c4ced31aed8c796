// Ranks as threads over a fake NCCL, each with a device of threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/core/error.hpp>
#include <hawser/nccl/communicators.hpp>
#include <hawser/nccl/wire.hpp>

#include "nccl/opened.hpp"
#include "support/fake_nccl.hpp"
#include "support/seed.hpp"

namespace hawser::test {

/// What a rank's body has to work with.
struct nccl_rank {
  bootstrap::bootstrap& job;
  thread_device& device;
  std::shared_ptr<const nccl::library> library;
  int self;

  nccl::membership all() const { return {job, "group", {}, nullptr}; }
};

/// How it ended.
struct nccl_end {
  std::string error;  ///< empty: well
  std::optional<errc> code{};
  long native_code = 0;
  rank peer{-1};
};

using nccl_body = std::function<void(nccl_rank&)>;
/// Changes a rank's functions before they are used.
using table_change = std::function<void(nccl::functions&)>;

inline nccl_end run_nccl_rank(nccl_rank& rank, const nccl_body& body) {
  try {
    body(rank);
    return {};
  } catch (const error& e) {
    return {e.what(), e.code(), e.native_code(), e.peer().value_or(hawser::rank{-1})};
  }
}

/// Runs `body` as ranks 0 .. size - 1 and says how each ended. Devices must have done nothing that CUDA forbids.
inline std::vector<nccl_end> run_nccl(
    fake_nccl& fake, int size, const nccl_body& body, const table_change& change = [](nccl::functions&) {}) {
  const auto job = bootstrap::in_process_job::create(size);
  std::vector<nccl_end> ends(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int self = 0; self < size; ++self)
    threads.emplace_back([&, self] {
      const auto door = job->join(self);
      thread_device device(seed_of_run() + static_cast<std::uint64_t>(self), std::chrono::microseconds(50));
      nccl::functions calls = fake.of(self, device);
      change(calls);
      nccl_rank rank{*door, device, nccl::make_library(std::move(calls), "the fake"), self};
      ends[static_cast<std::size_t>(self)] = run_nccl_rank(rank, body);
      door->leave();
      EXPECT_EQ(device.violations(), std::vector<std::string>{});
    });
  for (std::thread& each : threads) each.join();
  return ends;
}

inline void expect_well(const std::vector<nccl_end>& ends) {
  for (const nccl_end& each : ends) EXPECT_EQ(each.error, "");
}

/// Nothing lives, and nothing was called that NCCL forbids.
inline void expect_nothing_left(const fake_nccl& fake) {
  EXPECT_EQ(fake.live(), 0U);
  EXPECT_EQ(fake.violations(), std::vector<std::string>{});
}

/// Memory of a rank's device.
class device_bytes {
 public:
  device_bytes(thread_device& of, std::size_t bytes)
      : of_(of), bytes_(bytes), data_(of.allocate(bytes, memory_kind::device)) {}
  device_bytes(const device_bytes&) = delete;
  device_bytes& operator=(const device_bytes&) = delete;
  ~device_bytes() { of_.release(data_, memory_kind::device); }

  template <class T = unsigned char>
  T* as() {
    return static_cast<T*>(data_);
  }
  std::size_t size() const noexcept { return bytes_; }

 private:
  thread_device& of_;
  std::size_t bytes_;
  void* data_;
};

}  // namespace hawser::test
