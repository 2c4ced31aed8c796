// Tests Slurm's topology.conf: every real file against what is in it, fixtures for each quirk, damage, and speed.
#include "discovery/sources/slurm_conf_parse.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>
#include <set>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "support/placement.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::text_of;
using topology::error_of;
using topology::node_kind;
using names = std::vector<std::string>;

topology::graph read(std::string_view text, std::string_view name = "topology.conf") {
  return file_source_of("slurm-conf").read({text, name}, {});
}
std::string fixture(const std::string& name) {
  return std::string(HAWSER_TEST_DATA) + "/data/slurm-conf/" + name;
}
topology::graph read_fixture(const std::string& name) {
  return read(text_of(fixture(name)), fixture(name));
}

// What TRUTH.md says of a tree, once from the records and once from the graph.
json tree_of(const slurm_conf_document& found, const topology::graph& machine) {
  std::map<std::string, int> times;
  std::set<std::string> defined, undefined;
  std::size_t leaves = 0;
  std::map<std::string, int> histogram;
  for (const switch_record& each : found.switches) defined.insert(each.name);
  for (const switch_record& each : found.switches) {
    for (const std::string& host : each.hosts) ++times[host];
    for (const std::string& child : each.switches)
      if (!defined.contains(child)) undefined.insert(child);
    if (!each.hosts.empty()) ++leaves, ++histogram[std::to_string(each.hosts.size())];
  }
  names repeated;
  std::size_t listed = 0;
  for (const auto& [host, count] : times) {
    listed += static_cast<std::size_t>(count);
    if (count > 1) repeated.push_back(host);
  }
  EXPECT_EQ(testing::count(machine, node_kind::host), times.size());
  EXPECT_EQ(testing::count(machine, node_kind::leaf_switch), leaves);
  return {{"switches", found.switches.size()},
          {"leaf_switches", leaves},
          {"roots", testing::roots(machine)},
          {"depth", testing::depth(machine)},
          {"nodes_listed_more_than_once", repeated},
          {"nodes_listed", listed},
          {"distinct_nodes", times.size()},
          {"undefined_child_switches", undefined},
          {"nodes_per_leaf_histogram", histogram},
          {"block_sizes", nullptr},
          {"commented_out_definitions", found.commented_out}};
}

json blocks_of(const slurm_conf_document& found, const topology::graph& machine) {
  std::map<std::string, std::size_t> sizes;
  for (const domain_record& each : found.blocks) sizes[each.name] = each.hosts.size();
  EXPECT_EQ(testing::hosts_of_domains(machine), sizes);
  return {{"blocks", found.blocks.size()},
          {"nodes_per_block", sizes},
          {"block_sizes", found.block_sizes},
          {"commented_out_definitions", found.commented_out}};
}

TEST(slurm_conf, real_files_hold_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (testing::real_file& each : testing::real_files_of("scheduler")) {
    if (each.name.find("UUIDs") != std::string::npos || each.name.ends_with(".yaml")) continue;
    const slurm_conf_document found = parse_slurm_conf({each.text, each.name});
    const topology::graph machine = read(each.text, each.name);
    json expected;
    if (!found.switches.empty())
      expected = tree_of(found, machine);
    else if (!found.blocks.empty())
      expected = blocks_of(found, machine);
    else
      expected = {{"block_sizes", found.block_sizes},
                  {"commented_out_definitions", found.commented_out},
                  {"definitions", machine.nodes().size()}};
    each.truth.erase("_sha256");
    EXPECT_EQ(expected, each.truth) << each.name;
    ++files;
  }
  EXPECT_EQ(files, 14);
}

TEST(slurm_conf, real_trees_become_hierarchies) {
  HAWSER_NEEDS_REAL_FILES();
  const auto levels = [](const std::string& name) {
    return testing::levels(read(text_of(testing::real_files() / name)));
  };
  EXPECT_EQ(levels("scheduler/slurm_man_example_tree.conf"), (names{"rack:3", "node:18"}));
  EXPECT_EQ(levels("scheduler/slurm_test133_2_topology.conf"),
            (names{"cluster:14", "pod:26", "rack:500", "node:10000"}));
  EXPECT_EQ(levels("scheduler/slurm_test133_4_noroot_topology.conf"), (names{"pod:2", "rack:20", "node:400"}));
  EXPECT_EQ(levels("scheduler/slurm_block8x4_topology.conf"), (names{"block_16:2", "block_8:4", "block:8", "node:32"}));
  EXPECT_EQ(levels("scheduler/azslurm_block_topology.txt"), (names{"block:4", "node:72"}));
  EXPECT_EQ(levels("scheduler/topograph_expected.slinky-dra-block.conf"),
            (names{"block_32:3", "block_16:6", "block:12", "node:96"}));
}

