// Tests ASTRA-sim's network YAML: real files against what they say, every shape of a dimension, and broken files.
#include "discovery/sources/astra_sim_parse.hpp"

#include <hawser/topology/derive.hpp>
#include <hawser/topology/describe.hpp>

#include "support/simulator_files.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::testing;  // NOLINT: the support of tests
using astra_sim_format::shape;
using topology::graph;

graph fixture(const std::string& name) {
  return read_fixture("astra-sim", name + ".yml");
}
std::string hierarchy_of(const graph& machine) {
  return topology::describe(topology::derive(machine).hosted.tree);
}

TEST(astra_sim, real_files) {
  HAWSER_NEEDS_REAL_FILES();
  const std::map<std::string, shape> shapes{
      {"Ring", shape::ring}, {"Switch", shape::switched}, {"FullyConnected", shape::fully_connected}};
  int seen = 0;
  for (const real_file& each : real_files_of("simulator")) {
    if (!each.name.ends_with(".yml")) continue;
    SCOPED_TRACE(each.name);
    ++seen;
    const document file{each.text, each.name};
    EXPECT_EQ(recognise(file).kind, "astra-sim");
    const auto read = astra_sim_format::parse(file);
    std::int64_t npus = 1;
    for (const auto& dimension : read) npus *= dimension.npus;
    for (const auto& [key, value] : each.truth.items()) {
      if (key == "_sha256") continue;
      ASSERT_EQ(read.size(), value.size()) << key;
      for (std::size_t d = 0; d < read.size(); ++d) {
        if (key == "topology")
          EXPECT_EQ(read[d].form, shapes.at(value[d]));
        else if (key == "npus_count")
          EXPECT_EQ(read[d].npus, value[d]);
        else if (key == "bandwidth")
          EXPECT_EQ(read[d].gigabytes_per_second, value[d]);
        else if (key == "latency")
          EXPECT_EQ(read[d].nanoseconds, value[d]);
        else
          ADD_FAILURE() << "unknown key " << key;
      }
    }
    const graph machine = read_text_as("astra-sim", each.text, each.name);
    EXPECT_EQ(kinds_of(machine)["gpu"], npus);
    EXPECT_EQ(topology::derive(machine).hosted.tree.size(), npus);
  }
  EXPECT_EQ(seen, 2);
}

TEST(astra_sim, real_hierarchy) {
  HAWSER_NEEDS_REAL_FILES();
  const std::string name = "astrasim_hgx_h100_16gpu.yml";
  const graph machine = read_text_as("astra-sim", text_of(real_files() / "simulator" / name), name);
  const auto tree = topology::derive(machine).hosted.tree;
  EXPECT_EQ(topology::describe(tree), "nvlink_domain:2 gpu:8");
  EXPECT_EQ(tree.at(1).up.rate.bytes_per_second, 400e9);
  EXPECT_DOUBLE_EQ(tree.at(1).up.latency.count(), 936.25e-9);
  EXPECT_EQ(tree.at(0).up.rate.bytes_per_second, 8 * 2 * 50e9);  // a ring of two has two links
  EXPECT_EQ(tree.at(0).up.source, topology::provenance::file);
}

TEST(astra_sim, rings_and_meshes_within_the_domain_are_links) {
  const graph ring = fixture("ring");
  EXPECT_EQ(hierarchy_of(ring), "gpu:6");
  EXPECT_EQ(ring.edges().size(), 6u);
  for (topology::node_index each = 0; each < 6; ++each) EXPECT_EQ(ring.edges_of(each).size(), 2u);
  EXPECT_EQ(codes_of(ring), std::vector<std::string>{"ring-as-switch"});
  const graph mesh = fixture("mesh");
  EXPECT_EQ(hierarchy_of(mesh), "gpu:4");
  EXPECT_EQ(mesh.edges().size(), 6u);
  EXPECT_TRUE(mesh.findings().empty());
  EXPECT_TRUE(mesh.tells(topology::aspect::gpus));
  EXPECT_FALSE(mesh.tells(topology::aspect::hosts));
}

TEST(astra_sim, outer_dimensions_are_tiers) {
  const graph machine = fixture("three_dimensions");
  EXPECT_EQ(hierarchy_of(machine), "rack:3 nvlink_domain:4 gpu:2");
  auto kinds = kinds_of(machine);
  EXPECT_EQ(kinds["gpu"], 24);
  EXPECT_EQ(kinds["leaf_switch"], 6);   // lines of the second dimension
  EXPECT_EQ(kinds["spine_switch"], 8);  // of the third
  EXPECT_EQ(machine.edges().size(), 24u + 24 * 3 + 24);
  EXPECT_EQ(codes_of(machine), std::vector<std::string>{"mesh-as-switch"});
  EXPECT_EQ(machine.nodes()[node_named(machine, "switch1.0")].attributes.at("virtual"), "1");
  EXPECT_FALSE(machine.nodes()[node_named(machine, "switch2.0")].attributes.contains("virtual"));
  std::vector<std::string> line;  // NPUs 1, 3, 5, 7 differ in the second dimension only
  for (const topology::node_index each : machine.neighbours(node_named(machine, "switch1.1")))
    if (line.empty() || line.back() != machine.nodes()[each].name) line.push_back(machine.nodes()[each].name);
  EXPECT_EQ(line, (std::vector<std::string>{"npu1", "npu3", "npu5", "npu7"}));
  const auto tree = topology::derive(machine).hosted.tree;
  EXPECT_EQ(tree.at(1).up.rate.bytes_per_second, 2 * 3 * 100.5e9);
}

TEST(astra_sim, malformed) {
  const std::map<std::string, std::pair<std::string, std::string>> expected{
      {"bad_shape", {"line 2", "\"Star\" is not known"}},
      {"bad_count", {"line 3", "\"npus_count\" has 1 entries, \"topology\" has 2"}},
      {"bad_one_npu", {"line 3", "from 2 on"}},
      {"bad_bandwidth", {"line 4", "more than zero"}},
      {"bad_latency", {"line 5", "\"fast\""}},
      {"bad_huge", {"npus_count", "more than 524288 NPUs"}},
      {"bad_links", {"npus_count", "more than 1048576 links"}},
      {"bad_scalar", {"line 1", "must be a list"}},
      {"bad_comma", {"line 1", "never ends"}},
      {"bad_missing", {"bad_missing", "\"bandwidth\" is missing"}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string message = error_of_fixture("astra-sim", name + ".yml");
    EXPECT_NE(message.find(parts.first), std::string::npos) << message;
    EXPECT_NE(message.find(parts.second), std::string::npos) << message;
  }
}

TEST(astra_sim, recognition) {
  const auto is = [](const std::string& text) { return file_source_of("astra-sim").recognises({text, "x"}); };
  EXPECT_TRUE(is("# x\nnpus_count: [ 2 ]\ntopology: [ Ring ]\n"));
  EXPECT_FALSE(is("- topology: a\n  npus_count: 3\n"));
  EXPECT_FALSE(is("topology:\n  - Ring\n"));
  EXPECT_FALSE(is(""));
}

TEST(astra_sim, damage) {
  survives_damage("astra-sim", 30);
}

}  // namespace
}  // namespace hawser::discovery
