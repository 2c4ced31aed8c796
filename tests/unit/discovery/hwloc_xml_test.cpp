// hwloc XML of versions 2 and 3: what real files say, what becomes of it, errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/nearest.hpp>

#include "discovery/sources/hwloc_xml_parse.hpp"
#include "discovery/sources/sources.hpp"
#include "support/mutate.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using topology::edge;
using topology::edge_kind;
using topology::graph;
using topology::node_index;
using topology::node_kind;

namespace attribute = topology::attribute;

graph read(const std::string& text, const std::string& name = "t.xml") {
  return discovery::read(hwloc_xml, {text, name});
}
std::filesystem::path fixtures() {
  return std::filesystem::path(HAWSER_TEST_DATA) / "data" / "hwloc-xml";
}
graph read_fixture(const std::string& name) {
  EXPECT_TRUE(std::filesystem::exists(fixtures() / name)) << name;
  return read(testing::text_of(fixtures() / name), name);
}
std::map<node_kind, int> count_of(const graph& machine) {
  std::map<node_kind, int> count;
  for (const auto& each : machine.nodes()) ++count[each.kind];
  return count;
}
bool has_finding(const graph& machine, const std::string& code) {
  return std::ranges::any_of(machine.findings(), [&](const auto& each) { return each.code == code; });
}
int links_between(const graph& machine, const std::string& a, const std::string& b) {
  const node_index from = machine.find(a).value(), to = machine.find(b).value();
  return static_cast<int>(std::ranges::count_if(machine.edges(), [&](const edge& each) {
    return each.kind == edge_kind::nvlink && ((each.a == from && each.b == to) || (each.a == to && each.b == from));
  }));
}

json distances(const hwloc::document& file) {
  json all = json::array();
  for (const hwloc::matrix& each : file.matrices) {
    std::map<std::string, int> histogram;
    json values = json::array();
    for (std::uint64_t value : each.values) {
      ++histogram[std::to_string(value)];
      values.push_back(std::to_string(value));
    }
    constexpr std::size_t most_listed = 100;
    if (values.size() > most_listed) values = "omitted (" + std::to_string(each.values.size()) + " values)";
    all.push_back({{"element", each.element},
                   {"name", each.name.empty() ? json() : json(each.name)},
                   {"nbobjs", each.indexes.size()},
                   {"indexes", each.indexes},
                   {"value_histogram", histogram},
                   {"values_row_major", values}});
  }
  return all;
}

json value(const hwloc::document& file, const std::string& key) {
  if (key == "root") return "topology";
  if (key == "version") return std::to_string(file.major) + "." + std::to_string(file.minor);
  if (key == "distances") return distances(file);
  std::map<std::string, int> objects, devices;
  json names = json::array(), nvidia = json::array();
  for (const hwloc::object& each : file.objects) {
    ++objects[each.type];
    if (each.pci_vendor == "10de") nvidia.push_back({to_string(*each.pci), each.pci_class});
    if (each.type != "OSDev") continue;
    names.push_back(each.name);
    ++devices[(each.subtype.empty() ? "-" : each.subtype) + "/osdev_type=" + std::to_string(each.osdev_type)];
  }
  if (key == "object_counts") return objects;
  if (key == "osdev_counts") return devices;
  if (key == "osdev_names") return names;
  if (key == "nvidia_pci_devices") return nvidia;
  ADD_FAILURE() << "TRUTH.md has a key that is not compared: " << key;
  return {};
}

TEST(hwloc_xml, real_files_give_what_a_careful_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  const auto files = testing::real_files_of("hwloc");
  ASSERT_EQ(files.size(), 7u);
  for (const auto& each : files) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(hwloc_xml.recognises({each.text, each.name}));
    const hwloc::document file = hwloc::parse({each.text, each.name});
    for (const auto& [key, expected] : each.truth.items())
      if (!key.starts_with("_")) {
        EXPECT_EQ(value(file, key), expected) << key;
      }
  }
}

