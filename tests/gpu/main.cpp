// Tests that need a GPU: skipped as a whole, with their number and the reason, where there is none.
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include <hawser/cuda/device_info.hpp>

int main(int argc, char** argv) {
  constexpr int skipped = 77;
  ::testing::InitGoogleTest(&argc, argv);
  std::string why;
  if (!hawser::cuda::find_devices(&why).empty()) return RUN_ALL_TESTS();
  std::printf("SKIPPED: %d GPU tests: no CUDA device: %s\n", ::testing::UnitTest::GetInstance()->total_test_count(),
              why.c_str());
  return skipped;
}
