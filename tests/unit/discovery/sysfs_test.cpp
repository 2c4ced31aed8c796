// Tests the sources that read /sys: trees made here, one quirk each.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include <hawser/topology/merge.hpp>

#include "discovery/live/live_sources.hpp"
#include "discovery/live/network_scan.hpp"
#include "discovery/live/pci_tree.hpp"
#include "support/sysfs_tree.hpp"

namespace hawser::discovery {
namespace {

using hawser::testing::make_dgx;
using hawser::testing::sysfs_tree;
using topology::edge;
using topology::edge_kind;
using topology::graph;
using topology::node_index;
using topology::node_kind;

std::size_t count(const graph& machine, node_kind kind) {
  return static_cast<std::size_t>(std::ranges::count(machine.nodes(), kind, &topology::node::kind));
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
std::string value(const graph& machine, const std::string& identity, const std::string& key) {
  const auto index = machine.find(identity);
  if (!index) return "(no node)";
  const auto& all = machine.nodes()[*index].attributes;
  return all.contains(key) ? all.at(key) : "(none)";
}
// What is above a part in the PCI tree.
const edge& up_link(const graph& machine, const std::string& identity) {
  const node_index part = *machine.find(identity);
  for (auto each : machine.edges_of(part))
    if (machine.edges()[each].kind == edge_kind::pci && machine.edges()[each].b == part) return machine.edges()[each];
  throw std::runtime_error(identity + " has no link");
}
std::string above(const graph& machine, const std::string& identity) {
  return machine.nodes()[up_link(machine, identity).a].name;
}

TEST(system, dgx) {
  sysfs_tree tree;
  make_dgx(tree);
  tree.write("proc/sys/kernel/random/boot_id", "933f5e68");
  const graph machine = live_system.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::gpu), 8u) << "and not the console";
  EXPECT_EQ(count(machine, node_kind::nic), 8u);
  EXPECT_EQ(count(machine, node_kind::cpu), 2u);
  EXPECT_EQ(count(machine, node_kind::pci_switch), 4u) << "ports of switches are not switches";
  EXPECT_EQ(value(machine, "host/n1", "boot_id"), "933f5e68");
  EXPECT_EQ(value(machine, "host/n1/numa/1", "cpus"), "56-111,168-223");
  EXPECT_EQ(value(machine, "host/n1/pci/0000:53:00.0", "numa"), "1");
  EXPECT_EQ(value(machine, "host/n1/pci/0000:53:00.0", "driver"), "nvidia");
  EXPECT_EQ(above(machine, "host/n1/pci/0000:53:00.0"), "n1:0000:51:00.0");
  EXPECT_EQ(above(machine, "host/n1/pci/0000:51:00.0"), "n1:NUMA1");
  EXPECT_EQ(machine.edges_of(*machine.find("host/n1/pci/0000:51:00.0")).size(), 6u) << "host, CPU, 2 GPUs, 2 NICs";
  EXPECT_TRUE(machine.tells(topology::aspect::gpus) && machine.tells(topology::aspect::numa));
  EXPECT_FALSE(machine.tells(topology::aspect::nvlink)) << "GPUs of NVIDIA may have it";
  EXPECT_FALSE(machine.tells(topology::aspect::nics)) << "the interfaces tell";
  EXPECT_TRUE(codes(machine).empty());
}

TEST(system, speed_of_links) {
  sysfs_tree tree;
  make_dgx(tree);
  const graph machine = live_system.discover(tree.environment());
  const edge& gpu = up_link(machine, "host/n1/pci/0000:13:00.0");
  EXPECT_EQ(gpu.attributes.at("speed"), "gen1");
  EXPECT_EQ(gpu.attributes.at("max_speed"), "gen5");
  EXPECT_EQ(gpu.attributes.at("width"), "x16");
  EXPECT_NEAR(gpu.rate->bytes_per_second, 63e9, 1e8) << "it idles, and is fast when it works";
  const edge& nic = up_link(machine, "host/n1/pci/0000:15:00.0");
  EXPECT_NEAR(nic.rate->bytes_per_second, 63e9, 1e8);
  EXPECT_EQ(nic.source, topology::provenance::reported);
}

TEST(system, slow_and_narrow_links) {
  sysfs_tree tree;
  tree.numa(0, "0-7");
  tree.pci("pci0000:00/0000:00:01.0", "0x060400", "0x8086", 0);
  tree.pci_link("pci0000:00/0000:00:01.0", "8.0 GT/s PCIe", 8, "16.0 GT/s PCIe", 8);
  const std::string nic = "pci0000:00/0000:00:01.0/0000:01:00.0";
  tree.pci(nic, "0x020000", "0x15b3", 0);
  tree.pci_link(nic, "8.0 GT/s PCIe", 4, "32.0 GT/s PCIe", 16);
  const graph machine = live_system.discover(tree.environment());
  const edge& link = up_link(machine, "host/n1/pci/0000:01:00.0");
  EXPECT_EQ(above(machine, "host/n1/pci/0000:01:00.0"), "n1:NUMA0");
  EXPECT_EQ(link.attributes.at("width"), "x4");
  EXPECT_EQ(link.attributes.at("max_width"), "x8") << "the slot has no more";
  EXPECT_EQ(link.attributes.at("speed"), "gen3");
  EXPECT_EQ(link.attributes.at("max_speed"), "gen4");
  EXPECT_NEAR(link.rate->bytes_per_second, 3.94e9, 1e7);
}

TEST(system, virtual_machine_without_numa) {
  sysfs_tree tree;
  tree.pci("pci0000:00/0000:00:05.0", "0x030200", "0x10de", -1);
  tree.pci_link("pci0000:00/0000:00:05.0", "Unknown", 0, "Unknown", 255);
  const graph machine = live_system.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::cpu), 1u);
  EXPECT_EQ(above(machine, "host/n1/pci/0000:00:05.0"), "n1:NUMA0") << "there is only one";
  EXPECT_EQ(value(machine, "host/n1/pci/0000:00:05.0", "numa"), "-1");
  const edge& link = up_link(machine, "host/n1/pci/0000:00:05.0");
  EXPECT_FALSE(link.rate);
  EXPECT_TRUE(link.attributes.empty());
  EXPECT_EQ(codes(machine), (std::vector<std::string>{"no-numa", "gpu-without-driver"}));
}