TEST(hwloc_xml, real_files_become_graphs) {
  HAWSER_NEEDS_REAL_FILES();
  const auto graph_of = [](const char* name) {
    return read(testing::text_of(testing::real_files() / "hwloc" / name), name);
  };
  const graph dgx2 = graph_of("nvidiaDGX2.xml");
  auto count = count_of(dgx2);
  EXPECT_EQ(count[node_kind::gpu], 16);
  EXPECT_EQ(count[node_kind::nvswitch], 12);
  EXPECT_EQ(count[node_kind::cpu], 2);
  const auto is_link = [](const edge& each) { return each.kind == edge_kind::nvlink && each.rate == bandwidth{25e9}; };
  EXPECT_EQ(std::ranges::count_if(dgx2.edges(), is_link), 16 * 6);
  EXPECT_TRUE(has_finding(dgx2, "assumed-nvswitch-links"));
  const auto tree = topology::derive(dgx2).hosted.tree;
  EXPECT_EQ(tree.size(), 16);
  EXPECT_EQ(tree.depth(), 1);  // one domain of all GPUs

  const graph mixed = graph_of("32em64t-2n8c2t-pci-normalio.xml");
  count = count_of(mixed);
  EXPECT_EQ(count[node_kind::gpu], 4);  // three of NVIDIA and one of AMD; not the Matrox
  EXPECT_EQ(count[node_kind::nic], 3);  // eth0, eth1 and mlx5_0, which is ib0 too
  EXPECT_EQ(mixed.find("host/host/nic/ib0"), mixed.find("host/host/nic/mlx5_0"));
  const auto rail = topology::nearest_nics(mixed, mixed.find("host/host/pci/0000:84:00.0").value());
  EXPECT_EQ(rail.distance, topology::nic_distance::shared_pci_bridge);
  ASSERT_EQ(rail.nics.size(), 1u);
  EXPECT_EQ(mixed.nodes()[rail.nics[0]].attributes.at(attribute::device), "mlx5_0");

  EXPECT_EQ(count_of(graph_of("16intel64-manyVFs.xml"))[node_kind::nic], 6);
  const graph spark = graph_of("nvidia-dgx-gb10.xml");  // no I/O in it: nothing is known of GPUs and NICs
  EXPECT_FALSE(spark.tells(topology::aspect::gpus));
  EXPECT_FALSE(spark.tells(topology::aspect::nics));
  EXPECT_TRUE(spark.tells(topology::aspect::numa));
}

void expect_io(const graph& machine) {
  EXPECT_EQ(count_of(machine), (std::map<node_kind, int>{{node_kind::gpu, 2},
                                                         {node_kind::cpu, 2},
                                                         {node_kind::pci_switch, 1},
                                                         {node_kind::nic, 3},
                                                         {node_kind::host, 1}}));
  const auto node_of = [&](const std::string& id) { return machine.nodes()[machine.find(id).value()]; };
  const auto gpu = node_of("host/worker7/gpu/0");
  EXPECT_EQ(gpu.name, "worker7:GPU0");
  EXPECT_EQ(gpu.attributes.at(attribute::pci), "0000:03:00.0");
  EXPECT_EQ(gpu.attributes.at(attribute::model), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu.attributes.at(attribute::numa), "0");
  EXPECT_TRUE(machine.find("uuid/GPU-11111111-2222-3333-4444-555555555555"));
  const auto nic = node_of("host/worker7/nic/mlx5_0");
  EXPECT_EQ(nic.attributes.at(attribute::guid), "0x248a0703001e39fe");
  EXPECT_EQ(nic.attributes.at(attribute::port_state), "active");
  EXPECT_EQ(nic.attributes.at(attribute::link_layer), "InfiniBand");
  EXPECT_EQ(machine.find("host/worker7/nic/ib0"), machine.find("guid/0x248a0703001e39fe"));
  EXPECT_NE(machine.find("host/worker7/nic/eth0"), machine.find("host/worker7/nic/eth1"));
  EXPECT_EQ(node_of("host/worker7/nic/eth0").attributes.at(attribute::numa), "-1");  // it hangs at the whole machine
  const auto rail = topology::nearest_nics(machine, machine.find("host/worker7/gpu/0").value());
  EXPECT_EQ(rail.distance, topology::nic_distance::shared_pci_bridge);
  ASSERT_EQ(rail.nics.size(), 1u);
  EXPECT_EQ(machine.nodes()[rail.nics[0]].name, "worker7:mlx5_0");
  const auto is_distance = [](const edge& each) {
    return each.kind == edge_kind::interconnect && each.attributes.at("distance") == "21";
  };
  EXPECT_EQ(std::ranges::count_if(machine.edges(), is_distance), 1);
}

