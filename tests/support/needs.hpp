// Tests of what a build may lack: skipped there, with the reason.
#pragma once

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>

namespace hawser::test {

/// Whether this build can do it: false, and why, where it throws errc::unsupported.
template <class Use>
::testing::AssertionResult can(Use&& use) {
  try {
    use();
  } catch (const error& refused) {
    if (refused.code() == errc::unsupported) return ::testing::AssertionFailure() << refused.what();
  }
  return ::testing::AssertionSuccess();
}

}  // namespace hawser::test

/// Skips the test, or in SetUp all tests of the class, where the build lacks it.
#define HAWSER_NEEDS(use)                                                                            \
  do {                                                                                               \
    if (const auto can_be_used = ::hawser::test::can([&] { static_cast<void>(use); }); !can_be_used) \
      GTEST_SKIP() << can_be_used.message();                                                         \
  } while (false)
