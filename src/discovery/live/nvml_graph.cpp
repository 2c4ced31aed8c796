// GPUs as nodes, NVLinks as edges.
#include "nvml_graph.hpp"

#include <algorithm>
#include <map>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "nvml_nvlink.hpp"
#include "sysfs.hpp"

namespace hawser::discovery::nvml {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::node;
using topology::node_index;
using topology::node_kind;
using topology::severity;

namespace {

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& each : all) text.append(text.empty() ? "" : ",").append(each);
  return text;
}

node described(const gpu& each, const std::string& host) {
  node part{.kind = node_kind::gpu, .name = gpu_name(host, each.index)};
  part.identities = {identity::gpu(host, static_cast<int>(each.index))};
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) part.attributes[key] = value;
  };
  set(attribute::index, std::to_string(each.index));
  set(attribute::lost, each.lost);
  set(attribute::model, each.name);
  set(attribute::uuid, each.uuid);
  set(attribute::compute, each.compute);
  set("compute_mode", each.compute_mode);
  if (each.id) {
    part.identities.push_back(identity::pci(host, *each.id));
    set(attribute::pci, to_string(*each.id));
  }
  if (!each.uuid.empty()) part.identities.push_back(identity::uuid(each.uuid));
  if (each.minor) set("minor", std::to_string(*each.minor));
  if (each.has_mig) set(attribute::mig, *each.has_mig ? "enabled" : "disabled");
  // A rank that runs on an instance knows that one's UUID: it is at this GPU.
  for (const std::string& instance : each.mig_uuids) part.identities.push_back(identity::uuid(instance));
  set("mig_instances", joined(each.mig_uuids));
  if (each.mps_processes.value_or(0) > 0) set("mps_processes", std::to_string(*each.mps_processes));
  if (const auto& fabric = each.fabric_info) {
    set(attribute::cluster_uuid, fabric->cluster_uuid);
    set(attribute::clique_id, std::to_string(fabric->clique_id));
    set(attribute::fabric_state, fabric->state);
    set(attribute::fabric_status, fabric->status);
    set(attribute::fabric_health, fabric->health);
  }
  return part;
}

// The CPU is the one whose NUMA node the GPU's PCI function is at.
void add_chip_links(topology::graph& machine, const gpu& each, node_index here, const live_environment& environment) {
  if (each.chip_links == 0) return;
  machine.describe(here, "c2c_links", std::to_string(each.chip_links));
  const std::string folder = environment.root + "/sys/bus/pci/devices/" + (each.id ? to_string(*each.id) : "none");
  const int numa = sysfs::number<int>(folder + "/numa_node").value_or(-1);
  if (numa < 0) return;
  const node_index cpu = machine.merge_node({.kind = node_kind::cpu,
                                             .name = environment.host + ":NUMA" + std::to_string(numa),
                                             .identities = {identity::numa(environment.host, numa)},
                                             .attributes = {{attribute::numa, std::to_string(numa)}}});
  machine.contain(*machine.find(identity::host(environment.host)), cpu);
  for (unsigned link = 0; link < each.chip_links; ++link) {
    topology::edge between{.a = cpu,
                           .b = here,
                           .kind = topology::edge_kind::interconnect,
                           .source = topology::provenance::reported,
                           .attributes = {{"link", "c2c"}}};
    if (each.chip_megabytes.value_or(0) > 0) between.rate = bandwidth{*each.chip_megabytes * 1e6};
    machine.add_edge(std::move(between));
  }
}

void note(topology::graph& machine, const gpu& each, const std::string& name) {
  if (!each.fabric_problem.empty())
    machine.note({severity::info, "fabric-info-unknown", name,
                  "the driver does not tell the state of the NVLink fabric in a form that is known here (" +
                      each.fabric_problem + "): multi-node NVLink is not used"});
  if (each.compute_mode == "prohibited")
    machine.note({severity::warning, "compute-prohibited", name,
                  "its compute mode is \"prohibited\": no program can use it; nvidia-smi -c 0 allows it again"});
  if (each.mps_processes.value_or(0) > 0)
    machine.note(
        {severity::info, "mps-active", name, std::to_string(*each.mps_processes) + " processes share it through MPS"});
}

}  // namespace

std::string gpu_name(const std::string& host, unsigned index) {
  return host + ":GPU" + std::to_string(index);
}

void find_lost(answer& told, const std::string& root) {
  std::vector<gpu*> without;
  for (gpu& each : told.gpus)
    if (!each.id) without.push_back(&each);
  if (without.empty()) return;
  std::vector<topology::bus_id> unclaimed;
  for (const std::string& name : sysfs::names(root + "/proc/driver/nvidia/gpus")) {
    const auto id = topology::parse_bus_id(name);
    if (id && std::ranges::none_of(told.gpus, [&](const gpu& each) { return each.id == *id; }))
      unclaimed.push_back(*id);
  }
  std::ranges::sort(unclaimed);
  if (unclaimed.size() != without.size()) return;
  for (std::size_t each = 0; each < without.size(); ++each) without[each]->id = unclaimed[each];  // both by bus id
}

topology::graph to_graph(const answer& told, const live_environment& environment) {
  const std::string& host = environment.host;
  topology::graph machine;
  const node_index host_node =
      machine.add_node({.kind = node_kind::host, .name = host, .identities = {identity::host(host)}});
  if (!told.driver.empty()) machine.describe(host_node, "nvidia_driver", told.driver);
  for (const gpu& each : told.gpus) {
    const node_index index = machine.merge_node(described(each, host));
    machine.contain(host_node, index);
    add_chip_links(machine, each, index, environment);
    note(machine, each, gpu_name(host, each.index));
  }
  add_nvlinks(machine, told, environment);
  if (!told.is_complete) {
    machine.note({severity::warning, "nvml-incomplete", host,
                  "NVIDIA's management library answered for " + std::to_string(told.gpus.size()) +
                      " GPUs and was then too slow or contradicted itself: others may be missing"});
    return machine;
  }
  machine.tell(topology::aspect::nvlink);
  machine.tell(topology::aspect::gpus);
  if (told.gpus.empty())
    machine.note({severity::info, "no-nvidia-gpu", host, "the NVIDIA driver is loaded and shows no GPU"});
  return machine;
}

}  // namespace hawser::discovery::nvml
