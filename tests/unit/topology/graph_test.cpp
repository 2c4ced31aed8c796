// Tests the topology graph: identities, merging, edges, findings.
#include <hawser/topology/graph.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

node part(node_kind kind, std::string name, std::vector<std::string> identities = {}) {
  return {kind, std::move(name), std::move(identities), {}};
}

TEST(graph, finds_by_any_identity) {
  graph topology;
  const node_index host = topology.add_node(part(node_kind::host, "n1", {"host/n1", "uuid/1"}));
  EXPECT_EQ(topology.find("uuid/1"), host);
  EXPECT_EQ(topology.find("host/n1"), host);
  EXPECT_EQ(topology.find("host/n2"), std::nullopt);
}

TEST(graph, edges_and_neighbours) {
  graph topology;
  const node_index host = topology.add_node(part(node_kind::host, "n1"));
  const node_index gpu = topology.add_node(part(node_kind::gpu, "g0"));
  const node_index nvswitch = topology.add_node(part(node_kind::nvswitch, "s0"));
  topology.add_edge({host, gpu, edge_kind::contains, {}, {}});
  const edge_index link = topology.add_edge({gpu, nvswitch, edge_kind::nvlink, bandwidth{450e9}, {}});
  topology.add_edge({nvswitch, gpu, edge_kind::nvlink, bandwidth{450e9}, {}});
  EXPECT_EQ(topology.neighbours(gpu), (std::vector<node_index>{host, nvswitch, nvswitch}));
  EXPECT_EQ(topology.other_end(link, nvswitch), gpu);
  EXPECT_EQ(topology.host_of(gpu), host);
  EXPECT_EQ(topology.host_of(nvswitch), std::nullopt);
}

TEST(graph, refuses_doubled_identities_and_edges_to_nowhere) {
  graph topology;
  topology.add_node(part(node_kind::host, "n1", {"host/n1"}));
  const error doubled = error_of([&] { topology.add_node(part(node_kind::host, "other", {"x", "host/n1"})); });
  EXPECT_EQ(doubled.code(), errc::invalid_argument);
  EXPECT_NE(std::string(doubled.what()).find("two nodes with the identity \"host/n1\""), std::string::npos);
  EXPECT_EQ(topology.nodes().size(), 1u);
  EXPECT_EQ(topology.find("x"), std::nullopt);
  EXPECT_EQ(error_of([&] { topology.add_edge({0, 1, edge_kind::pci, {}, {}}); }).code(), errc::invalid_argument);
  EXPECT_EQ(error_of([&] { topology.add_edge({0, 0, edge_kind::pci, {}, {}}); }).code(), errc::invalid_argument);
}

TEST(graph, merging_completes_a_node) {
  graph topology;
  node first = part(node_kind::gpu, "", {"pci/07"});
  first.attributes = {{"model", "H100"}};
  node second = part(node_kind::gpu, "g0", {"pci/07", "uuid/9"});
  second.attributes = {{"model", "H100"}, {"index", "0"}};
  const node_index merged = topology.merge_node(first);
  EXPECT_EQ(topology.merge_node(second), merged);
  EXPECT_EQ(topology.nodes().size(), 1u);
  EXPECT_EQ(topology.nodes()[merged].name, "g0");
  EXPECT_EQ(topology.nodes()[merged].attributes.at("index"), "0");
  EXPECT_EQ(topology.find("uuid/9"), merged);
  EXPECT_TRUE(topology.findings().empty());
}

TEST(graph, merging_notes_contradictions_and_keeps_the_first) {
  graph topology;
  node first = part(node_kind::gpu, "g0", {"pci/07"});
  first.attributes = {{"model", "H100"}};
  topology.merge_node(first);
  topology.merge_node(part(node_kind::gpu, "g1", {"pci/08"}));
  node other = part(node_kind::nic, "g0", {"pci/07", "pci/08"});
  other.attributes = {{"model", "A100"}};
  EXPECT_EQ(topology.merge_node(other), 0u);
  ASSERT_EQ(topology.findings().size(), 3u);
  for (const finding& each : topology.findings()) EXPECT_TRUE(each.code.starts_with("contradictory-")) << each.code;
  EXPECT_EQ(topology.findings()[0].subject, "pci/08");
  EXPECT_NE(topology.findings()[1].message.find("gpu and a nic"), std::string::npos);
  EXPECT_NE(topology.findings()[2].message.find("\"H100\" and \"A100\""), std::string::npos);
  EXPECT_EQ(topology.nodes()[0].attributes.at("model"), "H100");
}

TEST(graph, tiers_of_switches) {
  EXPECT_EQ(switch_tier(part(node_kind::leaf_switch, "")), 1);
  EXPECT_EQ(switch_tier(part(node_kind::spine_switch, "")), 2);
  EXPECT_EQ(switch_tier(part(node_kind::core_switch, "")), 3);
  EXPECT_EQ(switch_tier({node_kind::core_switch, "", {}, {}, 5}), 5);
  EXPECT_EQ(switch_tier(part(node_kind::nvswitch, "")), 0);
}

}  // namespace
}  // namespace hawser::topology
