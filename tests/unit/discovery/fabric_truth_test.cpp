// Fabrics of real machines: every key that TRUTH.md has of them.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "discovery/fabric_support.hpp"
#include "discovery/sources/fabric_lines.hpp"
#include "discovery/sources/fabric_names.hpp"
#include "discovery/sources/fabric_records.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using fabric::device;
using fabric::device_kind;
using nlohmann::json;
using testing::count_of;
using testing::links_of;
using topology::node_kind;

/// What a file says, and the graph that follows.
struct read_fabric {
  fabric::model said;
  std::vector<fabric::cable> cables;
  topology::graph machine;
};

read_fabric read(const testing::real_file& file) {
  const document text{file.text, file.name};
  read_fabric found;
  const std::string_view kind = recognise(text).kind;
  if (kind == "ibnetdiscover-p")
    found.said = fabric::parse_port_lines(text);
  else if (kind == "iblinkinfo")
    found.said = fabric::parse_link_lines(text);
  else
    found.said = fabric::parse_records(
        text, kind == "ibsim-net" ? fabric::record_style::ibsim : fabric::record_style::ibnetdiscover);
  fabric::model copy = found.said;
  found.cables = fabric::cables_of(copy);
  found.machine = recognise(text).read(text, {});
  return found;
}

std::size_t devices(const read_fabric& found, device_kind kind, bool described_only) {
  std::size_t number = 0;
  for (const device& each : found.said.devices)
    number += each.kind == kind && (each.is_described || !described_only) ? 1 : 0;
  return number;
}

json histogram(const std::map<std::string, std::size_t>& counted) {
  json object = json::object();
  for (const auto& [key, number] : counted) object[key] = number;
  return object;
}

json speeds_of_links(const read_fabric& found) {
  std::map<std::string, std::size_t> speeds;
  for (const fabric::cable& each : found.cables) {
    const std::string speed = each.at_a.width_text() + each.at_a.speed_text();
    ++speeds[speed.empty() ? "None" : speed];
  }
  return histogram(speeds);
}

json models_of_adapters(const read_fabric& found) {
  std::map<std::string, std::size_t> models;
  for (const device& each : found.said.devices)
    if (each.kind == device_kind::adapter && !is_aggregation_node(each) &&
        fabric::parse_adapter_name(each.description).host.empty())
      ++models[each.description.substr(0, each.description.find(' '))];
  return histogram(models);
}

json adapters_per_host(const read_fabric& found) {
  std::map<std::string, std::size_t> hosts;
  const auto& nodes = found.machine.nodes();
  for (topology::node_index each = 0; each < nodes.size(); ++each)
    if (nodes[each].kind == node_kind::host) ++hosts[std::to_string(found.machine.edges_of(each).size())];
  return histogram(hosts);
}

json levels(const read_fabric& found) {
  std::map<std::string, std::size_t> numbers;
  for (const auto& [tier, number] : testing::switches_by_tier(found.machine)) numbers[std::to_string(tier)] = number;
  return histogram(numbers);
}

json ports_of_leaves(const read_fabric& found) {
  std::map<std::string, std::size_t> leaves;
  const topology::graph& machine = found.machine;
  for (topology::node_index each = 0; each < machine.nodes().size(); ++each) {
    if (machine.nodes()[each].kind != node_kind::leaf_switch || machine.nodes()[each].attributes.contains("tier"))
      continue;
    std::size_t down = 0, up = 0;
    for (topology::node_index other : machine.neighbours(each)) {
      const topology::node& next = machine.nodes()[other];
      if (topology::switch_tier(next) > 0)
        ++up;
      else if (!next.attributes.contains("aggregation_node"))
        ++down;
    }
    ++leaves[std::to_string(down) + ":" + std::to_string(up)];
  }
  return histogram(leaves);
}

json ports_by_host(const read_fabric& found, bool host_first) {
  json object = json::object();
  for (const fabric::cable& each : found.cables) {
    const bool is_adapter = found.said.devices[each.a.device].kind == device_kind::adapter;
    const fabric::port &host = is_adapter ? each.a : each.b, &at = is_adapter ? each.b : each.a;
    const std::string name = fabric::parse_adapter_name(found.said.devices[host.device].description).host;
    if (host_first)
      object[name] = at.number;
    else
      object[std::to_string(at.number)] = name;
  }
  return object;
}

