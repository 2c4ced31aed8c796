// Reads a loaded hwloc topology: packages to attributes of NUMA nodes, the PCI tree as the system source has it.
#ifdef HAWSER_HAS_HWLOC

#include "hwloc_tree.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "pci_tree.hpp"
#include "sysfs.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::bus_id;
using topology::node_index;
using topology::node_kind;

namespace {

// They load libraries of GPUs, X servers and OpenCL, which takes seconds and wakes the devices; "x86" and "pci" repeat
// slowly what "linux" reads from /sys.
constexpr std::array unwanted = {"cuda", "nvml", "rsmi", "levelzero", "opencl", "gl", "x86", "pci"};

bus_id id_of(const hwloc_obj_attr_u::hwloc_pcidev_attr_s& pci) {
  return {pci.domain, pci.bus, pci.dev, pci.func};
}

bool is_pci_bridge(hwloc_obj_t each) {
  return each->type == HWLOC_OBJ_BRIDGE && each->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI;
}

// The NUMA node of the nearest object that has CPUs; empty where those are of several.
std::optional<int> numa_of(hwloc_topology_t topology, hwloc_obj_t each) {
  const hwloc_obj_t place = hwloc_get_non_io_ancestor_obj(topology, each);
  if (!place || !place->nodeset || hwloc_bitmap_weight(place->nodeset) != 1) return std::nullopt;
  return hwloc_bitmap_first(place->nodeset);
}

void add_numa_nodes(topology::graph& machine, hwloc_topology_t topology, const std::string& host,
                    node_index host_node) {
  for (hwloc_obj_t each = nullptr;
       (each = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, each)) != nullptr;) {
    if (!each->cpuset || hwloc_bitmap_iszero(each->cpuset)) continue;  // memory alone
    const int number = static_cast<int>(each->os_index);
    const node_index cpu = machine.merge_node({.kind = node_kind::cpu,
                                               .name = host + ":NUMA" + std::to_string(number),
                                               .identities = {identity::numa(host, number)},
                                               .attributes = {{attribute::numa, std::to_string(number)}}});
    machine.contain(host_node, cpu);
    const hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, each);
    if (package) machine.describe(cpu, "package", std::to_string(static_cast<int>(package->os_index)));
    const char* const model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : nullptr;
    if (model) machine.describe(cpu, attribute::model, model);
  }
}

pci_tree tree_of(hwloc_topology_t topology, const std::string& root) {
  pci_tree found;
  for (hwloc_obj_t each = nullptr; (each = hwloc_get_next_pcidev(topology, each)) != nullptr;) {
    const hwloc_obj_attr_u::hwloc_pcidev_attr_s& pci = each->attr->pcidev;
    pci_function function{.id = id_of(pci), .vendor = pci.vendor_id, .device = pci.device_id};
    function.class_code = pci.class_id;
    if (sysfs::exists(root + "/sys/bus/pci/devices/" + to_string(function.id) + "/physfn")) continue;
    for (hwloc_obj_t above = each->parent; above; above = above->parent)
      if (is_pci_bridge(above))
        function.bridges.insert(function.bridges.begin(), id_of(above->attr->bridge.upstream.pci));
    function.near = numa_of(topology, each);
    found.functions.push_back(std::move(function));
  }
  return found;
}

}  // namespace

hwloc_handle new_hwloc() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return {};
  hwloc_handle made(topology);
  for (const char* each : unwanted)  // one that is not there is refused, which is as good
    hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, each);
  hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(topology, HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  return made;
}

hwloc_view load_hwloc() {
  hwloc_view view{new_hwloc()};
  if (!view.topology || hwloc_topology_load(view.topology.get()) != 0)
    return {.problem = std::string("hwloc cannot describe this machine: ") + std::strerror(errno)};
  if (hwloc_topology_is_thissystem(view.topology.get()) == 0)
    return {.problem = "hwloc describes another machine, as a variable like HWLOC_XMLFILE tells it to; it is ignored"};
  return view;
}

topology::graph to_graph(hwloc_topology_t topology, const live_environment& environment) {
  topology::graph machine;
  const node_index host_node = machine.add_node(
      {.kind = node_kind::host, .name = environment.host, .identities = {identity::host(environment.host)}});
  add_numa_nodes(machine, topology, environment.host, host_node);
  machine.tell(topology::aspect::numa);
  add_pci_tree(machine, environment.host, tree_of(topology, environment.root));
  return machine;
}

}  // namespace hawser::discovery

#endif
