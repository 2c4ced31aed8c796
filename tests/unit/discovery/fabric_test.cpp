// The quirks of InfiniBand fabrics, one fixture each, and what the descriptions of devices say.
#include <filesystem>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "discovery/fabric_support.hpp"
#include "discovery/sources/fabric.hpp"
#include "discovery/sources/fabric_names.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using testing::count_of;
using testing::links_of;
using testing::value_of;
using topology::aspect;
using topology::edge;
using topology::error_of;
using topology::graph;
using topology::node;
using topology::node_kind;

graph read(const std::string& kind, const std::string& name) {
  const std::string text = testing::text_of(std::filesystem::path(HAWSER_TEST_DATA) / "data" / kind / name);
  EXPECT_FALSE(text.empty()) << name;
  return file_source_of(kind).read({text, name}, {});
}

const node& part_of(const graph& machine, const std::string& name) {
  for (const node& each : machine.nodes())
    if (each.name == name) return each;
  ADD_FAILURE() << "there is no " << name;
  return machine.nodes().front();
}

/// The link whose ports are `ports` between two parts.
const edge& link_of(const graph& machine, const std::string& a, const std::string& b, const std::string& ports) {
  for (const edge& each : machine.edges())
    if (machine.nodes()[each.a].name == a && machine.nodes()[each.b].name == b &&
        value_of(each.attributes, "ports") == ports)
      return each;
  ADD_FAILURE() << "there is no link " << a << " - " << b << " at ports " << ports;
  return machine.edges().front();
}

std::vector<std::string> codes_of(const graph& machine) {
  std::vector<std::string> codes;
  for (const topology::finding& each : machine.findings()) codes.push_back(each.code);
  return codes;
}

using strings = std::vector<std::string>;

TEST(ibnetdiscover, reads_a_fat_tree) {
  const graph machine = read("ibnetdiscover", "fat_tree.ibnet");
  EXPECT_EQ(count_of(machine, node_kind::host), 3U);
  EXPECT_EQ(count_of(machine, node_kind::leaf_switch), 2U);
  EXPECT_EQ(count_of(machine, node_kind::spine_switch), 2U);  // one is a router
  EXPECT_EQ(links_of(machine), 9U);
  EXPECT_TRUE(machine.findings().empty());
  const node& nic = part_of(machine, "alpha02:mlx5_0");
  EXPECT_EQ(nic.identities, (strings{"guid/0x00b2000000000020", "guid/0x00b2000000000021", "guid/0x00b2000000000022",
                                     "host/alpha02/nic/mlx5_0"}));
  EXPECT_EQ(value_of(nic.attributes, "link_layer"), "InfiniBand");
  EXPECT_EQ(part_of(machine, "beta01.lab.example").identities, (strings{"host/beta01.lab.example", "host/beta01"}));
  EXPECT_EQ(value_of(part_of(machine, "spine-a/S01/U2").attributes, "model"), "MCS8500");
  EXPECT_EQ(link_of(machine, "leaf-b", "beta01.lab.example:HCA-1", "1-1").rate, bandwidth{12.5e9});
  EXPECT_EQ(link_of(machine, "leaf-a", "spine-a/S01/U2", "22-2").rate, bandwidth{25e9});
  EXPECT_EQ(machine.edges().back().source, topology::provenance::file);
  for (const aspect each : {aspect::hosts, aspect::nics, aspect::switches, aspect::links})
    EXPECT_TRUE(machine.tells(each));
  EXPECT_FALSE(machine.tells(aspect::gpus));
  EXPECT_EQ(value_of(part_of(machine, "router one").attributes, "router"), "1");
}

TEST(ibnetdiscover, an_aggregation_node_is_no_host_and_makes_its_switch_reduce) {
  const graph machine = read("ibnetdiscover", "fat_tree.ibnet");
  EXPECT_TRUE(part_of(machine, "leaf-a").can_reduce);
  EXPECT_FALSE(part_of(machine, "leaf-b").can_reduce);
  for (topology::node_index each = 0; each < machine.nodes().size(); ++each) {
    if (!machine.nodes()[each].attributes.contains("aggregation_node")) continue;
    EXPECT_FALSE(machine.host_of(each));
  }
}

