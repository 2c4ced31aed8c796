// What a group agrees on from what its ranks say, and the table of policies.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/cuda/capability.hpp>
#include <hawser/cuda/policy.hpp>

namespace {

using namespace hawser::cuda;

/// Ranks with a GPU each, on one host, able to do everything.
std::vector<capabilities> able(int count, bool in_one_process = false) {
  std::vector<capabilities> ranks(static_cast<std::size_t>(count));
  for (int r = 0; r < count; ++r) {
    capabilities& each = ranks[static_cast<std::size_t>(r)];
    each.gpu[0] = static_cast<std::uint8_t>(r + 1);
    each.host[0] = 1;
    each.process = in_one_process ? 100 : 100 + r;
    each.architecture = 90;
    each.has_vmm_descriptors = each.has_fabric_handles = each.has_legacy_ipc = each.has_multicast = true;
  }
  return ranks;
}

TEST(agree, takes_the_best_memory_that_all_have) {
  auto ranks = able(4, true);
  EXPECT_EQ(agree(ranks).memory, memory_kind::process_pointers);
  ranks = able(4);
  EXPECT_EQ(agree(ranks).memory, memory_kind::descriptors);
  ranks[2].has_vmm_descriptors = false;  // one is enough
  EXPECT_EQ(agree(ranks).memory, memory_kind::legacy_ipc);
  ranks[1].has_legacy_ipc = false;
  EXPECT_FALSE(agree(ranks).is_possible);
  EXPECT_EQ(agree(ranks).reason, "not every rank can share memory between processes");
}

TEST(agree, between_hosts_needs_one_domain_and_fabric_handles) {
  auto ranks = able(4);
  ranks[3].host[0] = 2;
  EXPECT_EQ(agree(ranks).reason, "the ranks are on several hosts and not in one NVLink domain");
  for (auto& each : ranks) each.domain[5] = 7;
  EXPECT_EQ(agree(ranks).memory, memory_kind::fabric);
  EXPECT_TRUE(agree(ranks).is_possible);
  ranks[0].clique = 1;
  EXPECT_FALSE(agree(ranks).is_possible);
  ranks[0].clique = 0;
  ranks[0].has_fabric_handles = false;
  EXPECT_EQ(agree(ranks).reason, "fabric handles are missing on a rank: are IMEX channels set up?");
}

TEST(agree, ranks_that_share_a_gpu_are_phased_by_the_host) {
  auto ranks = able(3);
  EXPECT_EQ(agree(ranks).mode, synchronisation::device_flags);
  ranks[2].gpu = ranks[0].gpu;
  EXPECT_EQ(agree(ranks).mode, synchronisation::host_phased);
  EXPECT_FALSE(agree(ranks).may_multicast);
}

TEST(agree, multicast_is_unanimous) {
  auto ranks = able(4);
  EXPECT_TRUE(agree(ranks).may_multicast);
  ranks[1].has_multicast = false;
  EXPECT_FALSE(agree(ranks).may_multicast);
  EXPECT_FALSE(agree(able(1)).may_multicast);
  EXPECT_FALSE(agree(able(4, true)).may_multicast);  // plain pointers have no handle to bind
  ranks = able(2);
  for (auto& each : ranks) each.architecture = 80;
  EXPECT_FALSE(agree(ranks).may_multicast);
}

TEST(agree, refuses_mixed_architectures_and_gpus_out_of_reach) {
  auto ranks = able(2);
  ranks[1].architecture = 80;
  EXPECT_EQ(agree(ranks).reason, "the ranks' GPUs are of different architectures");
  ranks = able(2);
  ranks[0].reaches_all_peers = false;
  EXPECT_FALSE(agree(ranks).is_possible);
}

TEST(policies, the_newest_line_that_is_not_newer) {
  EXPECT_EQ(policy_for(80).architecture, 80);
  EXPECT_EQ(policy_for(86).architecture, 80);
  EXPECT_EQ(policy_for(90).architecture, 90);
  EXPECT_EQ(policy_for(120).architecture, 100);
  EXPECT_EQ(policy_for(70).architecture, 80);
}

TEST(policies, choose_by_size) {
  const launch_policy policy{.low_latency_up_to = 1024, .one_shot_up_to = 4096, .provenance = "test"};
  EXPECT_EQ(choose(policy, 1024, 4), all_reduce_algorithm::low_latency);
  EXPECT_EQ(choose(policy, 1024, 12), all_reduce_algorithm::one_shot);  // elements that do not fill a line
  EXPECT_EQ(choose(policy, 1025, 4), all_reduce_algorithm::one_shot);
  EXPECT_EQ(choose(policy, 4097, 4), all_reduce_algorithm::two_shot);
}

TEST(policies, print_every_line_with_its_provenance) {
  const std::string text = to_text(built_in_policies);
  for (const launch_policy& each : built_in_policies) {
    EXPECT_NE(text.find("sm_" + std::to_string(each.architecture)), std::string::npos);
    EXPECT_FALSE(each.provenance.empty());
    EXPECT_LE(each.low_latency_up_to, each.one_shot_up_to);
  }
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(built_in_policies.size()) + 1);
}

}  // namespace
