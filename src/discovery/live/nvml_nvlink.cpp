// NVLinks to edges: directly between GPUs, to switches that are visible, or to one that stands for all that are not.
#include "nvml_nvlink.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "nvml_graph.hpp"
#include "pci_tree.hpp"
#include "sysfs.hpp"

namespace hawser::discovery::nvml {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::bus_id;
using topology::edge;
using topology::edge_kind;
using topology::node_index;
using topology::node_kind;
using topology::provenance;
using topology::severity;

namespace {

constexpr const char* zero_uuid = "00000000-0000-0000-0000-000000000000";

struct generation {
  const char* name;
  double gigabytes;  // per second, one direction: NVIDIA's data sheets of P100, V100, A100, H100, B200, Rubin
};
generation generation_of(unsigned version) {
  switch (static_cast<link_version>(version)) {
    case link_version::v1: return {"1.0", 20};
    case link_version::v2: return {"2.0", 25};
    case link_version::v2_2: return {"2.2", 25};
    case link_version::v3: return {"3.0", 25};
    case link_version::v3_1: return {"3.1", 25};
    case link_version::v4: return {"4.0", 25};
    case link_version::v5: return {"5.0", 50};
    case link_version::v6: return {"6.0", 100};
  }
  return {"", 0};
}

// What the driver says, else the generation's figure, which is an assumption.
edge figures_of(const link& each) {
  edge between{.kind = edge_kind::nvlink, .source = provenance::reported};
  const generation known = generation_of(each.version.value_or(0));
  if (each.megabytes.value_or(0) > 0)
    between.rate = bandwidth{*each.megabytes * 1e6};
  else if (known.gigabytes > 0)
    between.rate = bandwidth{known.gigabytes * 1e9}, between.source = provenance::assumed;
  between.attributes["link"] = std::to_string(each.number);
  if (*known.name != '\0') between.attributes["nvlink"] = known.name;
  return between;
}

enum class far_end { own_gpu, other_gpu, itself, visible_switch, hidden_switch, cpu };

class builder {
 public:
  builder(topology::graph& machine, const answer& told, const live_environment& environment)
      : machine_(machine), told_(told), environment_(environment) {
    for (const gpu& each : told.gpus)
      if (each.id)
        gpu_at_.emplace(*each.id, *machine.find(identity::gpu(environment.host, static_cast<int>(each.index))));
  }

  void run() {
    for (const gpu& each : told_.gpus) add(each);
    join_pairs();
    if (hidden_links_ > 0 && domain_of_host_ && !switch_at_.empty())
      machine_.note({severity::info, "hidden-nvswitches", environment_.host,
                     std::to_string(hidden_links_) + " NVLinks lead to switches that the driver does not name"});
    if (foreign_links_ > 0)
      machine_.note({severity::info, "hidden-gpus", environment_.host,
                     std::to_string(foreign_links_) +
                         " NVLinks lead to GPUs of this host that are not visible here (a container, or "
                         "CUDA_VISIBLE_DEVICES of the driver)"});
  }

 private:
  far_end far_end_of(const link& each, const bus_id& own) const {
    if (each.remote == remote_type::ibm_npu) return far_end::cpu;
    if (!each.remote_id) return far_end::hidden_switch;
    if (*each.remote_id == own) return far_end::itself;
    if (gpu_at_.contains(*each.remote_id)) return far_end::own_gpu;
    if (each.remote == remote_type::nvswitch) return far_end::visible_switch;
    if (each.remote == remote_type::gpu) return far_end::other_gpu;
    const std::string folder = environment_.root + "/sys/bus/pci/devices/" + to_string(*each.remote_id);
    const auto kind = kind_of_function(sysfs::number<std::uint32_t>(folder + "/class").value_or(0) >> 8, nvidia_vendor);
    if (kind == node_kind::nvswitch) return far_end::visible_switch;
    return kind == node_kind::gpu ? far_end::other_gpu : far_end::hidden_switch;
  }

