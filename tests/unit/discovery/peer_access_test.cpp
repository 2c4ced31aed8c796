// Tests what is said of the pairs of a host's GPUs, with a fake libnvidia-ml.so.1.
#include <hawser/discovery/peer_access.hpp>

#include <gtest/gtest.h>

#ifdef HAWSER_FAKE_NVML
#include "support/nvml_machine.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::testing;  // NOLINT: the machines
using nlohmann::json;

peer_report report_of(const json& machine, const std::string& library = HAWSER_FAKE_NVML) {
  const nvml_machine fake(machine);
  return ask_peer_access(fake.seen_through(library));
}

// Three GPUs: NVLink between the first two, PCIe to the third from one of them only.
json three() {
  json machine{{"gpus", json::array()}};
  for (int index = 0; index < 3; ++index) machine["gpus"].push_back(a_gpu(index, "NVIDIA RTX A6000"));
  const json linked{{"read", 0}, {"write", 0}, {"nvlink", 0}, {"ancestor", 30}};
  machine["gpus"][0]["p2p"]["1"] = linked;
  machine["gpus"][1]["p2p"]["0"] = linked;
  machine["gpus"][1]["p2p"]["2"] = {{"read", 0}, {"write", 0}, {"nvlink", 5}, {"ancestor", 10}};
  machine["gpus"][2]["p2p"]["1"] = {{"read", 0}, {"write", 4}, {"nvlink", 5}, {"ancestor", 10}};
  machine["gpus"][0]["p2p"]["2"] = {{"read", 3}, {"write", 3}, {"nvlink", 5}, {"ancestor", 50}};
  return machine;
}

TEST(peer_access, pairs) {
  const peer_report report = report_of(three());
  ASSERT_EQ(report.pairs.size(), 6u);
  EXPECT_TRUE(report.findings.empty());
  const peer_access& linked = report.pairs[0];
  EXPECT_EQ(linked.gpu, "n1:GPU0");
  EXPECT_EQ(linked.peer, "n1:GPU1");
  EXPECT_TRUE(linked.can_read && linked.can_write);
  EXPECT_EQ(linked.path, peer_path::nvlink);
  EXPECT_EQ(linked.nearest, "one host bridge");
  EXPECT_EQ(linked.why_not, "");
  const peer_access& apart = report.pairs[1];
  EXPECT_FALSE(apart.can_read || apart.can_write);
  EXPECT_EQ(apart.path, peer_path::none);
  EXPECT_EQ(apart.nearest, "different CPUs");
  EXPECT_EQ(apart.why_not, "the path between their PCIe root ports does not support it");
  EXPECT_EQ(report.pairs[3].path, peer_path::pcie);
  EXPECT_EQ(report.pairs[3].why_not, "");
  const peer_access& reads_only = report.pairs[5];
  EXPECT_EQ(reads_only.gpu, "n1:GPU2");
  EXPECT_TRUE(reads_only.can_read);
  EXPECT_FALSE(reads_only.can_write);
  EXPECT_EQ(reads_only.path, peer_path::pcie);
  EXPECT_EQ(reads_only.why_not, "it is disabled by a setting of the driver's module");
}

TEST(peer_access, gpus_that_cannot) {
  json machine = three();
  machine["gpus"][0]["mig"] = 1;
  machine["gpus"][2]["handle"] = 15;
  const peer_report report = report_of(machine);
  ASSERT_EQ(report.pairs.size(), 6u);
  EXPECT_EQ(report.pairs[0].why_not, "MIG is enabled on n1:GPU0, and its instances have no peer access");
  EXPECT_EQ(report.pairs[3].why_not, "n1:GPU2: GPU is lost");
  for (const peer_access& each : report.pairs) EXPECT_FALSE(each.can_read || each.can_write);
}

TEST(peer_access, what_cannot_be_asked) {
  EXPECT_EQ(report_of(json::object(), "/nowhere/libnvidia-ml.so.1").findings.front().code, "no-nvidia-driver");
  EXPECT_EQ(report_of(three(), HAWSER_OLD_NVML).findings.front().code, "old-nvml");
  json machine = three();
  machine["count"] = 4000000000U;
  EXPECT_EQ(report_of(machine).findings.front().code, "nvml-incomplete");
  machine["count"] = 1;
  EXPECT_TRUE(report_of(machine).pairs.empty() && report_of(machine).findings.empty()) << "one GPU has no peer";
}

}  // namespace
}  // namespace hawser::discovery
#else
TEST(peer_access, needs_the_fake_library) {
  GTEST_SKIP() << "the fake libnvidia-ml.so.1 needs nlohmann-json to be built";
}
#endif