json names_of(const read_fabric& found, device_kind kind) {
  json names = json::array();
  for (const device& each : found.said.devices)
    if (each.kind == kind) names.push_back(each.id);
  std::sort(names.begin(), names.end());
  return names;
}

json ports_of_records(const read_fabric& found) {
  json object = json::object();
  for (const device& each : found.said.devices) object[each.id] = each.ports;
  return object;
}

json between_switches(const read_fabric& found) {
  std::size_t number = 0;
  for (const topology::edge& each : found.machine.edges())
    number += topology::switch_tier(found.machine.nodes()[each.a]) > 0 &&
                      topology::switch_tier(found.machine.nodes()[each.b]) > 0
                  ? 1
                  : 0;
  return number;
}

json port_lines(const read_fabric& found, bool with_peer) {
  std::size_t down = 0;
  for (const device& each : found.said.devices) down += each.down_ports;
  return with_peer ? found.said.ends.size() : down;
}

json speeds_of_lines(const read_fabric& found) {
  std::map<std::string, std::size_t> speeds;
  for (const fabric::cable_end& each : found.said.ends) ++speeds[each.speed.width_text() + each.speed.speed_text()];
  return histogram(speeds);
}

json disagreeing(const read_fabric& found) {
  std::size_t number = 0;
  for (const topology::edge& each : found.machine.edges())
    number += (testing::value_of(each.attributes, "width") + testing::value_of(each.attributes, "speed")).find('/') !=
                      std::string::npos
                  ? 1
                  : 0;
  return number;
}

json self_loops(const read_fabric& found) {
  std::size_t number = 0;
  for (const topology::finding& each : found.machine.findings()) number += each.code == "self-loop" ? 1 : 0;
  return number;
}

std::size_t aggregation_nodes(const read_fabric& found) {
  std::size_t number = 0;
  for (const device& each : found.said.devices) number += is_aggregation_node(each) ? 1 : 0;
  return number;
}

const fabric::link_speed& speed_of_first(const read_fabric& found) {
  return found.cables.at(0).at_a;
}

/// By key of TRUTH.md; null where it is said in words.
const std::map<std::string, std::function<json(const read_fabric&)>>& readings() {
  static const std::map<std::string, std::function<json(const read_fabric&)>> all = {
      {"lines", [](const read_fabric& f) { return port_lines(f, true); }},
      {"switches", [](const read_fabric& f) { return names_of(f, device_kind::network_switch); }},  // or their number
      {"links", [](const read_fabric& f) -> json { return links_of(f.machine); }},
      {"lane_gbps", [](const read_fabric& f) -> json { return speed_of_first(f).each->signal_gbit; }},
      {"width", [](const read_fabric& f) -> json { return std::to_string(speed_of_first(f).lanes) + "X"; }},
      {"speed_name", [](const read_fabric& f) -> json { return speed_of_first(f).speed_text(); }},
      {"hosts_by_switch_port", [](const read_fabric& f) { return ports_by_host(f, false); }},
      {"host_to_switch_port", [](const read_fabric& f) { return ports_by_host(f, true); }},
      {"below_capability",
       [](const read_fabric& f) -> json { return f.machine.edges().back().attributes.contains("max_speed"); }},
      {"cas", [](const read_fabric& f) -> json { return devices(f, device_kind::adapter, true); }},
      {"down_ports_listed", [](const read_fabric& f) { return port_lines(f, false); }},
      {"note", nullptr},
      {"_sha256", nullptr},
      {"lines_with_peer", [](const read_fabric& f) { return port_lines(f, true); }},
      {"lines_without_peer", [](const read_fabric& f) { return port_lines(f, false); }},
      {"speed_histogram_of_lines_with_peer", speeds_of_lines},
      {"distinct_ca_guids", [](const read_fabric& f) -> json { return count_of(f.machine, node_kind::nic); }},
      {"distinct_switch_guids",
       [](const read_fabric& f) -> json { return devices(f, device_kind::network_switch, false); }},
      {"hcas", [](const read_fabric& f) { return names_of(f, device_kind::adapter); }},
      {"ports", ports_of_records},
      {"switch_to_switch_links", between_switches},
      {"switch_records", [](const read_fabric& f) -> json { return devices(f, device_kind::network_switch, true); }},
      {"ca_records", [](const read_fabric& f) -> json { return devices(f, device_kind::adapter, true); }},
      {"distinct_switches_incl_referenced",
       [](const read_fabric& f) -> json { return devices(f, device_kind::network_switch, false); }},
      {"distinct_cas_incl_referenced",
       [](const read_fabric& f) -> json { return count_of(f.machine, node_kind::nic); }},
      {"link_speed_histogram", speeds_of_links},
      {"self_loop_links", self_loops},
      {"ca_descriptions_that_are_not_host_names", models_of_adapters},
      {"hosts_by_first_word_of_ca_description",
       [](const read_fabric& f) -> json { return count_of(f.machine, node_kind::host); }},
      {"cas_per_host_histogram", adapters_per_host},
      {"sharp_aggregation_cas", [](const read_fabric& f) -> json { return aggregation_nodes(f); }},
      {"switches_per_level_(1=has_hosts)", levels},
      {"leaf_down_to_up_port_counts", ports_of_leaves},
      {"links_whose_two_ends_report_different_width_speed", disagreeing},
  };
  return all;
}

