// Which NICs are nearest to a GPU: bridges before CPUs before the rest, ties together, nothing invented.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <hawser/topology/identity.hpp>
#include <hawser/topology/nearest.hpp>

namespace hawser::topology {
namespace {

/// A host whose parts hang at each other by PCIe.
class machine {
 public:
  machine() { host_ = graph_.add_node({.kind = node_kind::host, .name = "a", .identities = {identity::host("a")}}); }

  node_index add(node_kind kind, const std::string& name, std::vector<node_index> above = {}) {
    const node_index part = graph_.add_node({.kind = kind, .name = name});
    graph_.contain(host_, part);
    for (node_index each : above) graph_.add_edge({.a = each, .b = part, .kind = edge_kind::pci});
    return part;
  }
  graph& parts() { return graph_; }
  std::string nearest(node_index gpu, nics_considered which = nics_considered::all) const {
    const near_nics found = nearest_nics(graph_, gpu, which);
    std::string text(to_string(found.distance));
    for (node_index each : found.nics) text += " " + graph_.nodes()[each].name;
    return text;
  }

 private:
  graph graph_;
  node_index host_ = 0;
};

TEST(nearest, the_deepest_shared_bridge_wins_then_the_shortest_way) {
  machine m;
  const node_index cpu = m.add(node_kind::cpu, "cpu");
  const node_index root = m.add(node_kind::pci_switch, "root", {cpu});
  const node_index left = m.add(node_kind::pci_switch, "left", {root});
  const node_index right = m.add(node_kind::pci_switch, "right", {root});
  const node_index below = m.add(node_kind::pci_switch, "below", {left});
  const node_index g0 = m.add(node_kind::gpu, "g0", {left});
  const node_index g1 = m.add(node_kind::gpu, "g1", {right});
  m.add(node_kind::nic, "deep", {below});
  EXPECT_EQ(m.nearest(g0), "shared_pci_bridge deep");
  EXPECT_EQ(m.nearest(g1), "shared_pci_bridge deep");  // through the root bridge
  m.add(node_kind::nic, "n0", {left});
  m.add(node_kind::nic, "n1", {left});
  EXPECT_EQ(m.nearest(g0), "shared_pci_bridge n0 n1");
  EXPECT_EQ(m.nearest(g1), "shared_pci_bridge n0 n1");  // fewer bridges between than for the deep one
}

TEST(nearest, a_cpu_comes_after_bridges_and_before_the_rest) {
  machine m;
  const node_index c0 = m.add(node_kind::cpu, "c0"), c1 = m.add(node_kind::cpu, "c1");
  const node_index g0 = m.add(node_kind::gpu, "g0", {c0});
  const node_index g1 = m.add(node_kind::gpu, "g1", {c1});
  const node_index bridge = m.add(node_kind::pci_switch, "bridge", {c0});
  m.add(node_kind::nic, "n0", {bridge});
  m.add(node_kind::nic, "n1", {c0});
  EXPECT_EQ(m.nearest(g0), "same_cpu n0 n1");
  EXPECT_EQ(m.nearest(g1), "other_cpu n0 n1");
  m.parts().add_edge({.a = c0, .b = c1, .kind = edge_kind::interconnect});
  EXPECT_EQ(m.nearest(g1), "other_cpu n0 n1");
  m.add(node_kind::nic, "both", {c0, c1});
  EXPECT_EQ(m.nearest(g0), "same_cpu n0 n1 both");
  EXPECT_EQ(m.nearest(g1), "same_cpu both");
}

TEST(nearest, numbers_of_numa_nodes_do_where_no_links_are_told) {
  machine m;
  const node_index g0 = m.add(node_kind::gpu, "g0"), g1 = m.add(node_kind::gpu, "g1"), g2 = m.add(node_kind::gpu, "g2");
  const node_index nic = m.add(node_kind::nic, "n");
  m.parts().describe(g0, attribute::numa, "1");
  m.parts().describe(g1, attribute::numa, "0");
  m.parts().describe(nic, attribute::numa, "1");
  EXPECT_EQ(m.nearest(g0), "same_cpu n");
  EXPECT_EQ(m.nearest(g1), "other_cpu n");
  EXPECT_EQ(m.nearest(g2), "unknown");
  m.parts().describe(g2, attribute::numa, "-1");
  EXPECT_EQ(m.nearest(g2), "unknown");
}

TEST(nearest, bridges_without_a_cpu_have_their_first_on_top) {
  machine m;
  const node_index top = m.add(node_kind::pci_switch, "top");
  const node_index low = m.add(node_kind::pci_switch, "low", {top});
  const node_index gpu = m.add(node_kind::gpu, "g", {low});
  m.add(node_kind::nic, "far", {top});
  EXPECT_EQ(m.nearest(gpu), "shared_pci_bridge far");
  m.add(node_kind::nic, "near", {low});
  EXPECT_EQ(m.nearest(gpu), "shared_pci_bridge near");
}

TEST(nearest, what_the_system_makes_is_left_out_where_only_hardware_is_asked_for) {
  machine m;
  const node_index cpu = m.add(node_kind::cpu, "cpu");
  const node_index gpu = m.add(node_kind::gpu, "g", {cpu});
  m.parts().describe(m.add(node_kind::nic, "veth1", {cpu}), attribute::software, "1");
  EXPECT_EQ(m.nearest(gpu), "same_cpu veth1");
  EXPECT_EQ(m.nearest(gpu, nics_considered::hardware), "unknown");
  m.add(node_kind::nic, "eth0", {cpu});
  EXPECT_EQ(m.nearest(gpu, nics_considered::hardware), "same_cpu eth0");
}

TEST(nearest, a_cycle_of_bridges_ends) {
  machine m;
  const node_index a = m.add(node_kind::pci_switch, "a"), b = m.add(node_kind::pci_switch, "b", {a});
  const node_index c = m.add(node_kind::pci_switch, "c", {b});
  m.parts().add_edge({.a = c, .b = a, .kind = edge_kind::pci});
  const node_index gpu = m.add(node_kind::gpu, "g", {b});
  m.add(node_kind::nic, "n", {c});
  EXPECT_EQ(m.nearest(gpu), "shared_pci_bridge n");
}

}  // namespace
}  // namespace hawser::topology
