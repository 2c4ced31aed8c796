// PCI functions to nodes and links, with the names and identities that every source gives them.
#include "pci_tree.hpp"

#include <algorithm>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../sources/pci_rate.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::bus_id;
using topology::edge;
using topology::edge_kind;
using topology::node;
using topology::node_index;
using topology::node_kind;

namespace {

constexpr std::uint32_t intel_vendor = 0x8086;
constexpr std::uint32_t habana_vendor = 0x1da3;

class builder {
 public:
  builder(topology::graph& machine, std::string_view host, const pci_tree& tree)
      : machine_(machine), host_(host), tree_(tree), host_node_(*machine.find(identity::host(host))) {
    for (node_index each = 0; each < machine.nodes().size(); ++each)
      if (machine.nodes()[each].kind == node_kind::cpu) cpus_.push_back(each);
  }

  void add(const pci_function& function) {
    const auto kind = kind_of_function(function.class_code, function.vendor);
    if (!kind) return;
    const std::string prefix = *kind == node_kind::gpu ? "GPU-" : *kind == node_kind::nvswitch ? "NVSwitch-" : "";
    node part = described(*kind, prefix, function.id);
    if (function.numa) part.attributes[attribute::numa] = std::to_string(*function.numa);
    if (!function.driver.empty()) part.attributes["driver"] = function.driver;
    const node_index index = add(std::move(part));
    const std::optional<node_index> above = add_switches(function);
    if (above) connect(*above, index, link_of(function), *kind == node_kind::gpu);
  }

 private:
  node described(node_kind kind, const std::string& prefix, const bus_id& id) const {
    return {.kind = kind,
            .name = std::string(host_) + ":" + prefix + to_string(id),
            .identities = {identity::pci(host_, id)},
            .attributes = {{attribute::pci, to_string(id)}}};
  }
  node_index add(node part) {
    const node_index index = machine_.merge_node(std::move(part));
    machine_.contain(host_node_, index);
    return index;
  }

  // Bridges alternate from the root port: upstream port of a switch, its downstream port, the next switch. Returns what
  // the function is linked to.
  std::optional<node_index> add_switches(const pci_function& function) {
    std::optional<node_index> above = cpu_of(function);
    for (std::size_t each = 1; each < function.bridges.size(); each += 2) {
      const bus_id& port = function.bridges[each];
      const node_index index = add(described(node_kind::pci_switch, "", port));
      const auto link = tree_.bridges.find(port);
      if (above) connect(*above, index, link == tree_.bridges.end() ? pci_link{} : link->second, false);
      above = index;
    }
    return above;
  }
  std::optional<node_index> cpu_of(const pci_function& function) const {
    if (function.numa && *function.numa >= 0) return machine_.find(identity::numa(host_, *function.numa));
    if (function.near) return machine_.find(identity::numa(host_, *function.near));
    return cpus_.size() == 1 ? std::optional(cpus_.front()) : std::nullopt;
  }

  // Both ends bound what a link can run at.
  pci_link link_of(const pci_function& function) const {
    pci_link link = function.link;
    if (function.bridges.empty()) return link;
    const auto above = tree_.bridges.find(function.bridges.back());
    if (above == tree_.bridges.end()) return link;
    if (above->second.max_width > 0) link.max_width = std::min(link.max_width, above->second.max_width);
    const pci_generation* const here = pci_generation_of(link.max_speed);
    const pci_generation* const there = pci_generation_of(above->second.max_speed);
    if (here && there && there->gigatransfers < here->gigatransfers) link.max_speed = above->second.max_speed;
    return link;
  }

  void connect(node_index above, node_index below, const pci_link& link, bool slows_when_idle) {
    if (!linked_.emplace(above, below).second) return;  // a switch above several functions
    edge between{.a = above, .b = below, .kind = edge_kind::pci, .source = topology::provenance::reported};
    const pci_generation* const now = pci_generation_of(link.speed);
    const pci_generation* const most = pci_generation_of(link.max_speed);
    if (now) between.attributes[attribute::speed] = now->name;
    if (most) between.attributes[attribute::max_speed] = most->name;
    if (link.width > 0) between.attributes[attribute::width] = "x" + std::to_string(link.width);
    if (link.max_width > 0) between.attributes[attribute::max_width] = "x" + std::to_string(link.max_width);
    // GPUs lower the speed of their link while they idle, never its width.
    const pci_generation* const working = slows_when_idle && most ? most : now;
    if (working && link.width > 0) between.rate = pci_rate(*working, link.width);
    machine_.add_edge(std::move(between));
  }

  topology::graph& machine_;
  std::string_view host_;
  const pci_tree& tree_;
  node_index host_node_;
  std::vector<node_index> cpus_;
  std::set<std::pair<node_index, node_index>> linked_;
};

}  // namespace

std::optional<node_kind> kind_of_function(std::uint32_t class_code, std::uint32_t vendor) noexcept {
  const bool is_nvidia_or_amd = vendor == nvidia_vendor || vendor == amd_vendor;
  switch (class_code) {
    case 0x0300: return is_nvidia_or_amd ? std::optional(node_kind::gpu) : std::nullopt;
    case 0x0302:
    case 0x0380:
    case 0x1200:
      return is_nvidia_or_amd || vendor == intel_vendor || vendor == habana_vendor ? std::optional(node_kind::gpu)
                                                                                   : std::nullopt;
    case 0x0200:
    case 0x0207: return node_kind::nic;
    case 0x0680: return vendor == nvidia_vendor ? std::optional(node_kind::nvswitch) : std::nullopt;
    default: return std::nullopt;
  }
}

void add_pci_tree(topology::graph& machine, std::string_view host, const pci_tree& tree) {
  builder builds(machine, host, tree);
  for (const pci_function& each : tree.functions) builds.add(each);
}

}  // namespace hawser::discovery
