// hawser::cuda on a machine without a GPU: programs start, and every door says "no CUDA device" and why.
#include <string>

#include <gtest/gtest.h>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/cuda/device_info.hpp>
#include <hawser/cuda/group.hpp>
#include <hawser/cuda/peer_wire.hpp>
#include <hawser/cuda/stream_device.hpp>
#include <hawser/cuda/symmetric_memory.hpp>

namespace {

class no_device : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!hawser::cuda::find_devices().empty()) GTEST_SKIP() << "this machine has a CUDA device";
  }
};

template <class F>
void expect_no_device(F&& call) {
  try {
    call();
    ADD_FAILURE() << "went on without a device";
  } catch (const hawser::error& e) {
    EXPECT_EQ(e.code(), hawser::errc::unsupported);
    EXPECT_EQ(std::string(e.what()).find("no CUDA device ("), 0U) << e.what();
    EXPECT_NE(std::string(e.what()).find("; run on a machine with a GPU"), std::string::npos) << e.what();
  }
}

TEST_F(no_device, is_no_error_to_ask) {
  std::string why;
  EXPECT_TRUE(hawser::cuda::find_devices(&why).empty());
  EXPECT_FALSE(why.empty());
}

TEST_F(no_device, is_what_everything_that_needs_one_says) {
  const auto job = hawser::bootstrap::in_process_job::create(1);
  const auto door = job->join(0);
  expect_no_device([] { hawser::cuda::require_device(); });
  expect_no_device([&] { hawser::cuda::symmetric_memory(*door, "memory", 4096); });
  expect_no_device([&] { hawser::cuda::group(*door, "group"); });
  expect_no_device([] { hawser::cuda::open_stream_device(); });
  expect_no_device([&] { hawser::cuda::open_peer_wire(*door, "wire"); });
  door->leave();
}

}  // namespace
