// Host name, NUMA nodes and PCI tree from /sys, without any library.
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "live_sources.hpp"
#include "pci_tree.hpp"
#include "sysfs.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::bus_id;
using topology::node_index;
using topology::node_kind;
using topology::severity;

// Links between NUMA nodes are drawn up to here; their number grows with the square.
constexpr std::size_t most_linked_numa_nodes = 16;

node_index add_cpu(topology::graph& machine, const std::string& host, node_index host_node, int number) {
  const node_index cpu = machine.add_node({.kind = node_kind::cpu,
                                           .name = host + ":NUMA" + std::to_string(number),
                                           .identities = {identity::numa(host, number)},
                                           .attributes = {{attribute::numa, std::to_string(number)}}});
  machine.contain(host_node, cpu);
  return cpu;
}

// Nodes of memory alone (of a GPU, of CXL) hold no thread and no device's root port.
std::vector<int> numa_nodes_with_cpus(const std::string& folder) {
  std::vector<int> found;
  for (const std::string& name : sysfs::names(folder)) {
    if (!name.starts_with("node")) continue;
    const auto number = to_integer<int>(std::string_view(name).substr(4));
    if (number && !sysfs::line(folder + "/" + name + "/cpulist").value_or("").empty()) found.push_back(*number);
  }
  return found;
}

void add_numa_nodes(topology::graph& machine, const live_environment& environment, node_index host_node) {
  const std::string folder = environment.root + "/sys/devices/system/node";
  const std::vector<int> numbers = numa_nodes_with_cpus(folder);
  if (numbers.empty()) {
    if (!sysfs::exists(environment.root + "/sys/devices/system/cpu")) {
      machine.note({severity::info, "no-sysfs", environment.host, "there is no /sys: its parts cannot be listed"});
      return;
    }
    add_cpu(machine, environment.host, host_node, 0);
    machine.note({severity::info, "no-numa", environment.host, "the kernel knows no NUMA nodes: all CPUs are one"});
  }
  std::vector<node_index> cpus;
  for (int number : numbers) {
    cpus.push_back(add_cpu(machine, environment.host, host_node, number));
    machine.describe(cpus.back(), "cpus", *sysfs::line(folder + "/node" + std::to_string(number) + "/cpulist"));
  }
  machine.tell(topology::aspect::numa);
  if (cpus.size() > most_linked_numa_nodes) return;
  for (std::size_t a = 0; a < cpus.size(); ++a)
    for (std::size_t b = a + 1; b < cpus.size(); ++b)
      machine.add_edge({.a = cpus[a],
                        .b = cpus[b],
                        .kind = topology::edge_kind::interconnect,
                        .source = topology::provenance::reported});
}

// A link that is not there reads as 0, 63 or 255 lanes.
int lanes_in(const std::string& file) {
  const int lanes = sysfs::number<int>(file).value_or(0);
  return lanes >= 1 && lanes <= 32 ? lanes : 0;
}

pci_link link_at(const std::string& folder) {
  return {.speed = sysfs::line(folder + "/current_link_speed").value_or(""),
          .max_speed = sysfs::line(folder + "/max_link_speed").value_or(""),
          .width = lanes_in(folder + "/current_link_width"),
          .max_width = lanes_in(folder + "/max_link_width")};
}

// Virtual functions share the port of their physical one, which is listed: they add no bandwidth.
struct scan {
  pci_tree tree;
  std::size_t seen = 0;
  std::size_t virtual_functions = 0;
};

scan scan_pci(const std::string& devices) {
  scan found;
  std::set<bus_id> bridges;
  for (const std::string& name : sysfs::names(devices)) {
    const auto id = topology::parse_bus_id(name);
    if (!id) continue;
    ++found.seen;
    const std::string folder = devices + "/" + name;
    pci_function function{.id = *id};
    function.class_code = sysfs::number<std::uint32_t>(folder + "/class").value_or(0) >> 8;
    function.vendor = sysfs::number<std::uint32_t>(folder + "/vendor").value_or(0);
    if (!kind_of_function(function.class_code, function.vendor)) continue;
    if (sysfs::exists(folder + "/physfn")) {
      ++found.virtual_functions;
      continue;
    }
    function.device = sysfs::number<std::uint32_t>(folder + "/device").value_or(0);
    function.numa = sysfs::number<int>(folder + "/numa_node");
    function.driver = sysfs::link_name(folder + "/driver");
    function.link = link_at(folder);
    function.bridges = sysfs::pci_functions_in(sysfs::link(folder));
    if (!function.bridges.empty()) function.bridges.pop_back();  // the function itself
    bridges.insert(function.bridges.begin(), function.bridges.end());
    found.tree.functions.push_back(std::move(function));
  }
  for (const bus_id& each : bridges) found.tree.bridges.emplace(each, link_at(devices + "/" + to_string(each)));
  return found;
}

void note_gpus(topology::graph& machine, const std::string& host, const scan& pci) {
  std::size_t gpus = 0;
  bool may_have_links = false;
  for (const pci_function& each : pci.tree.functions) {
    if (kind_of_function(each.class_code, each.vendor) != node_kind::gpu) continue;
    ++gpus;
    may_have_links = may_have_links || each.vendor == nvidia_vendor || each.vendor == amd_vendor;
    if (each.vendor == nvidia_vendor && each.driver != "nvidia")
      machine.note({severity::info, "gpu-without-driver",
                    machine.nodes()[*machine.find(identity::pci(host, each.id))].name,
                    each.driver.empty() ? "no driver is bound to this GPU: no program can use it"
                                        : "the driver \"" + each.driver +
                                              "\" is bound to this GPU, not nvidia: no "
                                              "program on this host can use it"});
  }
  machine.tell(topology::aspect::gpus);
  if (!may_have_links) machine.tell(topology::aspect::nvlink);
  if (gpus == 0)
    machine.note({severity::info, "no-gpu", host, "none of its " + std::to_string(pci.seen) + " PCI devices is a GPU"});
}

topology::graph discover(const live_environment& environment) {
  topology::graph machine;
  const std::string& host = environment.host;
  const node_index host_node =
      machine.add_node({.kind = node_kind::host, .name = host, .identities = {identity::host(host)}});
  if (const auto boot = sysfs::line(environment.root + "/proc/sys/kernel/random/boot_id"); boot && !boot->empty())
    machine.describe(host_node, "boot_id", *boot);
  machine.tell(topology::aspect::hosts);
  add_numa_nodes(machine, environment, host_node);
  const std::string devices = environment.root + "/sys/bus/pci/devices";
  if (!sysfs::exists(devices)) {
    machine.note({severity::info, "no-pci", host, "the kernel shows no PCI devices (\"" + devices + "\")"});
    return machine;
  }
  const scan pci = scan_pci(devices);
  add_pci_tree(machine, host, pci.tree);
  note_gpus(machine, host, pci);
  if (pci.virtual_functions > 0)
    machine.note({severity::info, "virtual-functions", host,
                  std::to_string(pci.virtual_functions) +
                      " SR-IOV virtual functions share the links of parts that are listed and are not counted"});
  return machine;
}

}  // namespace

const live_source live_system{"system", "Host name, NUMA nodes and PCI tree from /sys", discover};

}  // namespace hawser::discovery