TEST(system, several_numa_nodes_and_a_gpu_at_none) {
  sysfs_tree tree;
  tree.numa(0, "0-3");
  tree.numa(1, "4-7");
  tree.numa(2, "");  // memory of a GPU
  tree.pci("pci0000:00/0000:00:05.0", "0x030200", "0x10de", -1);
  tree.driver("pci0000:00/0000:00:05.0", "vfio-pci");
  const graph machine = live_system.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::cpu), 2u);
  EXPECT_THROW(up_link(machine, "host/n1/pci/0000:00:05.0"), std::runtime_error);
  EXPECT_TRUE(machine.host_of(*machine.find("host/n1/pci/0000:00:05.0")));
  EXPECT_NE(message(machine, "gpu-without-driver").find("vfio-pci"), std::string::npos);
}

TEST(system, parts_by_class_and_vendor) {
  EXPECT_EQ(kind_of_function(0x0302, 0x10de), node_kind::gpu);
  EXPECT_EQ(kind_of_function(0x0300, 0x10de), node_kind::gpu);
  EXPECT_EQ(kind_of_function(0x0380, 0x1002), node_kind::gpu);
  EXPECT_EQ(kind_of_function(0x1200, 0x1002), node_kind::gpu);
  EXPECT_EQ(kind_of_function(0x1200, 0x10ee), std::nullopt) << "a programmable gate array";
  EXPECT_EQ(kind_of_function(0x0300, 0x1a03), std::nullopt);
  EXPECT_EQ(kind_of_function(0x0300, 0x1234), std::nullopt);
  EXPECT_EQ(kind_of_function(0x0200, 0x15b3), node_kind::nic);
  EXPECT_EQ(kind_of_function(0x0207, 0x15b3), node_kind::nic);
  EXPECT_EQ(kind_of_function(0x0680, 0x10de), node_kind::nvswitch);
  EXPECT_EQ(kind_of_function(0x0680, 0x8086), std::nullopt);
  EXPECT_EQ(kind_of_function(0x0403, 0x10de), std::nullopt) << "the sound of a GPU";
}

TEST(system, virtual_functions_are_not_counted) {
  sysfs_tree tree;
  tree.numa(0, "0-7");
  tree.pci("pci0000:00/0000:00:05.0", "0x020000", "0x15b3", 0);
  tree.pci("pci0000:00/0000:00:05.1", "0x020000", "0x15b3", 0);
  tree.link("sys/devices/pci0000:00/0000:00:05.1/physfn", "../0000:00:05.0");
  const graph machine = live_system.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::nic), 1u);
  EXPECT_EQ(codes(machine), (std::vector<std::string>{"no-gpu", "virtual-functions"}));
  EXPECT_TRUE(machine.tells(topology::aspect::nvlink)) << "without GPU there is none";
}

