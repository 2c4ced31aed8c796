// Tests Kubernetes objects: real files against what is in them, labels of every generation, cliques, damage.
#include "discovery/sources/kubernetes_parse.hpp"

#include <hawser/discovery/source.hpp>
#include <hawser/topology/identity.hpp>

#include "support/placement.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::text_of;
using topology::error_of;
using names = std::vector<std::string>;

std::string fixture(const std::string& name) {
  return std::string(HAWSER_TEST_DATA) + "/data/kubernetes/" + name;
}
topology::graph read_fixture(const std::string& name) {
  return file_source_of("kubernetes").read({text_of(fixture(name)), fixture(name)}, {});
}

json labels_of(const labelled_node& node) {
  json order = json::array();
  for (const label_step& each : near_to_far(node.labels)) order.push_back(each.what);
  return {{"labels", node.labels}, {"order_near_to_far", order}};
}

// A document as TRUTH.md writes it.
json summary_of(const kubernetes_document& found) {
  if (found.kinds == names{"CustomResourceDefinition"}) return {{"kind", found.kinds[0]}};
  if (found.kinds == names{"Node"} || (found.kinds == names{""} && found.domains.empty()))
    return labels_of(found.nodes.at(0));
  json items = json::array();
  std::size_t domain = 0;
  for (const std::string& kind : found.kinds) {
    json item = {{"kind", kind.empty() ? json() : json(kind)}};
    if (kind == "ComputeDomain") {
      const compute_domain_record& each = found.compute_domains.at(domain++);
      item["numNodes"] = each.nodes.value_or(-1);
      item["resourceClaimTemplate"] = each.claim_template;
      item["name"] = each.name;
      item["allocationMode"] = each.allocation_mode.empty() ? json() : json(each.allocation_mode);
    }
    if (kind == "Cluster")
      for (const labelled_node& each : found.nodes)
        item["gpu_clique_by_node"][each.host] = each.labels.at("nvidia.com/gpu.clique");
    if (kind.empty())
      for (const mock_domain& each : found.domains) {
        json cliques;
        for (const auto& [id, hosts] : each.cliques) cliques[id] = hosts;
        item["domains"].push_back({{"uuid", each.uuid}, {"cliques", cliques}});
      }
    items.push_back(item);
  }
  return {{"items", items}};
}

TEST(kubernetes, real_files_hold_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (testing::real_file& each : testing::real_files_of("k8s")) {
    each.truth.erase("_sha256");
    EXPECT_EQ(summary_of(parse_kubernetes({each.text, each.name}, "host")), each.truth) << each.name;
    ++files;
  }
  EXPECT_EQ(files, 7);
}

TEST(kubernetes, real_cliques_become_domains) {
  HAWSER_NEEDS_REAL_FILES();
  for (const char* name : {"k8s/kind_nodes_gpu_clique_labels.yaml", "k8s/nvml_mock_topology_local.yaml"}) {
    const topology::graph machine =
        file_source_of("kubernetes").read({text_of(testing::real_files() / name), name}, {});
    EXPECT_EQ(testing::count(machine, topology::node_kind::host), 4u) << name;
    EXPECT_TRUE(machine.find(topology::identity::clique("00000000-0000-0000-0000-0000000000cd", "1"))) << name;
    EXPECT_EQ(testing::count(machine, topology::node_kind::nvswitch), 4u) << name;
  }
}

TEST(kubernetes, nodes_with_gpus_cliques_and_zones) {
  const topology::graph machine = read_fixture("nodes.json");
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_TRUE(machine.tells(topology::aspect::gpus));
  EXPECT_EQ(testing::count(machine, topology::node_kind::gpu), 5u);
  const auto gpu = machine.find("host/a/gpu/1");
  ASSERT_TRUE(gpu);
  EXPECT_EQ(machine.nodes()[*gpu].name, "a:GPU1");
  EXPECT_EQ(machine.nodes()[*gpu].attributes.at("model"), "NVIDIA-GB200");
  const auto domain = machine.find(topology::identity::clique("0a1b2c3d-0000-1111-2222-333344445555", "7"));
  ASSERT_TRUE(domain);
  EXPECT_EQ(machine.edges_of(*domain).size(), 4u);
  EXPECT_EQ(testing::levels(machine).front(), "zone:2");
}

