// Tests what a fake libnvidia-ml.so.1 tells: machines, old drivers, GPUs that are lost, libraries that are none.
#include "discovery/live/live_sources.hpp"
#include "discovery/live/nvml_query.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include <hawser/topology/identity.hpp>

#ifdef HAWSER_FAKE_NVML
#include "support/nvml_machine.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::testing;  // NOLINT: the machines
using nlohmann::json;
using topology::edge_kind;
using topology::graph;
using topology::node;
using topology::node_index;
using topology::node_kind;

graph told_of(const json& machine, const std::string& library = HAWSER_FAKE_NVML) {
  const nvml_machine fake(machine);
  return live_nvml.discover(fake.seen_through(library));
}

std::vector<node_index> all(const graph& machine, node_kind kind) {
  std::vector<node_index> found;
  for (node_index each = 0; each < machine.nodes().size(); ++each)
    if (machine.nodes()[each].kind == kind) found.push_back(each);
  return found;
}

std::string value(const graph& machine, const std::string& name, const std::string& key) {
  for (const node& each : machine.nodes())
    if (each.name == name) return each.attributes.contains(key) ? each.attributes.at(key) : "(none)";
  return "(no node)";
}

std::size_t nvlinks(const graph& machine, node_index at) {
  return static_cast<std::size_t>(std::ranges::count_if(
      machine.edges_of(at), [&](auto each) { return machine.edges()[each].kind == edge_kind::nvlink; }));
}

std::vector<std::string> codes(const graph& machine) {
  std::vector<std::string> found;
  for (const auto& each : machine.findings()) found.push_back(each.code);
  return found;
}

std::string message(const graph& machine, const std::string& code) {
  for (const auto& each : machine.findings())
    if (each.code == code) return each.message;
  return "(none)";
}

