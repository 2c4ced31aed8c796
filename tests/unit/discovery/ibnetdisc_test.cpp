// The live source of fabrics where there is no fabric. What it sees of one is tested in tests/fabric.
#include <chrono>
#include <filesystem>

#include <gtest/gtest.h>

#include <hawser/discovery/live.hpp>

namespace hawser::discovery {
namespace {

const live_source& fabric_source() {
  for (const live_source& each : live_sources())
    if (each.name == "ibnetdisc") return each;
  throw std::logic_error("there is no live source ibnetdisc");
}

void expect_nothing(const topology::graph& machine) {
  EXPECT_TRUE(machine.nodes().empty());
  ASSERT_EQ(machine.findings().size(), 1U);
  EXPECT_EQ(machine.findings()[0].code, "no-fabric");
  EXPECT_EQ(machine.findings()[0].level, topology::severity::info);
  for (const topology::aspect each : {topology::aspect::hosts, topology::aspect::nics, topology::aspect::switches})
    EXPECT_FALSE(machine.tells(each));
}

TEST(ibnetdisc, says_at_once_and_quietly_that_there_is_no_adapter) {
  if (std::filesystem::exists("/sys/class/infiniband_mad"))
    GTEST_SKIP() << "this machine has InfiniBand management devices";
  ::testing::internal::CaptureStderr();
  const auto start = std::chrono::steady_clock::now();
  const topology::graph machine = fabric_source().discover({.host = "here"});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_LT(seconds, 0.5);
  expect_nothing(machine);
}

TEST(ibnetdisc, asks_no_fabric_for_another_root) {
  expect_nothing(fabric_source().discover({.host = "here", .root = "/nowhere"}));
}

TEST(ibnetdisc, is_asked_by_one_host_for_all) {
  EXPECT_EQ(fabric_source().tells, scope::network);
}

}  // namespace
}  // namespace hawser::discovery