TEST(fabric_truth, holds_key_by_key) {
  HAWSER_NEEDS_REAL_FILES();
  const std::vector<testing::real_file> files = testing::real_files_of("ib_fabric");
  EXPECT_GE(files.size(), 10U);
  for (const testing::real_file& file : files) {
    const read_fabric found = read(file);
    for (const auto& [key, value] : file.truth.items()) {
      const auto reading = readings().find(key);
      ASSERT_NE(reading, readings().end()) << file.name << ": the test does not know " << key;
      json own = reading->second ? reading->second(found) : value;
      if (key == "switches" && value.is_number()) own = devices(found, device_kind::network_switch, false);
      EXPECT_EQ(own, value) << file.name << ": " << key;
    }
  }
}

TEST(fabric_truth, of_a_director_and_its_leaves_becomes_racks_and_pods) {
  HAWSER_NEEDS_REAL_FILES();
  const std::string name = "ib_fabric/superbench_hdr_3level.ibnet";
  const std::string text = testing::text_of(testing::real_files() / name);
  const topology::graph machine = file_source_of("ibnetdiscover").read({text, name}, {});
  const topology::hierarchy tree = topology::derive(machine).hosted.tree;
  const auto& levels = tree.levels();
  ASSERT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[0].units.total(), 2);   // below one line board each
  EXPECT_EQ(levels[1].units.total(), 5);   // leaves
  EXPECT_EQ(levels[2].units.total(), 10);  // hosts
  EXPECT_EQ(levels[2].up.rate, bandwidth{25e9});
  EXPECT_TRUE(machine.tells(topology::aspect::hosts));
  EXPECT_TRUE(machine.tells(topology::aspect::switches));
}

TEST(fabric_truth, of_excerpts_leaves_open_what_they_leave_out) {
  HAWSER_NEEDS_REAL_FILES();
  const std::string name = "ib_fabric/topograph_ib_test_2.ibnet";
  const std::string text = testing::text_of(testing::real_files() / name);
  const topology::graph machine = file_source_of("ibnetdiscover").read({text, name}, {});
  for (const topology::aspect each : {topology::aspect::hosts, topology::aspect::nics, topology::aspect::switches})
    EXPECT_FALSE(machine.tells(each));
  EXPECT_TRUE(machine.tells(topology::aspect::links));
}

TEST(fabric_truth, malformed_files_end_as_it_expects) {
  HAWSER_NEEDS_REAL_FILES();
  std::set<std::string> seen;
  for (const testing::real_file& file : testing::real_files_of("malformed")) {
    if (file.name == "malformed/ibnetdiscover_p_unquoted.txt") {
      const read_fabric found = read(file);
      EXPECT_EQ(found.said.devices.size(), file.truth["lines"]);
      EXPECT_EQ(found.said.devices[0].description, "Infiniscale-IV Mellanox Technologies");
      EXPECT_TRUE(found.cables.empty());
      seen.insert(file.name);
    }
    if (file.name == "malformed/topograph_ca_without_links.ibnet") {
      const document text{file.text, file.name};
      const error failure = topology::error_of([&] { recognise(text).read(text, {}); });
      EXPECT_EQ(failure.code(), errc::parse);
      EXPECT_NE(std::string(failure.what()).find("no switch and no link"), std::string::npos) << failure.what();
      seen.insert(file.name);
    }
  }
  EXPECT_EQ(seen.size(), 2U);
}

}  // namespace
}  // namespace hawser::discovery
