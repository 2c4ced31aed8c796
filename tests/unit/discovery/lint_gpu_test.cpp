// Tests the lint rules about GPUs, NVLink and its multi-node fabric: one graph with the fault, one without.
#include <set>

#include <hawser/topology/expand.hpp>
#include <hawser/topology/presets.hpp>

#include "discovery/lint_support.hpp"

namespace hawser::discovery {
namespace {

constexpr const char* uuid = "6a130f54-faaa-4b8f-847f-be44ab70f917";
constexpr const char* zero_uuid = "00000000-0000-0000-0000-000000000000";

/// A host of four GPUs below one NVSwitch.
machine four_gpus(std::vector<int> links, attribute_map attributes = {}) {
  machine made;
  const node_index host = made.host("n1");
  const node_index joint = made.part(node_kind::nvswitch, host, "nvswitches");
  for (int each = 0; each < static_cast<int>(links.size()); ++each)
    made.nvlinks(made.gpu(host, each, attributes), joint, links[static_cast<std::size_t>(each)]);
  return made;
}

machine one_gpu(attribute_map attributes) {
  machine made;
  made.gpu(made.host("n1"), 0, std::move(attributes));
  return made;
}

TEST(lint, every_rule_says_what_it_is_about) {
  std::set<std::string_view> codes;
  for (const lint_rule& each : lint_rules()) {
    EXPECT_TRUE(codes.insert(each.code).second) << each.code;
    EXPECT_EQ(each.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << each.code;
    EXPECT_FALSE(each.what.empty());
  }
}

TEST(lint, findings_of_the_sources_come_first) {
  machine made = one_gpu({{"numa", "-1"}});
  made.parts.note({severity::warning, "from-a-source", "x", "y"});
  const std::vector<finding> all = lint(made.parts);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].code, "from-a-source");
  EXPECT_EQ(all[1].code, "missing-numa");
}

TEST(lint, presets_have_no_findings) {
  for (const topology::machine& each : topology::machines)
    for (int units : {1, 4}) {
      for (const finding& one : lint(topology::expand(topology::preset(each.name, units))))
        ADD_FAILURE() << each.name << ": " << one.code << " " << one.subject << ": " << one.message;
      for (const finding& one : lint(topology::preset_graph(each.name, units)))
        ADD_FAILURE() << each.name << " graph: " << one.code << " " << one.subject << ": " << one.message;
    }
}

TEST(lint, missing_numa) {
  machine made;
  const node_index host = made.host("n1");
  made.gpu(host, 0, {{"numa", "-1"}});
  made.gpu(host, 1, {{"numa", "-1"}});
  made.gpu(host, 2, {{"numa", "1"}});
  expect_one(found_by("missing-numa", made), severity::warning, "n1", "GPU0 and GPU1:");
  EXPECT_TRUE(found_by("missing-numa", one_gpu({{"numa", "0"}})).empty());
}

TEST(lint, gpu_lost_is_an_error_and_no_other_finding) {
  machine made = four_gpus({18, 18, 18});
  made.gpu(0, 3, {{"lost", "GPU is lost"}, {"fabric_state", "GPU is lost"}});
  const std::vector<finding> all = lint(made.parts);
  expect_one(all, severity::error, "n1:GPU3", "GPU is lost");
  EXPECT_TRUE(found_by("gpu-lost", four_gpus({18, 18})).empty());
}

TEST(lint, mig) {
  expect_one(found_by("mig-enabled", one_gpu({{"mig", "Enabled"}})), severity::warning, "n1", "GPU0");
  EXPECT_TRUE(found_by("mig-enabled", one_gpu({{"mig", "disabled"}})).empty());
}

TEST(lint, ragged_hosts) {
  machine made;
  for (const auto& [name, gpus] : {std::pair{"a", 8}, {"b", 8}, {"c", 7}, {"login", 0}}) {
    const node_index host = made.host(name);
    for (int each = 0; each < gpus; ++each) made.gpu(host, each);
  }
  expect_one(found_by("ragged-hosts", made), severity::info, "c", "7 GPUs where most hosts have 8");
  made.gpu(*made.parts.find("host/c"), 7);
  EXPECT_TRUE(found_by("ragged-hosts", made).empty());
}

TEST(lint, gpu_without_nvlink) {
  expect_one(found_by("gpu-without-nvlink", four_gpus({18, 18, 0, 18})), severity::error, "n1:GPU2",
             "3 GPUs of the host have NVLink");
  EXPECT_TRUE(found_by("gpu-without-nvlink", four_gpus({0, 0, 0, 0})).empty());
  machine bridged;
  const node_index host = bridged.host("n1");
  for (int each = 0; each < 3; ++each) bridged.gpu(host, each);
  bridged.nvlinks(1, 2, 4);
  expect_one(found_by("gpu-without-nvlink", bridged), severity::warning, "n1:GPU2", "NVLink bridge");
}

TEST(lint, a_display_gpu_needs_no_nvlink) {
  machine made = four_gpus({18, 18}, {{"model", "NVIDIA A100"}});
  made.gpu(0, 2, {{"model", "NVIDIA T400"}});
  EXPECT_TRUE(found_by("gpu-without-nvlink", made).empty());
  made.gpu(0, 3, {{"model", "NVIDIA A100"}});
  expect_one(found_by("gpu-without-nvlink", made), severity::error, "n1:GPU3", "2 GPUs");
}

TEST(lint, unequal_nvlinks) {
  expect_one(found_by("unequal-nvlinks", four_gpus({18, 18, 16, 18})), severity::warning, "n1",
             "GPU2 has 16, the others have 18");
  EXPECT_TRUE(found_by("unequal-nvlinks", four_gpus({18, 18, 18, 18})).empty());
  machine amd;  // GCDs of one MI250X have by design other numbers of links than their neighbours
  const node_index host = amd.host("n1");
  for (int each = 0; each < 3; ++each) amd.gpu(host, each);
  amd.link(1, 2, edge_kind::xgmi), amd.link(1, 2, edge_kind::xgmi), amd.link(2, 3, edge_kind::xgmi);
  EXPECT_TRUE(found_by("unequal-nvlinks", amd).empty());
}

TEST(lint, unequal_nvlinks_in_a_domain_of_several_hosts) {
  for (int links : {18, 17}) {
    machine rack;
    const node_index joint = rack.parts.add_node({.kind = node_kind::nvswitch, .name = "domain"});
    for (const auto& [name, each] : {std::pair{"a", 18}, {"b", 18}, {"c", links}}) {
      const node_index host = rack.host(name);
      for (int gpu = 0; gpu < 2; ++gpu) rack.nvlinks(rack.gpu(host, gpu), joint, each);
    }
    const std::vector<finding> found = found_by("unequal-nvlinks", rack);
    if (links == 18)
      EXPECT_TRUE(found.empty());
    else
      expect_one(found, severity::warning, "c:GPU0", "GPU0 and GPU1 have 17, the others have 18");
  }
}

TEST(lint, inactive_nvlinks) {
  expect_one(found_by("inactive-nvlinks", four_gpus({16}, {{"nvlinks_inactive", "2"}})), severity::warning, "n1:GPU0",
             "2 NVLinks of 18");
  EXPECT_TRUE(found_by("inactive-nvlinks", four_gpus({18}, {{"nvlinks_inactive", "0"}})).empty());
  expect_one(found_by("inactive-nvlinks", one_gpu({{"nvlinks_active", "4"}, {"nvlinks_inactive", "2"}})),
             severity::info, "n1:GPU0", "2 NVLinks of 6");
}

TEST(lint, zero_uuid_is_no_multi_node_domain) {
  machine made;
  for (const char* name : {"a", "b"}) {
    const node_index host = made.host(name);
    for (int each = 0; each < 8; ++each) made.gpu(host, each, {{"cluster_uuid", zero_uuid}, {"clique_id", "0"}});
  }
  const std::vector<finding> found = found_by("not-multi-node", made);
  ASSERT_EQ(found.size(), 2u);  // one per host, not per GPU
  EXPECT_EQ(found[0].level, severity::info);
  EXPECT_EQ(found[0].subject, "a");
  EXPECT_NE(found[0].message.find("clique 0 with a zero cluster UUID"), std::string::npos) << found[0].message;
  EXPECT_TRUE(found_by("sentinel-clique", made).empty());
  EXPECT_TRUE(found_by("not-multi-node", one_gpu({{"cluster_uuid", uuid}, {"clique_id", "0"}})).empty());
  EXPECT_TRUE(found_by("not-multi-node", one_gpu({{"cluster_uuid", "N/A"}, {"clique_id", "N/A"}})).empty());
}

TEST(lint, sentinel_cliques) {
  for (const char* id : {"4294967295", "0xffffffff", "32767", "-1", "none of it"})
    expect_one(found_by("sentinel-clique", one_gpu({{"cluster_uuid", uuid}, {"clique_id", id}})), severity::warning,
               "n1", std::string("clique id ") + id);
  expect_one(found_by("sentinel-clique",
                      one_gpu({{"cluster_uuid", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff"}, {"clique_id", "1"}})),
             severity::warning, "n1", "cluster UUID FFFF");
  expect_one(found_by("sentinel-clique", one_gpu({{"cluster_uuid", zero_uuid}, {"clique_id", "32766"}})),
             severity::warning, "n1", "clique id 32766");
  for (const char* id : {"0", "1", "32765", "N/A"})
    EXPECT_TRUE(found_by("sentinel-clique", one_gpu({{"cluster_uuid", uuid}, {"clique_id", id}})).empty()) << id;
}

TEST(lint, the_default_partition_is_the_same_number_in_every_rack) {
  machine made;
  for (const char* cluster : {"6a130f54-faaa-4b8f-847f-be44ab70f917", "939a0a88-7f4b-ffa6-0000-000000000001"})
    for (int each = 0; each < 2; ++each)
      made.gpu(made.host(std::string(cluster) + std::to_string(each)), 0,
               {{"cluster_uuid", cluster}, {"clique_id", "32766"}});
  expect_one(found_by("sentinel-clique", made), severity::info, "clique 32766", "2 clusters");
}

TEST(lint, cliques_of_one_host_that_differ) {
  for (const char* second : {"1", "2"}) {
    machine made;
    const node_index host = made.host("n1");
    made.gpu(host, 0, {{"cluster_uuid", uuid}, {"clique_id", "1"}});
    made.gpu(host, 1, {{"cluster_uuid", uuid}, {"clique_id", second}});
    const std::vector<finding> found = found_by("mixed-cliques", made);
    if (second == std::string("1"))
      EXPECT_TRUE(found.empty());
    else
      expect_one(found, severity::warning, "n1", std::string(uuid) + ".2: GPU1");
  }
}

TEST(lint, fabric_state) {
  expect_one(found_by("fabric-not-ready", one_gpu({{"fabric_state", "In Progress"}})), severity::warning, "n1",
             "state \"in progress\"");
  for (const char* state : {"Completed", "N/A", "not_supported", "Not Supported", ""})
    EXPECT_TRUE(found_by("fabric-not-ready", one_gpu({{"fabric_state", state}})).empty()) << state;
}

TEST(lint, fabric_status) {
  const char* const refused = "Insufficient Resources";
  expect_one(found_by("fabric-failed", one_gpu({{"fabric_state", "completed"}, {"fabric_status", refused}})),
             severity::error, "n1", "insufficient resources");
  EXPECT_TRUE(
      found_by("fabric-failed", one_gpu({{"fabric_state", "completed"}, {"fabric_status", "Success"}})).empty());
  EXPECT_TRUE(
      found_by("fabric-failed", one_gpu({{"fabric_state", "in_progress"}, {"fabric_status", refused}})).empty());
}

TEST(lint, fabric_health) {
  machine made;
  const node_index host = made.host("n1");
  made.gpu(host, 0, {{"fabric_health", "degraded bandwidth, route unhealthy"}});
  made.gpu(host, 1, {{"fabric_health", "ok"}});
  expect_one(found_by("fabric-health", made), severity::warning, "n1", "route unhealthy\" for GPU0");
  EXPECT_TRUE(found_by("fabric-health", one_gpu({{"fabric_health", "Healthy"}})).empty());
}

}  // namespace
}  // namespace hawser::discovery
