// Labels of nodes: three generations of Topograph, the device plugin, the clouds.
#include "kubernetes_labels.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../generated_parts.hpp"
#include "accelerator_domain.hpp"

namespace hawser::discovery {

namespace {

using topology::severity;

constexpr int fabric_order = 10;  // of the switch that is nearest to a node
constexpr int max_fabric_tiers = 50;
constexpr std::int64_t max_gpus_of_host = 1024;
constexpr std::size_t max_gpus = generated_parts(500'000);
constexpr const char* clique_label = "nvidia.com/gpu.clique";
constexpr const char* gpu_count_label = "nvidia.com/gpu.count";
constexpr const char* gpu_product_label = "nvidia.com/gpu.product";
constexpr std::string_view tier_prefix = "fabric.topograph.run/tier-";

struct known_label {
  const char* key;
  int family;  // of several families that describe the fabric or the accelerator only the first one found counts
  int order;
  const char* what;
  const char* level;
};

// Orders: 0 and 1 accelerators, from 10 on the fabric, from 100 on places. Topograph's labels changed their prefix from
// network.topology.kubernetes.io to network.topology.nvidia.com and then to accelerator. and fabric.topograph.run.
constexpr std::array<known_label, 30> known_labels = {{
    {"accelerator.topograph.run/sub-domain", 0, 0, "accelerator sub-domain", ""},
    {"accelerator.topograph.run/domain", 0, 1, "accelerator domain", ""},
    {"network.topology.nvidia.com/accelerator", 1, 1, "accelerator", ""},
    {"network.topology.nvidia.com/block", 1, 10, "block", ""},
    {"network.topology.nvidia.com/leaf", 1, 10, "leaf", ""},
    {"network.topology.nvidia.com/spine", 1, 11, "spine", ""},
    {"network.topology.nvidia.com/datacenter", 1, 12, "datacenter", ""},
    {"network.topology.nvidia.com/core", 1, 12, "core", ""},
    {"network.topology.kubernetes.io/accelerator", 2, 1, "accelerator", ""},
    {"network.topology.kubernetes.io/block", 2, 10, "block", ""},
    {"network.topology.kubernetes.io/leaf", 2, 10, "leaf", ""},
    {"network.topology.kubernetes.io/spine", 2, 11, "spine", ""},
    {"network.topology.kubernetes.io/datacenter", 2, 12, "datacenter", ""},
    {"network.topology.kubernetes.io/core", 2, 12, "core", ""},
    {"topology.k8s.aws/network-node-layer-3", 3, 10, "network-node-layer-3", ""},
    {"topology.k8s.aws/network-node-layer-2", 3, 11, "network-node-layer-2", ""},
    {"topology.k8s.aws/network-node-layer-1", 3, 12, "network-node-layer-1", ""},
    {"cloud.google.com/gce-topology-subblock", 4, 10, "subblock", ""},
    {"cloud.google.com/gce-topology-block", 4, 11, "block", ""},
    {"oci.oraclecloud.com/host.rack_id", 5, 10, "rack", "rack"},
    {"oci.oraclecloud.com/host.network_block_id", 5, 11, "network block", ""},
    {"oci.oraclecloud.com/host.hpc_island_id", 5, 12, "island", ""},
    {"topology.kubernetes.io/rack", 9, 100, "rack", "rack"},
    {"topology.kubernetes.io/block", 9, 101, "block", "block"},
    {"topology.kubernetes.io/row", 9, 102, "row", "row"},
    {"topology.kubernetes.io/hall", 9, 103, "hall", "hall"},
    {"topology.kubernetes.io/zone", 9, 104, "zone", "zone"},
    {"topology.kubernetes.io/region", 9, 105, "region", "region"},
    {"failure-domain.beta.kubernetes.io/zone", 9, 104, "zone", "zone"},
    {"failure-domain.beta.kubernetes.io/region", 9, 105, "region", "region"},
}};

std::optional<int> tier_of(std::string_view key) {
  if (!key.starts_with(tier_prefix)) return std::nullopt;
  const auto tier = to_integer<int>(key.substr(tier_prefix.size()));
  return tier && *tier >= 0 && *tier < max_fabric_tiers ? tier : std::nullopt;
}

std::string label_of(const label_map& labels, const char* key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

}  // namespace

bool is_placement_label(std::string_view key) {
  const auto is_it = [&](const known_label& each) { return key == each.key; };
  return tier_of(key) || key == clique_label || key == gpu_count_label || key == gpu_product_label ||
         std::any_of(known_labels.begin(), known_labels.end(), is_it);
}

std::vector<label_step> near_to_far(const label_map& labels) {
  std::vector<label_step> steps;
  int fabric_family = -1, accelerator_family = -1;
  for (const auto& [key, name] : labels)
    if (const auto tier = tier_of(key); tier && !name.empty()) {
      steps.push_back({fabric_order + *tier, "tier-" + std::to_string(*tier), name, "", false});
      fabric_family = 0;
    }
  for (const known_label& each : known_labels) {
    const std::string name = label_of(labels, each.key);
    if (name.empty()) continue;
    if (each.order < 100) {
      int& family = each.order < fabric_order ? accelerator_family : fabric_family;
      if (family >= 0 && family != each.family) continue;
      family = each.family;
    }
    const auto same = [&](const label_step& step) { return step.order == each.order; };
    if (std::any_of(steps.begin(), steps.end(), same)) continue;
    steps.push_back({each.order, each.what, name, each.level, each.order < fabric_order});
  }
  std::sort(steps.begin(), steps.end(), [](const label_step& a, const label_step& b) { return a.order < b.order; });
  return steps;
}

namespace {

class node_placer {
 public:
  node_placer(placement& into, const std::vector<labelled_node>& nodes) : into_(into), nodes_(nodes) {}

  void run() {
    for (const labelled_node& each : nodes_) steps_.push_back(near_to_far(each.labels));
    for (const auto& steps : steps_)
      for (const label_step& step : steps)
        if (!step.is_accelerator) orders_.insert(step.order);
    for (std::size_t at = 0; at < nodes_.size(); ++at) place(nodes_[at], steps_[at]);
    into_.add_domains(domains_, {});
    for (const auto& [host, identity] : clique_of_host_) into_.say_switches(host, identity);
    for (const auto& [gpu, identity] : domain_of_gpu_)
      into_.machine().add_edge({.a = gpu,
                                .b = *into_.machine().find(identity),
                                .kind = topology::edge_kind::nvlink,
                                .source = into_.source()});
  }

 private:
  void place(const labelled_node& node, const std::vector<label_step>& steps) {
    const auto host = into_.host(node.host);
    const auto domain = domain_of(node, steps);
    const std::vector<topology::node_index> gpus = add_gpus(node, host);
    if (domain) {
      const auto [known, is_new] = index_of_domain_.try_emplace(domain->identity, domains_.size());
      if (is_new) domains_.push_back(*domain);
      if (gpus.empty()) domains_[known->second].hosts.push_back(node.host);
      if (domain->identity.starts_with("clique/")) clique_of_host_.emplace(node.host, domain->identity);
      for (topology::node_index gpu : gpus) domain_of_gpu_.emplace_back(gpu, domain->identity);
      for (const auto& [key, text] : domain->attributes) into_.machine().describe(host, key, text);
    }
    topology::node_index below = host;
    for (const label_step& step : steps) {
      if (step.is_accelerator) {
        into_.machine().describe(
            host, step.what == "accelerator sub-domain" ? "accelerator_sub_domain" : "accelerator_domain", step.value);
        continue;
      }
      const auto above = switch_of(step);
      link(below, above);
      below = above;
    }
  }

  topology::node_index switch_of(const label_step& step) {
    const int tier = static_cast<int>(std::distance(orders_.begin(), orders_.find(step.order))) + 1;
    const std::string identity =
        step.level.empty() ? topology::identity::network_switch(step.value) : step.level + "/" + step.value;
    label_map attributes;
    if (!step.level.empty())
      attributes = {{topology::attribute::virtual_part, "1"}, {topology::attribute::level, step.level}};
    const auto made = into_.add_switch(tier, step.value, identity, attributes);
    if (topology::switch_tier(into_.machine().nodes()[made]) != tier)
      into_.note(severity::warning, "ambiguous-label", step.value, "is a value of labels of different tiers");
    return made;
  }

  // A switch below two others means that a value is not unique, as a rack "1" in each of two zones.
  void link(topology::node_index below, topology::node_index above) {
    if (below == above ||
        topology::switch_tier(into_.machine().nodes()[below]) >= topology::switch_tier(into_.machine().nodes()[above]))
      return;
    const auto [known, is_new] = parent_of_.try_emplace(below, above);
    if (!is_new && known->second != above)
      into_.note(severity::warning, "ambiguous-label", into_.machine().nodes()[below].name,
                 "is below \"" + into_.machine().nodes()[known->second].name + "\" and \"" +
                     into_.machine().nodes()[above].name + "\"");
    into_.join(below, above);
  }

  // The clique of the driver says more than the domain of a provider, which may span cliques.
  std::optional<domain_record> domain_of(const labelled_node& node, const std::vector<label_step>& steps) {
    if (const std::string clique = label_of(node.labels, clique_label); !clique.empty()) {
      const auto uuid = cluster_uuid_of(clique);
      if (uuid && !uuid->is_zero()) return uuid->domain();
      into_.note(uuid ? severity::info : severity::warning, uuid ? "zero-cluster-uuid" : "malformed-clique", node.host,
                 uuid ? "its cluster UUID is zero: it is in no NVLink domain of several hosts"
                      : "its clique \"" + shortened(clique) + "\" is not UUID.CLIQUE");
      if (uuid) return std::nullopt;
    }
    for (const label_step& step : steps)
      if (step.is_accelerator && step.order == 1) return accelerator_domain(step.value);
    return std::nullopt;
  }

  std::vector<topology::node_index> add_gpus(const labelled_node& node, topology::node_index host) {
    std::optional<std::int64_t> count = node.gpus;
    if (const std::string text = label_of(node.labels, gpu_count_label); !text.empty()) {
      count = to_integer<std::int64_t>(text);
      if (!count || *count < 0)
        into_.note(severity::warning, "malformed-count", node.host,
                   "its GPU count \"" + shortened(text) + "\" is not a number");
    }
    std::vector<topology::node_index> gpus;
    if (!count || *count < 0) return gpus;
    gpus_ += static_cast<std::size_t>(std::min(*count, max_gpus_of_host + 1));
    if (*count > max_gpus_of_host || gpus_ > max_gpus)
      fail_in(into_.file(), "node \"" + shortened(node.host) + "\"", "it makes too many GPUs");
    if (into_.machine().find(topology::identity::gpu(node.host, 0))) return gpus;  // the same node once more
    for (int index = 0; index < *count; ++index) {
      topology::node gpu{topology::node_kind::gpu,
                         node.host + ":GPU" + std::to_string(index),
                         {topology::identity::gpu(node.host, index)}};
      gpu.attributes[topology::attribute::index] = std::to_string(index);
      if (const std::string model = label_of(node.labels, gpu_product_label); !model.empty())
        gpu.attributes[topology::attribute::model] = model;
      gpus.push_back(into_.machine().add_node(std::move(gpu)));
      into_.machine().contain(host, gpus.back());
    }

    return gpus;
  }

  placement& into_;
  const std::vector<labelled_node>& nodes_;
  std::vector<std::vector<label_step>> steps_;
  std::set<int> orders_;
  std::vector<domain_record> domains_;
  std::map<std::string, std::size_t> index_of_domain_;
  std::map<std::string, std::string> clique_of_host_;
  std::vector<std::pair<topology::node_index, std::string>> domain_of_gpu_;
  std::map<topology::node_index, topology::node_index> parent_of_;
  std::size_t gpus_ = 0;
};

}  // namespace

void place_nodes(placement& into, const std::vector<labelled_node>& nodes) {
  node_placer(into, nodes).run();
  const bool counts_gpus = !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), [](const labelled_node& each) {
    return each.gpus || each.labels.contains(gpu_count_label);
  });
  if (counts_gpus) into.machine().tell(topology::aspect::gpus);
  // The device plugin labels the clique where there is multi-node NVLink; one of a zero UUID says that there is none
  // beyond the host, but nothing of the NVLinks within it.
  const bool names_cliques = std::all_of(nodes.begin(), nodes.end(), [](const labelled_node& each) {
    const auto uuid = cluster_uuid_of(label_of(each.labels, clique_label));
    return uuid && !uuid->is_zero();
  });
  if (counts_gpus && names_cliques) into.machine().tell(topology::aspect::nvlink);
}

}  // namespace hawser::discovery
