// nvidia-smi -q as text and as XML: real machines' output, and one fixture for each quirk.
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/sources/smi_query_xml_parse.hpp"
#include "discovery/sources/sources.hpp"
#include "support/smi.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::attribute_of;
using testing::fixture;
using testing::has_finding;
using topology::edge_kind;
using topology::error_of;
using topology::node_kind;
namespace attribute = topology::attribute;

constexpr const char* cluster = "0f0e0d0c-0001-0002-0003-000000000004";

bool is_xml(const std::string& name) {
  return name.ends_with(".xml");
}
smi_query_document parsed(const std::string& text, const std::string& name) {
  const document file{text, name};
  return is_xml(name) ? parse_smi_query_xml(file) : parse_smi_query(file);
}
topology::graph read(const std::string& name) {
  const file_source& source = is_xml(name) ? smi_query_xml : smi_query;
  const std::string text = fixture(source.kind, name);
  EXPECT_TRUE(source.recognises({text, name})) << name;
  return source.read({text, name}, {"n1"});
}
error failure_of(const std::string& name) {
  const file_source& source = is_xml(name) ? smi_query_xml : smi_query;
  const std::string text = fixture(source.kind, name);
  return error_of([&] { source.read({text, name}, {"n1"}); });
}

json list_of(const smi_query_document& all, std::string queried_gpu::*value) {
  json list = json::array();
  for (const queried_gpu& each : all.gpus) list.push_back(each.*value);
  return list;
}

json told_by(const smi_query_document& all, const std::string& key) {
  if (key == "gpus" || key == "gpu_elements") return all.gpus.size();
  if (key == "driver") return all.driver;
  if (key == "attached_gpus") return all.attached_gpus;
  if (key == "bus_ids" || key == "pci_bus_ids") return list_of(all, &queried_gpu::bus_id);
  if (key == "fabric_health_first_gpu") return all.gpus.at(0).fabric_health;
  json list = json::array();
  if (key == "product") {
    std::set<std::string> names;
    for (const queried_gpu& each : all.gpus) names.insert(each.product);
    return names;
  }
  if (key == "fabric_by_gpu(state,status,cliqueId,clusterUuid)") {
    for (const queried_gpu& each : all.gpus)
      list.push_back({each.fabric_state, each.fabric_status, each.clique_id, each.cluster_uuid});
    return list;
  }
  if (key == "fabric_health_by_gpu") {
    for (const queried_gpu& each : all.gpus) list.push_back(each.fabric_health);
    return list;
  }
  return "the test does not know the key " + key;
}

TEST(smi_query, real_output_is_read_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("nvidia_smi_other")) {
    if (!file.name.starts_with("nvidia_smi_other/q_")) continue;
    ++seen;
    SCOPED_TRACE(file.name);
    const smi_query_document all = parsed(file.text, file.name);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256") continue;
      EXPECT_EQ(told_by(all, key), value) << key;
    }
    const document text{file.text, file.name};
    EXPECT_EQ(smi_query_xml.recognises(text), is_xml(file.name));
    EXPECT_EQ(smi_query.recognises(text), !is_xml(file.name));
    for (const file_source* other : {&smi_topo, &smi_p2p, &smi_nvlink, &fabric_csv, &rocm_topo})
      EXPECT_FALSE(other->recognises(text)) << other->kind;
    const topology::graph machine = (is_xml(file.name) ? smi_query_xml : smi_query).read(text, {"n1"});
    EXPECT_EQ(testing::count_of(machine, node_kind::gpu), all.gpus.size());
    EXPECT_FALSE(has_finding(machine, "gpu-count-differs"));
  }
  EXPECT_EQ(seen, 9u);
}

TEST(smi_query, real_fabrics_become_domains) {
  HAWSER_NEEDS_REAL_FILES();
  const auto graph_of_file = [](const std::string& name) {
    const std::string text = testing::text_of(testing::real_files() / "nvidia_smi_other" / name);
    return (is_xml(name) ? smi_query_xml : smi_query).read({text, name}, {"n1"});
  };
  const topology::graph tray = graph_of_file("q_x_gb200.xml");
  const auto clique = tray.find(topology::identity::clique("00000001-0000-0000-0000-000000000001", "2"));
  ASSERT_TRUE(clique);
  EXPECT_EQ(tray.edges_of(*clique).size(), 4u * 18u);
  EXPECT_FALSE(tray.host_of(*clique));  // it spans hosts
  EXPECT_EQ(attribute_of(tray, "n1:GPU3", attribute::fabric_health), "ok");

  const topology::graph board = graph_of_file("q_x_h100.xml");
  EXPECT_TRUE(board.find(topology::identity::nvswitches("n1")));
  EXPECT_EQ(testing::links_between(board, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 8u * 18u);

  const topology::graph lost = graph_of_file("q_x_gb200-lost.xml");
  EXPECT_EQ(attribute_of(lost, "n1:GPU1", attribute::lost), "GPU is lost");
  EXPECT_EQ(testing::links_between(lost, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 18u);

  for (const char* name : {"q_x_t4.xml", "q_x_a100.xml", "q_v100_x8.txt", "q_gh200.txt"}) {
    const topology::graph plain = graph_of_file(name);
    EXPECT_EQ(testing::count_of(plain, node_kind::nvswitch), 0u) << name;
    EXPECT_FALSE(plain.tells(topology::aspect::nvlink)) << name;
  }
}

TEST(smi_query, a_zero_uuid_joins_the_gpus_of_one_host_only) {
  const topology::graph machine = read("one_host.txt");
  EXPECT_TRUE(machine.tells(topology::aspect::gpus));
  EXPECT_TRUE(machine.tells(topology::aspect::nvlink));
  EXPECT_TRUE(machine.find(topology::identity::nvswitches("n1")));
  EXPECT_EQ(attribute_of(machine, "n1:GPU2", attribute::pci), "0000:9a:00.0");
  EXPECT_TRUE(machine.find("host/n1/pci/0000:9a:00.0"));
  EXPECT_EQ(attribute_of(machine, "n1:GPU2", attribute::mig), "disabled");
  EXPECT_EQ(attribute_of(machine, "n1:GPU2", "pcie_generation"), "5");
  EXPECT_EQ(attribute_of(machine, "n1", "driver"), "550.54.15");
  EXPECT_EQ(testing::derive_all(machine).hosted.tree.size(), 4);
  EXPECT_TRUE(machine.findings().empty());
}

TEST(smi_query, a_cluster_uuid_names_a_domain_of_several_hosts) {
  for (const char* name : {"multi_node.txt", "multi_node.xml"}) {
    const topology::graph machine = read(name);
    const auto clique = machine.find(topology::identity::clique(cluster, name[11] == 't' ? "7" : "2"));
    ASSERT_TRUE(clique) << name;
    EXPECT_FALSE(machine.host_of(*clique));
    EXPECT_EQ(machine.edges_of(*clique).size(), 4u * 18u);
    EXPECT_EQ(machine.edges()[machine.edges_of(*clique)[0]].source, topology::provenance::assumed);
    EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::fabric_health), "ok");
    EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::fabric_state), "completed");
    EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::fabric_status), "success");
  }
  EXPECT_EQ(attribute_of(read("multi_node.xml"), "n1:GPU1", "slot_number"), "14");
  EXPECT_EQ(attribute_of(read("multi_node.xml"), "n1:GPU1", "module_id"), "");
  EXPECT_EQ(testing::count_of(read("two_cliques.xml"), node_kind::nvswitch), 2u);
}

