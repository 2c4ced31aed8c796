// Tests Topograph's models and NetQ's nodes: real files against what is in them, older generations, damage.
#include "discovery/sources/topograph_parse.hpp"

#include <set>

#include <hawser/discovery/source.hpp>

#include "support/placement.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::text_of;
using topology::error_of;
using topology::node_kind;
using names = std::vector<std::string>;

topology::graph read(const std::string& text, const std::string& name) {
  return file_source_of("topograph").read({text, name}, {});
}
topology::graph read_fixture(const std::string& name) {
  const std::string path = std::string(HAWSER_TEST_DATA) + "/data/topograph/" + name;
  return read(text_of(path), path);
}

std::size_t switches_of(const topology::graph& machine) {
  return testing::count(machine, node_kind::leaf_switch) + testing::count(machine, node_kind::spine_switch) +
         testing::count(machine, node_kind::core_switch);
}

json summary_of(const topograph_document& found, const topology::graph& machine) {
  if (!found.netq_nodes.empty()) {
    std::map<std::string, int> domains;
    for (const netq_node& each : found.netq_nodes) ++domains[each.domain];
    return {{"nodes", testing::count(machine, node_kind::host)},
            {"domains", domains},
            {"gpus", testing::count(machine, node_kind::gpu)}};
  }
  json blocks = json::array();
  for (const capacity_block& each : found.blocks)
    blocks.push_back({each.switch_name, each.hosts.size(), each.annotations});
  return {{"switch_keys", found.switches.size()},
          {"blocks", found.blocks.size()},
          {"nodes", testing::count(machine, node_kind::host)},
          {"block_list(switch,nodes,annotations)", blocks},
          {"roots", testing::roots(machine)},
          {"declared_switches_incl_children", switches_of(machine)}};
}

TEST(topograph, real_files_hold_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (testing::real_file& each : testing::real_files_of("topograph_model")) {
    each.truth.erase("_sha256");
    const topology::graph machine = read(each.text, each.name);
    EXPECT_EQ(summary_of(parse_topograph({each.text, each.name}), machine), each.truth) << each.name;
    EXPECT_TRUE(machine.findings().empty()) << each.name;
    ++files;
  }
  EXPECT_EQ(files, 4);
}

TEST(topograph, real_models_become_hierarchies) {
  HAWSER_NEEDS_REAL_FILES();
  const auto levels = [](const std::string& name) {
    return testing::levels(read(text_of(testing::real_files() / name), name));
  };
  EXPECT_EQ(levels("topograph_model/nvl72.yaml"), (names{"pod:2", "rack:4", "node:72"}));
  EXPECT_EQ(levels("topograph_model/medium.yaml"), (names{"pod:2", "rack:4", "node:8"}));
  EXPECT_EQ(levels("topograph_model/netq_computeNodes.json").back(), "gpu:8");
}

TEST(topograph, model) {
  const topology::graph machine = read_fixture("model.yaml");
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_TRUE(machine.tells(topology::aspect::hosts) && machine.tells(topology::aspect::switches));
  EXPECT_EQ(switches_of(machine), 7u);
  EXPECT_EQ(testing::hosts_of_domains(machine), (std::map<std::string, std::size_t>{{"d1", 4}, {"d2", 2}}));
  EXPECT_EQ(testing::levels(machine), (names{"pod:2", "node:6"}));
  EXPECT_EQ(machine.nodes()[*machine.find("switch/s1")].attributes.at("topology.kubernetes.io/zone"), "z1");
  EXPECT_EQ(machine.nodes()[*machine.find("host/n03")].attributes.at("accelerator_sub_domain"), "r2");
}

TEST(topograph, older_generations_say_the_same) {
  for (const char* name : {"old_list.yaml", "old_nodes.yaml"}) {
    const topology::graph machine = read_fixture(name);
    EXPECT_TRUE(machine.findings().empty()) << name;
    EXPECT_EQ(testing::levels(machine), (names{"rack:2", "node:4"})) << name;
    EXPECT_EQ(testing::hosts_of_domains(machine).at("nvl1"), 2u) << name;
  }
}

TEST(topograph, contradictions_are_findings) {
  const topology::graph machine = read_fixture("cycle.yaml");
  EXPECT_EQ(testing::codes(machine), (names{"cyclic-switches", "host-under-two-leaves"}));
  const topology::graph netq = read_fixture("netq.json");
  EXPECT_EQ(testing::codes(netq), (names{"unhealthy-node", "no-domain", "unknown-network"}));
  EXPECT_TRUE(netq.tells(topology::aspect::gpus));
}

TEST(topograph, errors_say_line_and_reason) {
  const auto expect = [](const std::string& name, const std::string& where, const std::string& why) {
    const error failure = error_of([&] { read_fixture(name); });
    EXPECT_EQ(failure.code(), errc::parse);
    const std::string text = failure.what();
    EXPECT_NE(text.find(where), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  };
  expect("bad_switches.yaml", "line 1", "must be a map");
  expect("bad_children.yaml", "line 1", "must be a list");
  expect("bad_empty.yaml", "bad_empty.yaml", "no switch and no node");
  expect("bad_bomb.yaml", "line 2", "more than 500000 names");
  expect("bad_no_name.json", "bad_no_name.json", "the key \"Name\" is missing");
}

TEST(topograph, damaged_fixtures_are_read_or_refused) {
  testing::expect_damage_is_survived("topograph");
}

}  // namespace
}  // namespace hawser::discovery
