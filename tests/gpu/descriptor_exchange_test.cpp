// Descriptors passed between the ranks of a host: everyone gets everyone's file, strangers are ignored, absentees are
// named.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/core/error.hpp>

#include "cuda/descriptor_exchange.hpp"

namespace {

using namespace std::chrono_literals;

/// An anonymous file that holds a text.
hawser::net::unique_fd file_with(const std::string& text) {
  hawser::net::unique_fd file(memfd_create("hawser-test", MFD_CLOEXEC));
  EXPECT_EQ(write(file.value(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return file;
}

std::string text_of(int descriptor) {
  std::string text(64, '\0');
  const ssize_t got = pread(descriptor, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

TEST(descriptor_exchange, everyone_gets_everyones) {
  for (const int ranks : {1, 2, 7, 24}) {  // more than a socket's queue holds
    const auto job = hawser::bootstrap::in_process_job::create(ranks);
    std::vector<std::thread> threads;
    std::vector<std::string> seen(static_cast<std::size_t>(ranks));
    for (int r = 0; r < ranks; ++r)
      threads.emplace_back([&, r] {
        const auto door = job->join(r);
        const auto own = file_with("rank " + std::to_string(r));
        for (const auto& each : hawser::cuda::exchange_descriptors(*door, "test", own.value(), 20s))
          seen[static_cast<std::size_t>(r)] += text_of(each.value()) + "; ";
        door->leave();
      });
    for (std::thread& each : threads) each.join();
    std::string expected;
    for (int r = 0; r < ranks; ++r) expected += "rank " + std::to_string(r) + "; ";
    for (const std::string& each : seen) EXPECT_EQ(each, expected);
  }
}

TEST(descriptor_exchange, names_who_does_not_come) {
  const auto job = hawser::bootstrap::in_process_job::create(2);
  const auto door = job->join(0), other = job->join(1);
  other->put("test/descriptors/1", "sixteen bytes...");  // a name that nobody listens at
  const auto own = file_with("x");
  EXPECT_THROW(hawser::cuda::exchange_descriptors(*door, "test", own.value(), 200ms), hawser::error);
  const auto second = hawser::bootstrap::in_process_job::create(2);
  const auto lone = second->join(0);
  try {
    hawser::cuda::exchange_descriptors(*lone, "test", own.value(), 200ms);
    ADD_FAILURE();
  } catch (const hawser::error& e) {
    EXPECT_EQ(e.code(), hawser::errc::timeout) << e.what();
    EXPECT_NE(std::string(e.what()).find("test/descriptors/1"), std::string::npos) << e.what();
  }
  for (const auto* each : {&door, &other, &lone}) (*each)->leave();
}

}  // namespace
