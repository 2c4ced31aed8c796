// Tests htsim's .topo files: real ones against what they say, two and three tiers, and broken files.
#include "discovery/sources/htsim_parse.hpp"

#include <hawser/topology/derive.hpp>
#include <hawser/topology/describe.hpp>

#include "support/simulator_files.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::testing;  // NOLINT: the support of tests
using topology::graph;

graph fixture(const std::string& name) {
  return read_fixture("htsim", name + ".topo");
}
std::string hierarchy_of(const graph& machine) {
  return topology::describe(topology::derive(machine).hosted.tree);
}

// The settings in the order of the file, as its author wrote them.
std::vector<std::string> settings_of(const htsim_format::fat_tree& read, const std::vector<std::string>& in_file) {
  std::vector<std::string> settings;
  const htsim_format::tier* tier = nullptr;
  for (const std::string& each : in_file) {
    const std::string key = each.substr(0, each.find(' '));
    std::optional<int> value;
    if (key == "Tier") {
      tier = &read.tier_of.at(std::stoul(each.substr(5)));
      value = static_cast<int>(tier - read.tier_of.data());
      EXPECT_GT(tier->line, 0u);
    } else if (key == "Nodes")
      value = read.nodes;
    else if (key == "Tiers")
      value = read.tiers;
    else if (key == "Podsize")
      value = read.pod_size;
    else if (key == "Downlink_speed_Gbps")
      value = tier->speed_gbps;
    else if (key == "Radix_Down")
      value = tier->radix_down;
    else if (key == "Radix_Up")
      value = tier->radix_up;
    else if (key == "Bundle")
      value = tier->bundle;
    else if (key == "Oversubscribed")
      value = tier->oversubscribed;
    else if (key == "Downlink_Latency_ns")
      value = tier->latency_ns;
    else if (key == "Switch_Latency_ns")
      value = tier->switch_latency_ns;
    else
      ADD_FAILURE() << "unknown key " << key;
    settings.push_back(key + " " + (value ? std::to_string(*value) : "?"));
  }
  return settings;
}

TEST(htsim, real_files) {
  HAWSER_NEEDS_REAL_FILES();
  const std::map<std::string, std::string> hierarchies{{"simulator/astrasim_8nodes.topo", "pod:2 rack:2 node:2"},
                                                       {"simulator/htsim_fat_tree_1024.topo", "pod:16 rack:8 node:8"},
                                                       {"simulator/htsim_leaf_spine_16_2os.topo", "rack:4 node:4"}};
  std::size_t seen = 0;
  for (const real_file& each : real_files_of("simulator")) {
    if (!each.name.ends_with(".topo")) continue;
    SCOPED_TRACE(each.name);
    ++seen;
    const document file{each.text, each.name};
    EXPECT_EQ(recognise(file).kind, "htsim");
    for (const auto& [key, value] : each.truth.items()) {
      if (key == "settings")
        EXPECT_EQ(settings_of(htsim_format::parse(file), value), value.get<std::vector<std::string>>());
      else
        EXPECT_EQ(key, "_sha256") << "unknown key";
    }
    const graph machine = read_text_as("htsim", each.text, each.name);
    EXPECT_EQ(hierarchy_of(machine), hierarchies.at(each.name));
    EXPECT_TRUE(machine.findings().empty());
  }
  EXPECT_EQ(seen, hierarchies.size());
}

TEST(htsim, three_tiers) {
  const graph machine = fixture("three_tiers");
  auto kinds = kinds_of(machine);
  EXPECT_EQ(kinds["host"], 16);
  EXPECT_EQ(kinds["leaf_switch"], 4);
  EXPECT_EQ(kinds["spine_switch"], 4);
  EXPECT_EQ(kinds["core_switch"], 4);
  EXPECT_EQ(machine.edges().size(), 16u + 4 * 4 + 4 * 6);
  EXPECT_EQ(hierarchy_of(machine), "pod:2 rack:2 node:4");
  const auto tree = topology::derive(machine).hosted.tree;
  EXPECT_EQ(tree.at(2).up.rate.bytes_per_second, 50e9);
  EXPECT_DOUBLE_EQ(tree.at(2).up.latency.count(), 300e-9);
  EXPECT_EQ(tree.at(1).up.rate.bytes_per_second, 4 * 50e9);
  EXPECT_EQ(tree.at(0).up.rate.bytes_per_second, 2 * 6 * 25e9);
  EXPECT_EQ(machine.nodes()[node_named(machine, "LS0")].attributes.at("latency"), "150ns");
  EXPECT_EQ(machine.neighbours(node_named(machine, "US1")).size(), 4u + 6);
  for (const topology::edge_index each : machine.edges_of(node_named(machine, "CS3"))) {
    const std::string& below = machine.nodes()[machine.edges()[each].a].name;
    EXPECT_TRUE(below == "US1" || below == "US3") << below;  // the same spine of each pod
  }
  EXPECT_EQ(codes_of(machine), std::vector<std::string>{"unknown-setting"});
  EXPECT_TRUE(machine.tells(topology::aspect::links));
}

TEST(htsim, two_tiers) {
  const graph machine = fixture("two_tiers");
  EXPECT_EQ(hierarchy_of(machine), "rack:4 node:4");
  EXPECT_EQ(kinds_of(machine)["spine_switch"], 2);
  EXPECT_EQ(codes_of(machine), std::vector<std::string>{"contradictory-oversubscription"});
}

TEST(htsim, malformed) {
  const std::map<std::string, std::pair<std::string, std::string>> expected{
      {"bad_core_radix", {"line 20", "Radix_Down is 7, the uplinks of the pods need 6"}},
      {"bad_leaf_radix", {"line 6", "the hosts of a pod, 8, must be a multiple of Radix_Down, 3"}},
      {"bad_no_radix", {"line 6", "Radix_Up is missing"}},
      {"bad_twice", {"line 10", "radix_up is set twice"}},
      {"bad_tier", {"line 20", "there is no tier 3"}},
      {"bad_number", {"line 9", "\"four\""}},
      {"bad_huge", {"bad_huge", "more than 1572864 hosts and links"}},
      {"bad_tiers", {"its header", "Tiers is 4"}},
      {"bad_no_value", {"line 4", "\"Podsize\" has no value"}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string message = error_of_fixture("htsim", name + ".topo");
    EXPECT_NE(message.find(parts.first), std::string::npos) << message;
    EXPECT_NE(message.find(parts.second), std::string::npos) << message;
  }
}

TEST(htsim, recognition) {
  const auto is = [](const std::string& text) { return file_source_of("htsim").recognises({text, "x"}); };
  EXPECT_TRUE(is("# x\n\nnodes 8\nPODSIZE 4 # y\nTiers 2\nTier 0\n"));
  EXPECT_FALSE(is("Nodes 8\nTiers 2\nTier 0\n"));
  EXPECT_FALSE(is("Nodes=8\nTiers=2\nPodsize=4\n"));
  EXPECT_FALSE(is("NodeName=a\n"));
  EXPECT_FALSE(is(""));
}

TEST(htsim, damage) {
  survives_damage("htsim", 60);
}

}  // namespace
}  // namespace hawser::discovery