  void add(const gpu& each) {
    const node_index here = *machine_.find(identity::gpu(environment_.host, static_cast<int>(each.index)));
    unsigned active = 0, inactive = 0, to_cpu = 0, to_itself = 0;
    for (const link& one : each.links) {
      ++(one.is_active ? active : inactive);
      if (!one.is_active || !one.is_peer_to_peer) continue;
      switch (far_end_of(one, each.id.value_or(bus_id{}))) {
        case far_end::own_gpu: pairs_[{here, gpu_at_.at(*one.remote_id)}].push_back(figures_of(one)); break;
        case far_end::other_gpu: ++foreign_links_; break;
        case far_end::itself: ++to_itself; break;
        case far_end::cpu: ++to_cpu; break;
        case far_end::visible_switch: add_to_switch(each, here, one); break;
        case far_end::hidden_switch: add_edge(here, domain_of(each), figures_of(one)), ++hidden_links_; break;
      }
    }
    if (!each.links.empty()) {
      machine_.describe(here, attribute::nvlinks_active, std::to_string(active));
      machine_.describe(here, attribute::nvlinks_inactive, std::to_string(inactive));
    }
    if (to_cpu > 0) machine_.describe(here, "nvlinks_to_cpu", std::to_string(to_cpu));
    if (to_itself > 0)
      machine_.note({severity::warning, "nvlink-to-itself", gpu_name(environment_.host, each.index),
                     std::to_string(to_itself) + " of its NVLinks are said to lead back to it and are not used"});
  }

  void add_edge(node_index a, node_index b, edge between) {
    between.a = a, between.b = b;
    machine_.add_edge(std::move(between));
  }

  // The switches of a multi-node domain are in trays of their own: their bus ids are not this host's.
  void add_to_switch(const gpu& each, node_index here, const link& one) {
    if (is_multi_node(each)) {
      add_edge(here, domain_of(each), figures_of(one));
      return;
    }
    const auto [entry, is_new] = switch_at_.try_emplace(*one.remote_id);
    if (is_new) {
      topology::node part{.kind = node_kind::nvswitch,
                          .name = environment_.host + ":NVSwitch-" + to_string(*one.remote_id),
                          .identities = {identity::pci(environment_.host, *one.remote_id)},
                          .attributes = {{attribute::pci, to_string(*one.remote_id)}}};
      entry->second = machine_.add_node(std::move(part));
      machine_.contain(host_node(), entry->second);
    }
    add_edge(here, entry->second, figures_of(one));
  }

  static bool is_multi_node(const gpu& each) {
    return each.fabric_info && each.fabric_info->is_complete && each.fabric_info->cluster_uuid != zero_uuid &&
           each.fabric_info->status == "success";
  }
  node_index domain_of(const gpu& each) {
    topology::node part{.kind = node_kind::nvswitch, .attributes = {{attribute::virtual_part, "1"}}};
    if (is_multi_node(each)) {
      const std::string clique = std::to_string(each.fabric_info->clique_id);
      part.name = "clique " + each.fabric_info->cluster_uuid + "." + clique;
      part.identities = {identity::clique(each.fabric_info->cluster_uuid, clique)};
      // Sources that know no cliques call the same switches those of the host.
      const std::string of_host = identity::nvswitches(environment_.host);
      if (!machine_.find(of_host)) part.identities.push_back(of_host);
      part.attributes[attribute::cluster_uuid] = each.fabric_info->cluster_uuid;
      part.attributes[attribute::clique_id] = clique;
      return machine_.merge_node(std::move(part));
    }
    if (!domain_of_host_) {
      part.name = environment_.host + ":NVSwitch";
      part.identities = {identity::nvswitches(environment_.host)};
      domain_of_host_ = machine_.add_node(std::move(part));
      machine_.contain(host_node(), *domain_of_host_);
    }
    return *domain_of_host_;
  }
  node_index host_node() const { return *machine_.find(identity::host(environment_.host)); }

  // Both ends tell of each cable.
  void join_pairs() {
    for (auto& [ends, links] : pairs_) {
      const auto [a, b] = ends;
      const auto reverse = pairs_.find({b, a});
      const std::size_t other = reverse == pairs_.end() ? 0 : reverse->second.size();
      if (other > links.size() || (other == links.size() && b < a)) continue;
      for (edge& each : links) add_edge(a, b, std::move(each));
      if (other != links.size())
        machine_.note({severity::warning, "asymmetric-nvlinks",
                       machine_.nodes()[a].name + " - " + machine_.nodes()[b].name,
                       "the two GPUs count " + std::to_string(links.size()) + " and " + std::to_string(other) +
                           " NVLinks between them"});
    }
  }

  topology::graph& machine_;
  const answer& told_;
  const live_environment& environment_;
  std::map<bus_id, node_index> gpu_at_;
  std::map<bus_id, node_index> switch_at_;
  std::map<std::pair<node_index, node_index>, std::vector<edge>> pairs_;
  std::optional<node_index> domain_of_host_;
  std::size_t hidden_links_ = 0;
  std::size_t foreign_links_ = 0;
};

}  // namespace

void add_nvlinks(topology::graph& machine, const answer& told, const live_environment& environment) {
  builder(machine, told, environment).run();
}

}  // namespace hawser::discovery::nvml