TEST(ibnetdiscover, where_the_ends_disagree_the_slower_counts) {
  const graph machine = read("ibnetdiscover", "ends_disagree.ibnet");
  const edge& narrow = link_of(machine, "left", "right", "1-1");
  EXPECT_EQ(narrow.rate, bandwidth{1e9});  // 1x QDR
  EXPECT_EQ(value_of(narrow.attributes, "width"), "4x/1x");
  const edge& slow = link_of(machine, "left", "right", "2-2");
  EXPECT_EQ(slow.rate, bandwidth{1e9});  // 4x SDR
  EXPECT_EQ(value_of(slow.attributes, "speed"), "QDR/SDR");
  EXPECT_EQ(value_of(slow.attributes, "width"), "4x");
}

TEST(ibnetdiscover, a_cable_back_to_the_same_switch_is_told_once) {
  const graph machine = read("ibnetdiscover", "self_loop.ibnet");
  EXPECT_EQ(codes_of(machine), strings{"self-loop"});
  EXPECT_EQ(links_of(machine), 2U);  // both ports of the host
}

TEST(ibnetdiscover, an_excerpt_says_what_it_does_not_know) {
  const graph machine = read("ibnetdiscover", "excerpt.ibnet");
  EXPECT_EQ(codes_of(machine), (strings{"switch-not-listed", "tier-unknown"}));
  EXPECT_EQ(part_of(machine, "Spine-03").kind, node_kind::spine_switch);
  EXPECT_EQ(part_of(machine, "Leaf-101").kind, node_kind::leaf_switch);
  EXPECT_EQ(value_of(part_of(machine, "Leaf-102").attributes, "tier"), "unknown");
  EXPECT_FALSE(machine.tells(aspect::switches));
  EXPECT_FALSE(machine.tells(aspect::hosts));
  EXPECT_FALSE(link_of(machine, "Spine-03", "Leaf-102", "2-23").rate);
}

TEST(ibnetdiscover, unknown_widths_and_speeds_stay_so) {
  const graph machine = read("ibnetdiscover", "unknown_speed.ibnet");
  EXPECT_EQ(codes_of(machine), (strings{"line-ignored", "adapter-without-host"}));
  const std::string leaf = "MT47396 Infiniscale-III Mellanox Technologies";
  EXPECT_FALSE(link_of(machine, leaf, "n1:HCA-1", "1-1").rate);
  EXPECT_EQ(value_of(link_of(machine, leaf, "n1:HCA-1", "1-1").attributes, "width"), "4x");
  EXPECT_FALSE(link_of(machine, leaf, "n2:HCA-1", "2-1").attributes.contains("width"));
  EXPECT_EQ(link_of(machine, leaf, "n5:mlx5_0", "5-1").rate, bandwidth{25e9});  // 2x NDR
}

TEST(ibnetdiscover, contradictions_are_told_and_half_of_them_left_out) {
  const graph machine = read("ibnetdiscover", "contradictions.ibnet");
  EXPECT_EQ(codes_of(machine), (strings{"port-out-of-range", "port-described-twice", "contradictory-link",
                                        "one-sided-link", "contradictory-link"}));
  EXPECT_EQ(links_of(machine), 4U);
  link_of(machine, "left", "right", "1-1");
  link_of(machine, "right", "third", "2-2");
  link_of(machine, "left", "n1:HCA-1", "3-1");
}

TEST(ibnetdiscover, chassis_that_are_listed_twice_count_once) {
  const graph machine = read("ibnetdiscover", "grouped.ibnet");
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_EQ(links_of(machine), 2U);
  EXPECT_EQ(count_of(machine, node_kind::spine_switch), 1U);
  EXPECT_EQ(count_of(machine, node_kind::host), 1U);
  EXPECT_EQ(value_of(machine.edges().back().attributes, "ports"), "13-1");
}