TEST(slurm_conf, tree) {
  const topology::graph machine = read_fixture("tree.conf");
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_TRUE(machine.tells(topology::aspect::hosts));
  EXPECT_TRUE(machine.tells(topology::aspect::switches));
  EXPECT_FALSE(machine.tells(topology::aspect::links));
  const auto leaf = machine.find("switch/s0"), host = machine.find("host/n2");
  ASSERT_TRUE(leaf && host);
  EXPECT_EQ(machine.nodes()[*leaf].attributes.at("link_speed"), "100");
  ASSERT_EQ(machine.edges_of(*host).size(), 1u);
  const topology::edge& link = machine.edges()[machine.edges_of(*host).front()];
  EXPECT_EQ(machine.other_end(machine.edges_of(*host).front(), *host), *leaf);
  EXPECT_EQ(link.kind, topology::edge_kind::ethernet);
  EXPECT_EQ(link.source, topology::provenance::file);
  EXPECT_FALSE(link.rate);
  EXPECT_EQ(testing::levels(machine), (names{"rack:2", "node:4"}));
}

TEST(slurm_conf, lines_as_slurm_reads_them) {
  const slurm_conf_document found = parse_slurm_conf({text_of(fixture("crlf_continued.conf")), "f"});
  ASSERT_EQ(found.switches.size(), 3u);
  EXPECT_EQ(found.switches[1].name, "s1");
  EXPECT_EQ(found.switches[1].hosts, (names{"n3", "n4"}));
  EXPECT_EQ(found.switches[2].switches, (names{"s0", "s1"}));
  EXPECT_EQ(found.commented_out, 0u);
  const slurm_conf_document escaped = parse_slurm_conf({"SwitchName=a\\#1 Nodes=n1\\", "f"});
  EXPECT_EQ(escaped.switches.at(0).name, "a#1");
}

TEST(slurm_conf, roots_and_cycles) {
  const topology::graph two = read_fixture("two_roots.conf");
  EXPECT_EQ(testing::codes(two), names{"several-roots"});
  EXPECT_EQ(testing::levels(two), (names{"rack:2", "node:4"}));
  EXPECT_EQ(two.findings()[0].subject, "s[0-1]");

  const topology::graph cycle = read_fixture("cycle.conf");
  EXPECT_EQ(testing::codes(cycle), (names{"cyclic-switches", "cyclic-switches"}));
  EXPECT_NE(cycle.findings()[0].message.find("a -> b -> c -> a"), std::string::npos) << cycle.findings()[0].message;
  EXPECT_NE(cycle.findings()[1].message.find("self -> self"), std::string::npos) << cycle.findings()[1].message;
  EXPECT_EQ(topology::derive(cycle).hosted.tree.size(), 2);
}

TEST(slurm_conf, contradictions_are_findings) {
  EXPECT_EQ(testing::codes(read_fixture("lost_prefix.conf")), names{"lost-prefix"});
  const topology::graph twice = read_fixture("two_leaves_undefined.conf");
  EXPECT_EQ(testing::codes(twice), (names{"undefined-switch", "host-listed-twice", "host-under-two-leaves"}));
  EXPECT_EQ(twice.findings()[2].subject, "n2");
  EXPECT_EQ(testing::codes(read_fixture("defined_twice.conf")),
            (names{"unknown-key", "switch-defined-twice", "switch-with-hosts-and-switches"}));
  const topology::graph commented = read_fixture("commented_out.conf");
  EXPECT_EQ(testing::codes(commented), (names{"commented-out", "no-definitions"}));
  EXPECT_EQ(commented.findings()[0].message.substr(0, 2), "2 ");
  EXPECT_FALSE(commented.tells(topology::aspect::hosts));
  EXPECT_TRUE(commented.nodes().empty());
}

TEST(slurm_conf, unbalanced_tree_keeps_every_switch) {
  const topology::graph machine = read_fixture("unbalanced.conf");
  EXPECT_EQ(testing::levels(machine), (names{"pod:2", "rack:3", "node:6"}));
  EXPECT_EQ(testing::count(machine, node_kind::leaf_switch), 4u);  // one of them spare
  EXPECT_TRUE(machine.findings().empty());
}

TEST(slurm_conf, blocks) {
  const topology::graph machine = read_fixture("blocks.conf");
  EXPECT_EQ(testing::codes(machine), names{"small-block"});
  EXPECT_EQ(testing::levels(machine), (names{"block_4:2", "block:4", "node:7"}));
  EXPECT_EQ(machine.nodes()[*machine.find("block_4/b3")].name, "b[3-4]");
  EXPECT_FALSE(machine.tells(topology::aspect::switches));
  EXPECT_EQ(testing::codes(read_fixture("illegal_sizes.conf")), (names{"illegal-block-sizes", "unknown-network"}));
  EXPECT_EQ(testing::levels(read_fixture("illegal_sizes.conf")), (names{"block:2", "node:6"}));
  const topology::graph in_tree = read_fixture("blocks_in_tree.conf");
  EXPECT_EQ(testing::levels(in_tree), (names{"block:2", "node:4"}));
  EXPECT_EQ(in_tree.edges()[0].kind, topology::edge_kind::infiniband);
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{0}, {-4}, {4, 6}, {4, 12}, {8, 4}})
    EXPECT_NE(problem_of_block_sizes(sizes), "");
  EXPECT_EQ(problem_of_block_sizes({18, 36, 72}), "");
}