TEST(kubernetes, generations_of_labels) {
  const topology::graph v3 = read_fixture("topograph_v3.yaml");
  EXPECT_TRUE(v3.findings().empty());
  EXPECT_FALSE(v3.find("switch/old1"));  // the newest generation alone
  EXPECT_EQ(testing::depth(v3), 2);
  EXPECT_EQ(testing::levels(v3), (names{"rack:2", "node:4"}));
  EXPECT_EQ(testing::hosts_of_domains(v3), (std::map<std::string, std::size_t>{{"nvl1", 2}, {"nvl2", 2}}));
  const topology::graph v2 = read_fixture("topograph_v2.yaml");
  EXPECT_EQ(testing::depth(v2), 3);
  EXPECT_EQ(testing::levels(v2), (names{"pod:2", "node:4"}));
  const label_map clouds = {{"topology.k8s.aws/network-node-layer-1", "nn-1"},
                            {"topology.k8s.aws/network-node-layer-3", "nn-3"},
                            {"failure-domain.beta.kubernetes.io/zone", "z"},
                            {"fabric.topograph.run/tier-99", "far"}};
  names steps;
  for (const label_step& each : near_to_far(clouds)) steps.push_back(each.value);
  EXPECT_EQ(steps, (names{"nn-3", "nn-1", "z"}));
}

TEST(kubernetes, doubtful_labels_are_findings) {
  const topology::graph machine = read_fixture("ambiguous.yaml");
  EXPECT_EQ(testing::codes(machine), (names{"ambiguous-label", "zero-cluster-uuid", "malformed-clique"}));
  EXPECT_EQ(machine.findings()[2].subject, "n4");
}

TEST(kubernetes, status_of_compute_domains) {
  const topology::graph machine = read_fixture("compute_domain_status.yaml");
  EXPECT_EQ(testing::hosts_of_domains(machine),
            (std::map<std::string, std::size_t>{{"0a1b2c3d-0000-1111-2222-333344445555.1", 2},
                                                {"0a1b2c3d-0000-1111-2222-333344445555.2", 1}}));
  EXPECT_EQ(testing::codes(machine), (names{"clique-not-ready", "no-clique", "unknown-network"}));
}

TEST(kubernetes, clusters_of_kind_and_what_says_nothing) {
  const topology::graph named = read_fixture("kind_default_names.yaml");
  EXPECT_TRUE(named.find("host/demo-worker"));
  EXPECT_TRUE(named.find("host/demo-worker2"));
  EXPECT_EQ(named.findings().size(), 0u);
  const topology::graph nothing = read_fixture("nothing.yaml");
  EXPECT_EQ(testing::codes(nothing), names{"no-placement"});
  EXPECT_FALSE(nothing.tells(topology::aspect::hosts));
  EXPECT_EQ(testing::count(read_fixture("mock.yaml"), topology::node_kind::nvswitch), 2u);
}

TEST(kubernetes, errors_say_line_and_reason) {
  const auto expect = [](const std::string& name, const std::string& where, const std::string& why) {
    const error failure = error_of([&] { read_fixture(name); });
    EXPECT_EQ(failure.code(), errc::parse);
    const std::string text = failure.what();
    EXPECT_NE(text.find(where), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  };
  expect("bad_no_name.yaml", "line 4", "the key \"name\" is missing");
  expect("bad_labels.yaml", "line 5", "must be a map");
  expect("bad_json.json", "line 3", "syntax error");
  expect("bad_count.json", "node \"n\"", "too many GPUs");
}

TEST(kubernetes, hostile_json_is_refused) {
  const auto read = [](const std::string& text) { file_source_of("kubernetes").read({text, "f"}, {}); };
  EXPECT_NE(std::string(error_of([&] { read(std::string(1'000'000, '[')); }).what()).find("256 nested"),
            std::string::npos);
  std::string many = "[";
  for (int each = 0; each < 2'100'000; ++each) many += "1,";
  EXPECT_NE(std::string(error_of([&] { read(many + "1]"); }).what()).find("2000000 values"), std::string::npos);
}

TEST(kubernetes, damaged_fixtures_are_read_or_refused) {
  testing::expect_damage_is_survived("kubernetes");
}

}  // namespace
}  // namespace hawser::discovery