TEST(ibnetdiscover, names_that_manufacturers_give_tell_nothing_apart) {
  const graph machine = read("ibnetdiscover", "same_names.ibnet");
  EXPECT_EQ(codes_of(machine), (strings{"duplicate-guid", "adapter-without-host"}));
  EXPECT_EQ(count_of(machine, node_kind::leaf_switch), 2U);
  const node& leaf = part_of(machine, "Infiniscale-IV Mellanox Technologies 0x00a1000000000002");
  EXPECT_EQ(leaf.identities, strings{"guid/0x00a1000000000002"});
  EXPECT_EQ(part_of(machine, "n1").identities, strings{"host/n1"});
  EXPECT_EQ(part_of(machine, "n1.one").identities, strings{"host/n1.one"});  // perhaps another one
  EXPECT_TRUE(machine.tells(aspect::hosts));  // those that are named; the finding says that there may be others
}

TEST(ibnetdiscover_p, reads_ports) {
  const graph machine = read("ibnetdiscover-p", "ports.txt");
  EXPECT_EQ(codes_of(machine), (strings{"one-sided-link", "switch-not-listed"}));
  EXPECT_EQ(links_of(machine), 5U);
  EXPECT_EQ(count_of(machine, node_kind::nic), 2U);  // two ports of alpha02's are one adapter
  EXPECT_EQ(part_of(machine, "alpha02:HCA-1").identities,
            (strings{"guid/0x00b2000000000021", "guid/0x00b2000000000022"}));
  EXPECT_EQ(value_of(link_of(machine, "leaf-a", "alpha02:HCA-1", "2-1").attributes, "width"), "1x/4x");
  EXPECT_EQ(link_of(machine, "leaf-a", "alpha01:mlx5_0", "1-1").rate, bandwidth{5e9});  // FDR10
  EXPECT_EQ(value_of(part_of(machine, "leaf-b").attributes, "guid"), "0x00a1000000000004");
  EXPECT_EQ(codes_of(read("ibnetdiscover-p", "unquoted.txt")), (strings{"unquoted-name", "tier-unknown"}));
}

TEST(iblinkinfo, joins_what_both_ends_say_by_lid) {
  const graph machine = read("iblinkinfo", "switch.txt");
  EXPECT_EQ(codes_of(machine), strings{"switch-not-listed"});
  EXPECT_EQ(links_of(machine), 4U);
  EXPECT_EQ(link_of(machine, "alpha01:mlx5_0", "leaf-a", "1-1").rate, bandwidth{12.5e9});
  EXPECT_EQ(value_of(link_of(machine, "alpha02:HCA-1", "leaf-a", "1-2").attributes, "speed"), "FDR10");
  const edge& narrow = link_of(machine, "alpha02:HCA-1", "leaf-a", "2-3");
  EXPECT_EQ(value_of(narrow.attributes, "width"), "4x/1x");
  EXPECT_EQ(value_of(narrow.attributes, "max_width"), "4x");
  EXPECT_EQ(value_of(narrow.attributes, "max_speed"), "FDR");
  EXPECT_EQ(part_of(machine, "spine-a").kind, node_kind::spine_switch);
}

TEST(iblinkinfo, tells_switches_from_adapters_in_line_mode) {
  const graph machine = read("iblinkinfo", "lines.txt");
  EXPECT_EQ(testing::switches_by_tier(machine), (std::map<int, std::size_t>{{1, 2}, {2, 1}}));
  EXPECT_EQ(count_of(machine, node_kind::host), 2U);
  EXPECT_EQ(links_of(machine), 4U);
  EXPECT_EQ(value_of(link_of(machine, "leaf-a", "alpha01:mlx5_0", "1-1").attributes, "max_width"), "12x");
  EXPECT_EQ(value_of(link_of(machine, "leaf-a", "alpha01:mlx5_0", "1-1").attributes, "max_speed"), "QDR");
  EXPECT_FALSE(link_of(machine, "spine-a", "leaf-b", "2-2").rate);  // "Extended speed"
}