TEST(system, nothing_to_see) {
  sysfs_tree tree;
  live_environment environment = tree.environment();
  environment.root += "/nowhere";
  const graph machine = live_system.discover(environment);
  EXPECT_EQ(machine.nodes().size(), 1u);
  EXPECT_EQ(codes(machine), (std::vector<std::string>{"no-sysfs", "no-pci"}));
  EXPECT_FALSE(machine.tells(topology::aspect::gpus) || machine.tells(topology::aspect::numa));
  EXPECT_EQ(codes(live_network.discover(environment)), std::vector<std::string>{"no-network"});
}

TEST(network, dgx) {
  sysfs_tree tree;
  make_dgx(tree);
  const graph machine = live_network.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::nic), 8u) << "each is known by two names";
  const std::string nic = "host/n1/nic/mlx5_3";
  EXPECT_EQ(machine.find(nic), machine.find("host/n1/nic/ib3"));
  EXPECT_EQ(machine.find(nic), machine.find("host/n1/pci/0000:36:00.0"));
  EXPECT_EQ(machine.find(nic), machine.find("guid/0x946dae0300123403"));
  EXPECT_EQ(machine.nodes()[*machine.find(nic)].name, "n1:mlx5_3");
  EXPECT_EQ(value(machine, nic, "device"), "mlx5_3");
  EXPECT_EQ(value(machine, nic, "interface"), "ib3");
  EXPECT_EQ(value(machine, nic, "link_layer"), "InfiniBand");
  EXPECT_EQ(value(machine, nic, "port_state"), "active");
  EXPECT_EQ(value(machine, nic, "physical_state"), "linkup");
  EXPECT_EQ(value(machine, nic, "rate_mbit"), "400000");
  EXPECT_EQ(value(machine, nic, "width"), "4x");
  EXPECT_EQ(value(machine, nic, "speed"), "NDR");
  EXPECT_EQ(value(machine, nic, "guid"), "0x946dae0300123403");
  EXPECT_EQ(value(machine, nic, "gid"), "fe80:0000:0000:0000:946d:ae03:0012:3456");
  EXPECT_EQ(value(machine, nic, "sm_lid"), "0x1");
  EXPECT_EQ(value(machine, nic, "model"), "MT4129");
  EXPECT_TRUE(machine.tells(topology::aspect::nics));
  EXPECT_TRUE(codes(machine).empty());
}

TEST(network, merges_with_the_pci_tree) {
  sysfs_tree tree;
  make_dgx(tree);
  graph machine = live_network.discover(tree.environment());
  topology::merge(machine, live_system.discover(tree.environment()));
  EXPECT_EQ(count(machine, node_kind::nic), 8u);
  EXPECT_EQ(count(machine, node_kind::host), 1u);
  EXPECT_TRUE(codes(machine).empty());
  EXPECT_EQ(machine.nodes()[*machine.find("host/n1/pci/0000:36:00.0")].name, "n1:mlx5_3");
}

TEST(network, ports) {
  sysfs_tree tree;
  const std::string first = "pci0000:00/0000:00:05.0", second = "pci0000:00/0000:00:06.0";
  tree.rdma("mlx5_0", first, "946d:ae03:0012:3400");
  tree.port("mlx5_0", 1, "InfiniBand", "4: ACTIVE", "5: LinkUp", "25 Gb/sec (1X EDR)");
  tree.rdma("mlx5_1", second, "0000:0000:0000:0000");
  tree.port("mlx5_1", 1, "InfiniBand", "2: INIT", "5: LinkUp", "10 Gb/sec (4X SDR)");
  tree.write("sys/class/net/bonding_masters", "bond0");
  const graph machine = live_network.discover(tree.environment());
  EXPECT_EQ(codes(machine), (std::vector<std::string>{"narrow-link", "port-not-active"}));
  EXPECT_EQ(value(machine, "host/n1/nic/mlx5_0", "width"), "1x");
  EXPECT_EQ(value(machine, "host/n1/nic/mlx5_1", "port_state"), "init");
  EXPECT_EQ(value(machine, "host/n1/nic/mlx5_1", "rate_mbit"), "(none)") << "left over";
  EXPECT_EQ(value(machine, "host/n1/nic/mlx5_1", "guid"), "(none)");
  EXPECT_NE(message(machine, "port-not-active").find("subnet manager"), std::string::npos);
}

