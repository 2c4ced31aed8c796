// Tests Slurm's topology.yaml: real files against what is in them, each plugin, the default, damage.
#include "discovery/sources/slurm_yaml_parse.hpp"

#include <hawser/discovery/source.hpp>

#include "support/placement.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::text_of;
using topology::error_of;
using names = std::vector<std::string>;

std::string fixture(const std::string& name) {
  return std::string(HAWSER_TEST_DATA) + "/data/slurm-yaml/" + name;
}
topology::graph read_fixture(const std::string& name) {
  return file_source_of("slurm-yaml").read({text_of(fixture(name)), fixture(name)}, {});
}

// A topology as TRUTH.md writes it.
json summary_of(const slurm_topology& each) {
  json made = {{"topology", each.name}, {"cluster_default", each.is_cluster_default}, {"type", to_string(each.plugin)}};
  std::size_t hosts = 0;
  for (const switch_record& one : each.switches) hosts += one.hosts.size();
  if (each.plugin == slurm_plugin::tree) made["switches"] = each.switches.size(), made["nodes"] = hosts;
  if (each.plugin == slurm_plugin::block) made["block_sizes"] = each.block_sizes;
  for (const domain_record& one : each.blocks) made["blocks"][one.name] = one.hosts.size();
  if (each.plugin == slurm_plugin::flat) made["flat"] = true;
  for (const auto& [key, text] : each.flat_options) {
    if (!made["flat"].is_object()) made["flat"] = json::object();
    made["flat"][key] = json::parse(text);
  }
  for (const grid_record& one : each.grids)
    if (each.plugin == slurm_plugin::ring)
      made["rings"][one.name] = one.hosts.size();
    else
      made["toruses"].push_back(
          {one.name, {{"x", one.dimensions[0]}, {"y", one.dimensions[1]}, {"z", one.dimensions[2]}}, one.hosts.size()});
  return made;
}

TEST(slurm_yaml, real_files_hold_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (const testing::real_file& each : testing::real_files_of("scheduler")) {
    if (!each.name.ends_with(".yaml")) continue;
    json items = json::array();
    for (const slurm_topology& one : parse_slurm_yaml({each.text, each.name})) items.push_back(summary_of(one));
    EXPECT_EQ((json{{"items", items}, {"_sha256", each.truth["_sha256"]}}), each.truth) << each.name;
    ++files;
  }
  EXPECT_EQ(files, 4);
}

TEST(slurm_yaml, default_topology_is_taken) {
  const topology::graph machine = read_fixture("all_plugins.yaml");
  EXPECT_EQ(testing::codes(machine), (names{"other-topologies", "several-roots"}));
  EXPECT_EQ(testing::levels(machine), (names{"block_4:2", "block:3", "node:6"}));
  EXPECT_TRUE(machine.tells(topology::aspect::hosts));
  EXPECT_FALSE(machine.tells(topology::aspect::switches));
}

TEST(slurm_yaml, rings_and_toruses_keep_positions) {
  const topology::graph rings = read_fixture("rings.yaml");
  EXPECT_EQ(testing::levels(rings), (names{"ring:2", "node:8"}));
  EXPECT_EQ(rings.nodes()[*rings.find("host/n6")].attributes.at("ring_position"), "1");
  const topology::graph torus = read_fixture("torus.yaml");
  EXPECT_EQ(torus.nodes()[*torus.find("host/n4")].attributes.at("torus_position"), "1,1,1");
  EXPECT_EQ(testing::levels(torus), names{"node:4"});
}

TEST(slurm_yaml, flat_says_nothing) {
  const topology::graph flat = read_fixture("flat.yaml");
  EXPECT_EQ(testing::codes(flat), names{"flat-topology"});
  EXPECT_FALSE(flat.tells(topology::aspect::hosts));
}

TEST(slurm_yaml, json_is_yaml) {
  const topology::graph machine = read_fixture("json.yaml");
  EXPECT_EQ(testing::codes(machine), (names{"unknown-key", "undefined-switch"}));
  EXPECT_EQ(testing::count(machine, topology::node_kind::host), 2u);
}

TEST(slurm_yaml, errors_say_line_and_reason) {
  const auto expect = [](const std::string& name, const std::string& where, const std::string& why) {
    const error failure = error_of([&] { read_fixture(name); });
    EXPECT_EQ(failure.code(), errc::parse);
    const std::string text = failure.what();
    EXPECT_NE(text.find(where), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  };
  expect("bad_switches.yaml", "line 3", "must be a list");
  expect("bad_no_plugin.yaml", "line 1", "none of tree");
  expect("bad_two_plugins.yaml", "line 3", "its second");
  expect("bad_list.yaml", "line 5", "a bracket without its pair");
  expect("bad_torus.yaml", "line 5", "z must be");
  expect("bad_yaml.yaml", "line ", "");
}

TEST(slurm_yaml, damaged_fixtures_are_read_or_refused) {
  testing::expect_damage_is_survived("slurm-yaml");
}

}  // namespace
}  // namespace hawser::discovery