TEST(iblinkinfo, does_without_lids) {
  const graph machine = read("iblinkinfo", "unmanaged.txt");
  EXPECT_EQ(count_of(machine, node_kind::host), 2U);
  EXPECT_EQ(links_of(machine), 2U);
  EXPECT_EQ(topology::derive(machine).hosted.tree.size(), 2);
}

TEST(ibsim_net, takes_masks_for_widths_and_names_for_hosts) {
  const graph machine = read("ibsim-net", "tree.net");
  EXPECT_TRUE(machine.findings().empty());
  EXPECT_EQ(links_of(machine), 5U);
  EXPECT_EQ(link_of(machine, "Leaf1", "Node1:HCA", "1-1").rate, bandwidth{0.25e9});  // 1x SDR
  EXPECT_EQ(link_of(machine, "Leaf1", "Spine", "8-1").rate, bandwidth{25e9});        // 4x HDR
  EXPECT_EQ(link_of(machine, "Leaf2", "Spine", "8-2").rate, bandwidth{12e9});        // 12x QDR
  EXPECT_FALSE(link_of(machine, "Leaf1", "Node2:HCA", "2-1").rate);
  EXPECT_EQ(topology::derive(machine).hosted.hosts, (strings{"Node1", "Node2", "Node3"}));
  EXPECT_EQ(topology::derive(machine).hosted.tree.levels().size(), 2U);
}

TEST(ibsim_net, names_modules_and_says_what_it_leaves_out) {
  const graph machine = read("ibsim-net", "module.net");
  EXPECT_EQ(codes_of(machine), (strings{"include-ignored", "line-ignored", "one-sided-link"}));
  EXPECT_EQ(count_of(machine, node_kind::leaf_switch), 1U);  // rack1#Leaf, from within and from outside
  EXPECT_EQ(links_of(machine), 2U);
}

