// What the live source sees of a simulated fat tree, and that the tools' output of the same fabric says the same.
// simulate.py runs this on a host of the fabric.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/live.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "discovery/fabric_support.hpp"

namespace hawser::discovery {
namespace {

using testing::count_of;
using topology::graph;
using topology::node_kind;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

testing::fat_tree simulated_tree() {
  testing::fat_tree tree;
  std::istringstream(variable("HAWSER_FABRIC")) >> tree.leaves >> tree.spines >> tree.hosts_per_leaf;
  return tree;
}

graph discovered() {
  for (const live_source& each : live_sources())
    if (each.name == "ibnetdisc") return each.discover({.host = "here"});
  ADD_FAILURE() << "there is no live source ibnetdisc";
  return {};
}

graph read_output(const std::string& kind, const std::string& name) {
  return read_file(kind + ":" + variable("HAWSER_FABRIC_FOLDER") + "/" + name);
}

/// A link with the smaller name first.
using link_words = std::tuple<std::string, std::string, std::string, std::string, std::string, double>;

std::vector<link_words> links_of(const graph& machine) {
  std::vector<link_words> links;
  for (const topology::edge& each : machine.edges()) {
    std::string a = machine.nodes()[each.a].name, b = machine.nodes()[each.b].name;
    std::string ports = testing::value_of(each.attributes, "ports");
    if (b < a) {
      std::swap(a, b);
      const std::size_t middle = ports.find('-');
      if (middle != std::string::npos) ports = ports.substr(middle + 1) + "-" + ports.substr(0, middle);
    }
    links.emplace_back(a, b, ports, testing::value_of(each.attributes, "width"),
                       testing::value_of(each.attributes, "speed"), each.rate ? each.rate->bytes_per_second : -1);
  }
  std::sort(links.begin(), links.end());
  return links;
}

std::vector<topology::node> sorted_nodes(const graph& machine) {
  std::vector<topology::node> nodes = machine.nodes();
  for (topology::node& each : nodes) std::sort(each.identities.begin(), each.identities.end());
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a.identities < b.identities; });
  return nodes;
}

TEST(simulated_fabric, is_discovered_in_bounded_time) {
  const testing::fat_tree tree = simulated_tree();
  const auto start = std::chrono::steady_clock::now();
  const graph machine = discovered();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%zu nodes in %.3f s\n", machine.nodes().size(), seconds);
  EXPECT_LT(seconds, 20);
  for (const topology::finding& each : machine.findings()) ADD_FAILURE() << each.code << ": " << each.message;
  EXPECT_EQ(count_of(machine, node_kind::leaf_switch), static_cast<std::size_t>(tree.leaves));
  EXPECT_EQ(count_of(machine, node_kind::spine_switch), static_cast<std::size_t>(tree.spines));
  EXPECT_EQ(count_of(machine, node_kind::core_switch), 0U);
  EXPECT_EQ(count_of(machine, node_kind::host), static_cast<std::size_t>(tree.leaves * tree.hosts_per_leaf));
  EXPECT_EQ(testing::links_of(machine), static_cast<std::size_t>(tree.leaves * (tree.hosts_per_leaf + tree.spines)));
  for (const topology::edge& each : machine.edges())
    if (each.kind == topology::edge_kind::infiniband) {
      EXPECT_EQ(each.rate, bandwidth{4e9});  // 4x QDR
      EXPECT_EQ(each.source, topology::provenance::reported);
    }
}

TEST(simulated_fabric, becomes_racks_of_hosts) {
  const testing::fat_tree tree = simulated_tree();
  const topology::hosted_hierarchy hosted = topology::derive(discovered()).hosted;
  const auto& levels = hosted.tree.levels();
  ASSERT_EQ(levels.size(), 2U);
  EXPECT_EQ(levels[0].name, "rack");
  EXPECT_EQ(levels[0].units.total(), tree.leaves);
  EXPECT_EQ(levels[0].up.rate, bandwidth{4e9 * tree.spines});
  EXPECT_EQ(levels[1].units.total(), tree.leaves * tree.hosts_per_leaf);
  EXPECT_TRUE(levels[1].units.is_uniform());
  // Leaf l has the hosts l * hosts_per_leaf and following.
  for (std::size_t position = 0; position < hosted.hosts.size(); ++position) {
    const auto leaf_of = [&](const std::string& name) { return std::stoi(name.substr(4)) / tree.hosts_per_leaf; };
    const std::size_t first = position - position % static_cast<std::size_t>(tree.hosts_per_leaf);
    EXPECT_EQ(leaf_of(hosted.hosts[position]), leaf_of(hosted.hosts[first]));
  }
}

TEST(simulated_fabric, is_the_same_in_the_output_of_ibnetdiscover) {
  const graph live = discovered(), told = read_output("ibnetdiscover", "ibnetdiscover.txt");
  EXPECT_EQ(sorted_nodes(live), sorted_nodes(told));
  EXPECT_EQ(links_of(live), links_of(told));
  EXPECT_TRUE(told.findings().empty());
}

TEST(simulated_fabric, has_the_same_links_in_the_output_of_the_other_tools) {
  const std::vector<link_words> links = links_of(discovered());
  EXPECT_EQ(links_of(read_output("ibnetdiscover-p", "ibnetdiscover_p.txt")), links);
  EXPECT_EQ(links_of(read_output("iblinkinfo", "iblinkinfo.txt")), links);
  EXPECT_EQ(links_of(read_output("iblinkinfo", "iblinkinfo_l.txt")), links);
  EXPECT_EQ(testing::links_of(read_output("ibsim-net", "network")), testing::links_of(discovered()));
}

}  // namespace
}  // namespace hawser::discovery