TEST(slurm_conf, includes_only_what_lies_beside_it) {
  const topology::graph machine = read_fixture("include.conf");
  EXPECT_EQ(testing::codes(machine), (names{"include-not-followed", "include-not-followed"}));
  EXPECT_EQ(testing::levels(machine), names{"node:2"});
}

TEST(slurm_conf, what_scontrol_prints_is_what_the_file_said) {
  const topology::graph tree = read_fixture("scontrol_tree.conf");
  EXPECT_EQ(testing::codes(tree), names{});
  EXPECT_EQ(testing::levels(tree), (names{"rack:2", "node:8"}));
  EXPECT_EQ(testing::count(tree, node_kind::spine_switch), 1u);
  const topology::graph blocks = read_fixture("scontrol_blocks.conf");
  EXPECT_EQ(testing::codes(blocks), names{"unknown-network"});
  EXPECT_EQ(testing::levels(blocks), (names{"block:2", "node:8"}));
}

TEST(slurm_conf, errors_say_line_and_reason) {
  const auto message = [](const std::string& name) {
    const error failure = error_of([&] { read_fixture(name); });
    EXPECT_EQ(failure.code(), errc::parse);
    return std::string(failure.what());
  };
  const auto expect = [&](const std::string& name, const std::string& where, const std::string& why) {
    const std::string text = message(name);
    EXPECT_NE(text.find(where), std::string::npos) << text;
    EXPECT_NE(text.find(why), std::string::npos) << text;
  };
  expect("bad_no_key.conf", "line 2", "not KEY=VALUE");
  expect("bad_bracket.conf", "line 1", "a bracket without its pair");
  expect("bad_bomb.conf", "line 1", "more than 500000 names");
  expect("bad_quote.conf", "line 1", "does not end");
  expect("bad_empty_value.conf", "line 1", "is empty");
  expect("bad_no_name.conf", "line 1", "the value of switchname is empty, or has a \"=\": \"Nodes=n[1-2]\"");
  expect("bad_sizes.conf", "line 2", "is not a number");
  expect("bad_include.conf", "line 1", "8 deep");
  std::string chain = "SwitchName=s0 Nodes=n1\n";
  for (int each = 1; each < 70; ++each)
    chain += "SwitchName=s" + std::to_string(each) + " Switches=s" + std::to_string(each - 1) + "\n";
  EXPECT_NE(std::string(error_of([&] { read(chain); }).what()).find("64 levels"), std::string::npos);
}

TEST(slurm_conf, hostile_trees_cost_little) {
  std::string chain, back;  // a chain of 100,000 whose end has every switch below it again
  for (int each = 0; each < 100'000; ++each)
    chain += "SwitchName=s" + std::to_string(each) + " Switches=s" + std::to_string(each + 1) + "\n";
  chain += "SwitchName=s100000 Switches=s[0-99999]\n";
  EXPECT_NE(std::string(error_of([&] { read(chain); }).what()).find("64 levels"), std::string::npos);
  std::string wide = "SwitchName=top Switches=s[0-99999]\nSwitchName=s0 Nodes=n[1-100000]\n";
  EXPECT_EQ(testing::codes(read(wide)).size(), 51u);  // undefined ones, the rest counted
}

TEST(slurm_conf, damaged_fixtures_are_read_or_refused) {
  testing::expect_damage_is_survived("slurm-conf");
}

TEST(slurm_conf, ten_thousand_hosts_load_in_half_a_second) {
  std::string text = "SwitchName=root Switches=group[0-19]\n";
  for (int group = 0; group < 20; ++group)
    text += "SwitchName=group" + std::to_string(group) + " Switches=leaf[" + std::to_string(group * 25) + "-" +
            std::to_string(group * 25 + 24) + "]\n";
  for (int leaf = 0; leaf < 500; ++leaf)
    text += "SwitchName=leaf" + std::to_string(leaf) + " Nodes=n[" + std::to_string(10000 + leaf * 20) + "-" +
            std::to_string(10019 + leaf * 20) + "]\n";
  const auto load_seconds = [](const std::string& what) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(topology::derive(read(what)).hosted.tree.size(), 10000);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double generated = load_seconds(text);
  std::cout << "a generated tree of 10,000 hosts: " << generated << " s\n";
  EXPECT_LT(generated, testing::patience * 0.5);
  if (std::filesystem::exists(testing::real_files())) {
    const double real = load_seconds(text_of(testing::real_files() / "scheduler/slurm_test133_2_topology.conf"));
    std::cout << "Slurm's own tree of 10,000 hosts: " << real << " s\n";
    EXPECT_LT(real, testing::patience * 0.5);
  }
}

}  // namespace
}  // namespace hawser::discovery