TEST(network, roce_and_a_bond) {
  sysfs_tree tree;
  const std::string device = "pci0000:00/0000:00:05.0";
  tree.rdma("rocep5s0", device, "946d:ae03:0012:3400");
  tree.port("rocep5s0", 1, "Ethernet", "4: ACTIVE", "5: LinkUp", "100 Gb/sec (4X EDR)");
  tree.interface("ens5np0", device, "up", "100000");
  tree.link("sys/devices/" + device + "/net/ens5np0/master", "../../../virtual/net/bond0");
  tree.interface("bond0", "virtual", "up", "100000");
  const graph machine = live_network.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::nic), 1u);
  EXPECT_EQ(value(machine, "host/n1/nic/ens5np0", "link_layer"), "Ethernet");
  EXPECT_EQ(value(machine, "host/n1/nic/ens5np0", "device"), "rocep5s0");
  EXPECT_EQ(value(machine, "host/n1/nic/ens5np0", "bond"), "bond0");
  EXPECT_EQ(codes(machine), std::vector<std::string>{"other-interfaces"});
}

TEST(network, what_is_no_fabric) {
  sysfs_tree tree;
  tree.numa(0, "0-7");
  tree.interface("lo", "virtual", "unknown", "");
  tree.interface("docker0", "virtual", "up", "");
  for (int each = 0; each < 20; ++each) tree.interface("veth" + std::to_string(each), "virtual", "up", "10000");
  tree.interface("usb0", "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0", "up", "");
  tree.interface("eth0", "pci0000:00/0000:00:03.0/virtio2", "up", "-1");
  tree.interface("eth1", "vmbus/4f8e", "down", "4294967295");
  tree.rdma("rxe0", "virtual", "506b:4b03:00c8:ae42");
  const graph machine = live_network.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::nic), 2u);
  EXPECT_EQ(machine.find("host/n1/nic/eth0"), machine.find("host/n1/pci/0000:00:03.0"));
  EXPECT_EQ(value(machine, "host/n1/nic/eth0", "rate_mbit"), "(none)");
  EXPECT_EQ(value(machine, "host/n1/nic/eth1", "rate_mbit"), "(none)");
  EXPECT_EQ(value(machine, "host/n1/nic/eth1", "port_state"), "down");
  ASSERT_EQ(codes(machine), std::vector<std::string>{"other-interfaces"});
  const std::string told = message(machine, "other-interfaces");
  EXPECT_NE(told.find("lo"), std::string::npos);
  EXPECT_NE(told.find("and 15 more: made by software"), std::string::npos) << told;
  EXPECT_NE(told.find("usb0: on USB"), std::string::npos) << told;
}

TEST(network, a_virtual_interface_and_the_function_that_carries_it) {
  sysfs_tree tree;
  tree.interface("eth0", "vmbus/4f8e", "up", "100000");
  tree.interface("enP1s2", "pci0001:00/0001:00:02.0", "up", "100000");
  tree.link("sys/devices/pci0001:00/0001:00:02.0/net/enP1s2/master", "../../../../vmbus/4f8e/net/eth0");
  const graph machine = live_network.discover(tree.environment());
  EXPECT_EQ(count(machine, node_kind::nic), 1u);
  EXPECT_TRUE(machine.find("host/n1/nic/enP1s2"));
}

TEST(network, rates) {
  const auto read = [](const char* text) {
    rdma_port port;
    read_rate(text, port);
    return port;
  };
  EXPECT_EQ(read("400 Gb/sec (4X NDR)").mbit, 400000);
  EXPECT_EQ(read("400 Gb/sec (4X NDR)").speed, "NDR");
  EXPECT_EQ(read("800 Gb/sec (4X XDR)").mbit, 800000);
  EXPECT_EQ(read("800 Gb/sec (4X XDR)").speed, "XDR");
  EXPECT_EQ(read("2.5 Gb/sec (1X SDR)").mbit, 2500);
  EXPECT_EQ(read("40 Gb/sec (4X)").width, "4x");
  EXPECT_EQ(read("40 Gb/sec (4X)").speed, "");
  EXPECT_EQ(read("").mbit, std::nullopt);
  EXPECT_EQ(read("fast Gb/sec (4X NDR)").mbit, std::nullopt);
  EXPECT_EQ(read("1e300 Gb/sec (").mbit, std::nullopt);
  EXPECT_EQ(read("400 parsec (4X NDR)").width, "");
}

}  // namespace
}  // namespace hawser::discovery