TEST(fabric_files, that_are_malformed_are_refused_with_line_and_reason) {
  const std::vector<std::array<std::string, 4>> all = {
      {"ibnetdiscover", "bad_no_record.ibnet", "line 3", "outside of a record"},
      {"ibnetdiscover", "bad_cut.ibnet", "line 3", "cabled to"},
      {"ibnetdiscover", "bad_comment.ibnet", "line 2", "not closed"},
      {"ibnetdiscover", "bad_header.ibnet", "line 3", "number of ports"},
      {"ibnetdiscover", "bad_port_number.ibnet", "line 2", "number of a port"},
      {"ibnetdiscover", "bad_far_port.ibnet", "line 2", "far end's port"},
      {"ibnetdiscover", "bad_no_link.ibnet", "bad_no_link", "no switch and no link"},
      {"ibnetdiscover", "bad_two_kinds.ibnet", "line 4", "two kinds"},
      {"ibnetdiscover-p", "bad_cut.txt", "line 2", "far end's LID"},
      {"ibnetdiscover-p", "bad_name.txt", "line 1", "names of both ends"},
      {"ibnetdiscover-p", "bad_speed.txt", "line 2", "width and speed"},
      {"ibnetdiscover-p", "bad_guid.txt", "line 2", "GUID"},
      {"iblinkinfo", "bad_cut.txt", "line 3", "==>"},
      {"iblinkinfo", "bad_name.txt", "line 2", "in quotes"},
      {"iblinkinfo", "bad_no_device.txt", "line 1", "below no device"},
      {"iblinkinfo", "bad_address.txt", "line 2", "before \"==(\""},
      {"iblinkinfo", "bad_far_address.txt", "line 2", "after \"==>\""},
      {"ibsim-net", "bad_remote.net", "line 2", "no number"},
      {"ibsim-net", "bad_id.net", "line 3", "id in quotes"},
      {"ibsim-net", "bad_empty.net", "bad_empty", "no switch and no channel adapter"},
  };
  for (const auto& [kind, name, where, reason] : all) {
    const error failure = error_of([&, &of = kind, &file = name] { read(of, file); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(where), std::string::npos) << failure.what();
    EXPECT_NE(std::string(failure.what()).find(reason), std::string::npos) << failure.what();
  }
}

TEST(fabric_names, tell_hosts_from_models) {
  const auto host_of = [](const char* text) { return fabric::parse_adapter_name(text).host; };
  EXPECT_EQ(host_of("node01 mlx5_0"), "node01");
  EXPECT_EQ(host_of("node01 HCA-1"), "node01");
  EXPECT_EQ(host_of("node01"), "node01");
  EXPECT_EQ(host_of("RMD701091901003 ibp11s0f0"), "RMD701091901003");
  EXPECT_EQ(host_of("sun mlx4_0"), "sun");  // a host may be called so
  for (const char* model :
       {"MT23108 InfiniHost Mellanox Technologies", "MT25408 ConnectX Mellanox Technologies", "",
        "Mellanox Technologies Aggregation Node", "Voltaire HCA400", "SUN IB QDR GW switch Bridge 0",
        "ConnectX-6 something", "localhost HCA-1", "(none) HCA-1", "H-0008f10403960558", "-x mlx5_0"})
    EXPECT_EQ(host_of(model), "") << model;
  EXPECT_EQ(fabric::parse_adapter_name("node01 HCA-2").device, "HCA-2");
  EXPECT_TRUE(fabric::is_device_name("mlx5_bond_0"));
  EXPECT_FALSE(fabric::is_device_name("HCA-1"));
}

TEST(fabric_names, of_switches_keep_board_and_chip) {
  EXPECT_EQ(fabric::parse_switch_name("MF0;leaf1:MQM8700/U1").name, "leaf1");
  EXPECT_EQ(fabric::parse_switch_name("MF0;core:MCS8500/L01/U1").name, "core/L01");
  EXPECT_EQ(fabric::parse_switch_name("MF0;core:MCS8500/S01/U2").name, "core/S01/U2");
  EXPECT_TRUE(fabric::parse_switch_name("ib-i1l1s01").is_own);
  EXPECT_FALSE(fabric::parse_switch_name("Infiniscale-IV Mellanox Technologies").is_own);
  EXPECT_FALSE(fabric::parse_switch_name("MF0;:").is_own && fabric::parse_switch_name("MF0;:").name.empty());
}

TEST(fabric_speed, is_payload_per_direction) {
  const auto gbit = [](const char* text) { return fabric::parse_link_speed(text).rate()->bytes_per_second * 8e-9; };
  EXPECT_DOUBLE_EQ(gbit("4xSDR"), 8);
  EXPECT_DOUBLE_EQ(gbit("4xQDR"), 32);
  EXPECT_DOUBLE_EQ(gbit("4xFDR10"), 40);
  EXPECT_NEAR(gbit("4xFDR"), 54.5454, 1e-3);
  EXPECT_DOUBLE_EQ(gbit("4xEDR"), 100);
  EXPECT_NEAR(gbit("4xHDR"), 200, 1e-9);
  EXPECT_NEAR(gbit("4xNDR"), 400, 1e-9);
  EXPECT_NEAR(gbit("4xXDR"), 800, 1e-9);
  for (const char* unknown : {"4x???", "?? ???", "3xHDR", "xHDR", "", "4294967297xHDR"})
    EXPECT_FALSE(fabric::parse_link_speed(unknown).rate()) << unknown;
  EXPECT_EQ(fabric::speed_of_signal(25.78125)->name, "EDR");
  EXPECT_EQ(fabric::speed_of_signal(50)->name, "HDR");
  EXPECT_EQ(fabric::speed_of_signal(7), nullptr);
}

}  // namespace
}  // namespace hawser::discovery