TEST(nvml, dgx_h100) {
  const graph machine = told_of(dgx_h100());
  EXPECT_EQ(all(machine, node_kind::gpu).size(), 8u);
  ASSERT_EQ(all(machine, node_kind::nvswitch).size(), 4u);
  for (node_index gpu : all(machine, node_kind::gpu)) EXPECT_EQ(nvlinks(machine, gpu), 18u);
  std::vector<std::size_t> at_switches;
  for (node_index chip : all(machine, node_kind::nvswitch)) at_switches.push_back(nvlinks(machine, chip));
  EXPECT_EQ(at_switches, (std::vector<std::size_t>{32, 32, 40, 40}));
  EXPECT_EQ(value(machine, "n1:GPU3", "model"), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(value(machine, "n1:GPU3", "pci"), "0000:4b:00.0");
  EXPECT_EQ(value(machine, "n1:GPU3", "index"), "3");
  EXPECT_EQ(value(machine, "n1:GPU3", "minor"), "3");
  EXPECT_EQ(value(machine, "n1:GPU3", "uuid"), "GPU-00000003-1111-2222-3333-444444444444");
  EXPECT_EQ(value(machine, "n1:GPU3", "compute"), "9.0");
  EXPECT_EQ(value(machine, "n1:GPU3", "mig"), "disabled");
  EXPECT_EQ(value(machine, "n1:GPU3", "nvlinks_active"), "18");
  EXPECT_EQ(value(machine, "n1:GPU3", "nvlinks_inactive"), "0");
  EXPECT_EQ(value(machine, "n1:GPU3", "cluster_uuid"), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(value(machine, "n1:GPU3", "fabric_state"), "completed");
  EXPECT_EQ(value(machine, "n1:GPU3", "fabric_status"), "success");
  EXPECT_EQ(value(machine, "n1:GPU3", "fabric_health"), "(none)");  // a mask of zero tells nothing
  EXPECT_EQ(value(machine, "n1", "nvidia_driver"), "580.82.07");
  EXPECT_TRUE(machine.find("host/n1/gpu/3"));
  EXPECT_EQ(machine.find("host/n1/gpu/3"), machine.find("host/n1/pci/0000:4b:00.0"));
  EXPECT_EQ(machine.find("host/n1/gpu/3"), machine.find("uuid/GPU-00000003-1111-2222-3333-444444444444"));
  const auto link = std::ranges::find(machine.edges(), edge_kind::nvlink, &topology::edge::kind);
  EXPECT_DOUBLE_EQ(link->rate->bytes_per_second, 26.562e9);
  EXPECT_EQ(link->source, topology::provenance::reported);
  EXPECT_EQ(link->attributes.at("nvlink"), "4.0");
  EXPECT_TRUE(machine.tells(topology::aspect::gpus) && machine.tells(topology::aspect::nvlink));
  EXPECT_FALSE(machine.tells(topology::aspect::nics));
  EXPECT_TRUE(codes(machine).empty()) << codes(machine).front();
}

TEST(nvml, some_links_hide_what_they_lead_to) {
  json machine = dgx_h100();
  machine["gpus"][2]["links"][7]["bus"] = "hidden";
  machine["gpus"][2]["links"][8].erase("bus");
  machine["gpus"][2]["links"][9]["state"] = 0;
  machine["gpus"][3]["links"][0]["p2p"] = 0;
  const graph told = told_of(machine);
  ASSERT_EQ(all(told, node_kind::nvswitch).size(), 5u);
  EXPECT_EQ(value(told, "n1:NVSwitch", "virtual"), "1");
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/nvswitches")), 2u);
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/gpu/2")), 17u);
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/gpu/3")), 17u);
  EXPECT_EQ(value(told, "n1:GPU2", "nvlinks_active"), "17");
  EXPECT_EQ(value(told, "n1:GPU2", "nvlinks_inactive"), "1");
  EXPECT_EQ(codes(told), std::vector<std::string>{"hidden-nvswitches"});
  EXPECT_NE(message(told, "hidden-nvswitches").find("2 NVLinks"), std::string::npos);
}

TEST(nvml, virtual_machine_without_visible_switches) {
  json machine = dgx_h100();
  for (json& gpu : machine["gpus"]) {
    gpu.erase("fabric");
    for (json& link : gpu["links"]) link["bus"] = "hidden", link["type"] = 255;
  }
  const graph told = told_of(machine);
  ASSERT_EQ(all(told, node_kind::nvswitch).size(), 1u);
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/nvswitches")), 144u);
  EXPECT_TRUE(codes(told).empty());
}

TEST(nvml, gb200_tray_is_part_of_a_clique) {
  const graph machine = told_of(gb200_tray());
  const auto clique = machine.find("clique/3f2a0b1c-4d5e-6f70-8192-a3b4c5d6e7f8/32766");
  ASSERT_TRUE(clique);
  EXPECT_EQ(nvlinks(machine, *clique), 72u);
  EXPECT_EQ(machine.nodes()[*clique].attributes.at("virtual"), "1");
  EXPECT_FALSE(machine.host_of(*clique)) << "it spans hosts";
  EXPECT_EQ(all(machine, node_kind::nvswitch).size(), 1u);
  EXPECT_EQ(value(machine, "n1:GPU1", "cluster_uuid"), "3f2a0b1c-4d5e-6f70-8192-a3b4c5d6e7f8");
  EXPECT_EQ(value(machine, "n1:GPU1", "clique_id"), "32766");
  EXPECT_EQ(value(machine, "n1:GPU1", "fabric_health"), "ok");
  EXPECT_TRUE(codes(machine).empty());
}

TEST(nvml, chip_to_chip_links) {
  json machine = gb200_tray();
  for (json& gpu : machine["gpus"]) gpu["c2c"] = 5;  // the fake's fifth is down
  const nvml_machine fake(machine);
  std::filesystem::create_directories(fake.root() / "sys/bus/pci/devices" / gpu_bus(3));
  std::ofstream(fake.root() / "sys/bus/pci/devices" / gpu_bus(3) / "numa_node") << "1\n";
  const graph told = live_nvml.discover(fake.seen_through(HAWSER_FAKE_NVML));
  EXPECT_EQ(value(told, "n1:GPU0", "c2c_links"), "4");
  const auto cpu = told.find("host/n1/numa/1");
  ASSERT_TRUE(cpu) << "of the one whose NUMA node is known";
  EXPECT_EQ(all(told, node_kind::cpu).size(), 1u);
  const auto of_cpu = [&](const topology::edge& each) {
    return each.kind == edge_kind::interconnect && each.a == *cpu && each.b == *told.find("host/n1/gpu/3");
  };
  EXPECT_EQ(std::ranges::count_if(told.edges(), of_cpu), 4);
  EXPECT_DOUBLE_EQ(std::ranges::find_if(told.edges(), of_cpu)->rate->bytes_per_second, 44.712e9);
}

TEST(nvml, a_fabric_that_is_not_complete_is_no_clique) {
  json machine = gb200_tray();
  for (json& gpu : machine["gpus"]) gpu["fabric"]["state"] = 2;
  const graph told = told_of(machine);
  EXPECT_FALSE(told.find("clique/3f2a0b1c-4d5e-6f70-8192-a3b4c5d6e7f8/32766"));
  EXPECT_EQ(value(told, "n1:GPU1", "fabric_state"), "in_progress");
  EXPECT_EQ(value(told, "n1:GPU1", "fabric_status"), "(none)");
}

TEST(nvml, health_in_words) {
  EXPECT_EQ(nvml::health_in_words(0, std::nullopt), "");
  EXPECT_EQ(nvml::health_in_words(0x2, std::nullopt), "ok");
  EXPECT_EQ(nvml::health_in_words(0x1, std::nullopt), "degraded bandwidth");
  EXPECT_EQ(nvml::health_in_words(0x4 | 0x10 | 0x40, std::nullopt),
            "route recovery, route unhealthy, access timeout recovery");
  EXPECT_EQ(nvml::health_in_words(0x500, std::nullopt), "insufficient NVLinks");
  EXPECT_EQ(nvml::health_in_words(0x100, std::nullopt), "ok");
  EXPECT_EQ(nvml::health_in_words(0xf00, std::nullopt), "incorrect configuration");
  EXPECT_EQ(nvml::health_in_words(0x2000 | 0x8000, std::nullopt), "no partition assigned, fabric manager disconnected");
  EXPECT_EQ(nvml::health_in_words(0x2, 3), "limited capacity");
  EXPECT_EQ(nvml::health_in_words(0x1, 2), "degraded bandwidth");
  EXPECT_EQ(nvml::health_in_words(0, 1), "ok");
}

TEST(nvml, older_and_newer_fabric_structures) {
  json machine = gb200_tray();
  machine["fabric_versions"] = {2};
  for (json& gpu : machine["gpus"]) gpu["fabric"]["health"] = 0x1;
  EXPECT_EQ(value(told_of(machine), "n1:GPU0", "fabric_health"), "degraded bandwidth");
  machine["fabric_versions"] = {4};
  const graph unknown = told_of(machine);
  EXPECT_EQ(value(unknown, "n1:GPU0", "fabric_state"), "(none)");
  EXPECT_EQ(codes(unknown), std::vector<std::string>(4, "fabric-info-unknown"));
  EXPECT_EQ(nvlinks(unknown, *unknown.find("host/n1/nvswitches")), 72u) << "the links are there all the same";
}

TEST(nvml, mig_and_mps) {
  json machine = dgx_h100();
  machine["gpus"][0]["mig"] = 1;
  machine["gpus"][0]["instances"] = {"MIG-aaaa", "MIG-bbbb"};
  machine["gpus"][1]["mps"] = 3;
  machine["gpus"][1]["mode"] = 3;
  machine["gpus"][2]["mode"] = 2;
  const graph told = told_of(machine);
  EXPECT_EQ(value(told, "n1:GPU0", "mig"), "enabled");
  EXPECT_EQ(value(told, "n1:GPU0", "mig_instances"), "MIG-aaaa,MIG-bbbb");
  EXPECT_EQ(told.find("uuid/MIG-bbbb"), told.find("host/n1/gpu/0"));
  EXPECT_EQ(all(told, node_kind::gpu).size(), 8u) << "an instance is not a GPU";
  EXPECT_EQ(value(told, "n1:GPU1", "mps_processes"), "3");
  EXPECT_EQ(value(told, "n1:GPU1", "compute_mode"), "exclusive_process");
  EXPECT_EQ(value(told, "n1:GPU3", "compute_mode"), "(none)");
  EXPECT_EQ(codes(told), (std::vector<std::string>{"mps-active", "compute-prohibited"}));
}

TEST(nvml, old_driver) {
  const graph told = told_of(dgx_h100(), HAWSER_OLD_NVML);
  EXPECT_EQ(all(told, node_kind::gpu).size(), 8u);
  // The old form has no type of the far end, and there is no /sys to look it up: some switch.
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/nvswitches")), 144u);
  const auto link = std::ranges::find(told.edges(), edge_kind::nvlink, &topology::edge::kind);
  EXPECT_DOUBLE_EQ(link->rate->bytes_per_second, 25e9);
  EXPECT_EQ(link->source, topology::provenance::assumed) << "by the generation: this library tells no speed";
  EXPECT_EQ(value(told, "n1:GPU0", "mig"), "(none)");
  EXPECT_EQ(value(told, "n1:GPU0", "fabric_state"), "completed") << "from the structure without version";
  EXPECT_EQ(value(told, "n1:GPU0", "fabric_health"), "(none)");
  ASSERT_EQ(codes(told), std::vector<std::string>{"old-nvml"});
  EXPECT_NE(message(told, "old-nvml").find("nvmlDeviceGetMigMode"), std::string::npos);
}

TEST(nvml, old_driver_finds_switches_by_their_class) {
  const nvml_machine fake(dgx_h100());
  for (const char* chip : {"5", "6", "7", "8"}) {
    const auto folder = fake.root() / "sys/bus/pci/devices" / ("0000:0" + std::string(chip) + ":00.0");
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "class") << "0x068000\n";
  }
  const graph told = live_nvml.discover(fake.seen_through(HAWSER_OLD_NVML));
  EXPECT_EQ(all(told, node_kind::nvswitch).size(), 4u);
  EXPECT_FALSE(told.find("host/n1/nvswitches"));
}

// Two A6000 with a bridge of 4 links, and a third GPU beside them.
json bridged_pair() {
  json machine{{"gpus", json::array()}};
  for (int index = 0; index < 3; ++index) {
    json gpu = a_gpu(index, "NVIDIA RTX A6000");
    for (int link = 0; link < 4 && index < 2; ++link)
      gpu["links"].push_back(a_link(gpu_bus(1 - index), 0, nvlink_3, 14062));
    machine["gpus"].push_back(gpu);
  }
  return machine;
}

TEST(nvml, links_between_a_pair) {
  const graph told = told_of(bridged_pair());
  EXPECT_TRUE(all(told, node_kind::nvswitch).empty());
  EXPECT_EQ(std::ranges::count(told.edges(), edge_kind::nvlink, &topology::edge::kind), 4);
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/gpu/2")), 0u);
  EXPECT_EQ(value(told, "n1:GPU2", "nvlinks_active"), "(none)");
  EXPECT_TRUE(codes(told).empty());
}

TEST(nvml, ends_that_disagree) {
  json machine = bridged_pair();
  machine["gpus"][0]["links"][3]["state"] = 0;
  const graph told = told_of(machine);
  EXPECT_EQ(std::ranges::count(told.edges(), edge_kind::nvlink, &topology::edge::kind), 4);
  EXPECT_EQ(codes(told), std::vector<std::string>{"asymmetric-nvlinks"});
  EXPECT_NE(message(told, "asymmetric-nvlinks").find("4 and 3"), std::string::npos);
}

TEST(nvml, far_ends_that_are_not_here) {
  json machine = bridged_pair();
  for (json& link : machine["gpus"][0]["links"]) link["bus"] = "0000:c1:00.0";  // a GPU outside this container
  for (json& link : machine["gpus"][1]["links"]) link["bus"] = gpu_bus(1);
  const graph told = told_of(machine);
  EXPECT_EQ(std::ranges::count(told.edges(), edge_kind::nvlink, &topology::edge::kind), 0);
  EXPECT_EQ(codes(told), (std::vector<std::string>{"nvlink-to-itself", "hidden-gpus"}));
}

TEST(nvml, links_to_processors) {
  json machine = bridged_pair();
  for (json& link : machine["gpus"][0]["links"]) link["type"] = 1;
  machine["gpus"][1].erase("links");
  const graph told = told_of(machine);
  EXPECT_EQ(value(told, "n1:GPU0", "nvlinks_to_cpu"), "4");
  EXPECT_EQ(std::ranges::count(told.edges(), edge_kind::nvlink, &topology::edge::kind), 0);
}

TEST(nvml, a_lost_gpu_stays) {
  json machine = dgx_h100();
  machine["gpus"][5]["lost"] = 15;
  machine["gpus"][6]["handle"] = 15;
  const graph told = told_of(machine);
  EXPECT_EQ(all(told, node_kind::gpu).size(), 8u);
  EXPECT_EQ(value(told, "n1:GPU5", "lost"), "GPU is lost");
  EXPECT_EQ(value(told, "n1:GPU5", "pci"), gpu_bus(5));
  EXPECT_EQ(value(told, "n1:GPU6", "lost"), "GPU is lost");
  EXPECT_EQ(value(told, "n1:GPU6", "pci"), "(none)");
  EXPECT_EQ(value(told, "n1:GPU7", "lost"), "(none)");
  EXPECT_EQ(nvlinks(told, *told.find("host/n1/gpu/5")), 0u);
}

TEST(nvml, a_lost_gpu_without_bus_id_is_known_by_the_driver) {
  json machine = dgx_h100();
  machine["gpus"][6]["handle"] = 15;
  const nvml_machine fake(machine);
  for (int index = 0; index < 8; ++index)
    std::filesystem::create_directories(fake.root() / "proc/driver/nvidia/gpus" / gpu_bus(index));
  EXPECT_EQ(value(live_nvml.discover(fake.seen_through(HAWSER_FAKE_NVML)), "n1:GPU6", "pci"), gpu_bus(6));
}

TEST(nvml, libraries_that_cannot_be_used) {
  const graph absent = told_of(json::object(), "/nowhere/libnvidia-ml.so.1");
  EXPECT_EQ(codes(absent), std::vector<std::string>{"no-nvidia-driver"});
  EXPECT_NE(message(absent, "no-nvidia-driver").find("/nowhere/libnvidia-ml.so.1"), std::string::npos);
  EXPECT_FALSE(absent.tells(topology::aspect::gpus));
  const graph other = told_of(json::object(), HAWSER_NOT_NVML);
  EXPECT_EQ(codes(other), std::vector<std::string>{"not-nvml"});
  EXPECT_NE(message(other, "not-nvml").find("nvmlInit_v2"), std::string::npos);
  EXPECT_EQ(codes(told_of({{"init", 9}})), std::vector<std::string>{"no-nvidia-driver"});
  const graph updated = told_of({{"init", 18}});
  EXPECT_EQ(codes(updated), std::vector<std::string>{"nvml-failed"});
  EXPECT_EQ(updated.findings().front().level, topology::severity::error);
  EXPECT_NE(message(updated, "nvml-failed").find("reboot"), std::string::npos);
  EXPECT_EQ(codes(told_of({{"gpus", json::array()}})), std::vector<std::string>{"no-nvidia-gpu"});
}

TEST(nvml, a_count_that_cannot_be) {
  json machine = dgx_h100();
  machine["count"] = 4000000000U;
  const graph told = told_of(machine);
  EXPECT_EQ(codes(told), std::vector<std::string>{"nvml-incomplete"});
  EXPECT_FALSE(told.tells(topology::aspect::gpus));
}

}  // namespace
}  // namespace hawser::discovery
#else
TEST(nvml, needs_the_fake_library) {
  GTEST_SKIP() << "the fake libnvidia-ml.so.1 needs nlohmann-json to be built";
}
#endif