TEST(hwloc_xml, io_devices_of_version_3) {
  expect_io(read_fixture("v3_io.xml"));
}
TEST(hwloc_xml, io_devices_of_version_2) {
  expect_io(read_fixture("v2_io.xml"));
}
TEST(hwloc_xml, version_1_has_no_version_and_objects_within_numa_nodes) {
  const graph machine = read_fixture("v1_io.xml");
  const auto node_of = [&](const std::string& id) { return machine.nodes()[machine.find(id).value()]; };
  EXPECT_TRUE(machine.find("host/worker7/numa/0") && machine.find("host/worker7/numa/1"));
  EXPECT_EQ(node_of("host/worker7/pci/0000:03:00.0").attributes.at(attribute::numa), "0");
  EXPECT_EQ(node_of("host/worker7/pci/0000:03:00.0").attributes.at(attribute::model), "Tesla V100");
  EXPECT_EQ(node_of("host/worker7/nic/mlx5_0").attributes.at(attribute::guid), "0x248a0703001e39fe");
  EXPECT_TRUE(machine.tells(topology::aspect::numa) && machine.tells(topology::aspect::gpus));
}

TEST(hwloc_xml, the_bandwidth_of_nvlink_is_that_of_all_links_together) {
  const graph machine = read_fixture("nvswitches.xml");
  EXPECT_EQ(links_between(machine, "host/host/gpu/0", "host/host/pci/0000:61:00.0"), 6);
  EXPECT_EQ(links_between(machine, "host/host/gpu/1", "host/host/pci/0000:61:00.0"), 5);
  EXPECT_TRUE(has_finding(machine, "assumed-nvswitch-links"));
  EXPECT_EQ(links_between(machine, "host/host/pci/0000:61:00.0", "host/host/pci/0000:c1:00.0"), 1);
  EXPECT_TRUE(machine.tells(topology::aspect::nvlink));
}

TEST(hwloc_xml, nvlink_may_lead_to_a_package_and_differ_by_direction) {
  const graph machine = read_fixture("power.xml");
  EXPECT_EQ(links_between(machine, "host/host/gpu/0", "host/host/gpu/1"), 4);  // 40000 and 80000
  EXPECT_EQ(links_between(machine, "host/host/gpu/0", "host/host/numa/0"), 2);
  EXPECT_TRUE(has_finding(machine, "asymmetric-nvlink"));
}

TEST(hwloc_xml, errors_name_the_place_and_the_reason) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"bad_busid.xml", {"topology/object/object, line 3", "pci_busid is \"nowhere\""}},
      {"bad_pci_type.xml", {"object, line 3", "pci_type is \"NVIDIA\""}},
      {"bad_matrix.xml", {"distances2, line 3", "2 indexes and 3 values"}},
      {"bad_size.xml", {"distances2, line 3", "nbobjs must be from 1 to 2000"}},
      {"bad_version.xml", {"topology, line 1", "version 9"}},
      {"bad_empty.xml", {"topology, line 1", "no <object>"}},
      {"bad_unclosed.xml", {"line 3"}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string text = testing::text_of(fixtures() / name);
    const error failure = topology::error_of([&] { read(text, name); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    for (const std::string& part : parts)
      EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << part << "\n" << failure.what();
  }
}

TEST(hwloc_xml, any_mutation_is_read_or_refused) {
  const unsigned seed = topology::test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& entry : std::filesystem::directory_iterator(fixtures())) {
    const std::string text = testing::text_of(entry.path());
    for (int round = 0; round < 100; ++round) {
      try {
        read(testing::mutated(text, random));
      } catch (const error& failure) {
        EXPECT_TRUE(failure.code() == errc::parse) << failure.what();
      }
    }
  }
}

TEST(hwloc_xml, other_xml_is_not_recognised) {
  for (const char* text :
       {"<system version=\"1\"><cpu/></system>", "<topology><node/></topology>", "topology", "", "{}"})
    EXPECT_FALSE(hwloc_xml.recognises({text, "t"})) << text;
  EXPECT_TRUE(
      hwloc_xml.recognises({"<?xml version=\"1.0\"?><!DOCTYPE topology><topology version=\"2.0\"><object/>", "t"}));
}

}  // namespace
}  // namespace hawser::discovery