TEST(smi_query, health_is_what_is_degraded) {
  EXPECT_EQ(attribute_of(read("degraded.txt"), "n1:GPU0", attribute::fabric_health),
            "bandwidth degraded, no partition assigned, route unhealthy, summary unhealthy");
  EXPECT_EQ(attribute_of(read("limited.xml"), "n1:GPU0", attribute::fabric_health),
            "incorrect configuration insufficient_nvlinks, summary limited_capacity");
}

TEST(smi_query, a_fabric_that_is_not_ready_joins_nothing) {
  const topology::graph machine = read("not_ready.txt");
  EXPECT_EQ(testing::count_of(machine, node_kind::nvswitch), 0u);
  EXPECT_TRUE(machine.tells(topology::aspect::nvlink));
  EXPECT_EQ(attribute_of(machine, "n1:GPU0", attribute::fabric_state), "in_progress");
  EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::fabric_status), "insufficient_resources");
  EXPECT_FALSE(read("old_driver.txt").tells(topology::aspect::nvlink));
  EXPECT_FALSE(read("no_fabric.xml").tells(topology::aspect::nvlink));
}

TEST(smi_query, lost_gpus_are_told_and_join_nothing) {
  EXPECT_EQ(attribute_of(read("lost.txt"), "n1:GPU1", attribute::lost), "GPU is lost");
  EXPECT_EQ(attribute_of(read("lost.txt"), "n1:GPU0", attribute::lost), "");
  EXPECT_EQ(attribute_of(read("err.txt"), "n1:GPU1", attribute::lost), "ERR!");
  EXPECT_EQ(attribute_of(read("lost.xml"), "n1:GPU1", attribute::lost), "GPU is lost");
  EXPECT_EQ(attribute_of(read("lost.xml"), "n1:GPU1", attribute::fabric_state), "");
  const topology::graph machine = read("no_handle.txt");
  EXPECT_EQ(attribute_of(machine, "n1:GPU0", attribute::lost), "Unknown Error");
  EXPECT_EQ(attribute_of(machine, "n1:GPU0", attribute::pci), "0000:ba:00.0");
  EXPECT_EQ(testing::count_of(machine, node_kind::gpu), 2u);
}

TEST(smi_query, quirks) {
  EXPECT_EQ(attribute_of(read("mig.txt"), "n1:GPU0", attribute::mig), "enabled");
  EXPECT_TRUE(has_finding(read("narrow.txt"), "narrow-pcie"));
  EXPECT_FALSE(has_finding(read("one_host.txt"), "narrow-pcie"));
  const topology::graph one = read("one_of_four.txt");
  EXPECT_TRUE(has_finding(one, "gpu-count-differs"));
  EXPECT_FALSE(one.tells(topology::aspect::gpus));
  EXPECT_EQ(attribute_of(one, "n1:GPU2", attribute::index), "2");
  EXPECT_FALSE(one.find(topology::identity::gpu("n1", 2)));  // its minor number need not be NVML's
  EXPECT_EQ(testing::count_of(read("none.txt"), node_kind::gpu), 0u);
  EXPECT_TRUE(has_finding(read("twins.txt"), "repeated-gpu"));
  EXPECT_TRUE(read("no_indent.txt").find(topology::identity::clique(cluster, "3")));
}

TEST(smi_query, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const error failure = failure_of(name);
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_no_gpu.txt", "it says nothing of any GPU");
  says("bad_too_many.txt", "line 1032 (more than 1024 GPUs");
  says("bad_cut.xml", "line ");
  says("bad_no_gpu.xml", "nvidia_smi_log, line 3");
  says("bad_root.xml", "log, line 3");
  says("bad_too_many.xml", "more than 1024 GPUs");
}

TEST(smi_query, survives_random_changes) {
  const unsigned seed = topology::test_seed();
  testing::expect_survives(smi_query, 40, seed);
  testing::expect_survives(smi_query_xml, 40, seed);
}

}  // namespace
}  // namespace hawser::discovery
