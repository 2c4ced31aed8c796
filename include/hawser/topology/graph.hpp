// The topology graph: what a machine is made of and how the parts are linked, with the provenance of every figure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>
#include <hawser/topology/finding.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// What a part of a machine is.
enum class node_kind { gpu, nvswitch, cpu, pci_switch, nic, host, leaf_switch, spine_switch, core_switch };
/// What joins two parts.
enum class edge_kind {
  contains,      ///< a host and a part of it; carries no figures
  pci,           ///< PCI Express
  interconnect,  ///< between CPUs, or CPU and GPU: UPI, Infinity Fabric, NVLink-C2C
  nvlink,
  xgmi,  ///< AMD's links between GPUs: Infinity Fabric
  infiniband,
  ethernet
};

inline constexpr std::array<std::string_view, 9> node_kind_names = {
    "gpu", "nvswitch", "cpu", "pci_switch", "nic", "host", "leaf_switch", "spine_switch", "core_switch"};
inline constexpr std::array<std::string_view, 7> edge_kind_names = {"contains", "pci",        "interconnect", "nvlink",
                                                                    "xgmi",     "infiniband", "ethernet"};
/// The names that JSON has.
constexpr std::string_view to_string(node_kind kind) noexcept {
  return node_kind_names[static_cast<std::size_t>(kind)];
}
constexpr std::string_view to_string(edge_kind kind) noexcept {
  return edge_kind_names[static_cast<std::size_t>(kind)];
}

using node_index = std::size_t;
using edge_index = std::size_t;

/// A part of the machine. Identities are what the same part is called by different sources; each is unique in a graph
/// ("host/n1", "host/n1/pci/0000:07:00.0", "guid/0x506b4b0300c8ae42", "clique/<uuid>/<id>").
struct node {
  node_kind kind = node_kind::gpu;
  std::string name{};
  std::vector<std::string> identities{};
  std::map<std::string, std::string> attributes{};
  int tier = 0;             ///< of a core switch, where there are more than three tiers: 3, 4, ...; else 0
  bool can_reduce = false;  ///< of a switch: reduces in the network (NVLS, SHARP)
  friend bool operator==(const node&, const node&) = default;
};

/// A link between two parts; parallel links are edges of their own. An unknown figure is empty.
struct edge {
  node_index a = 0;
  node_index b = 0;
  edge_kind kind = edge_kind::contains;
  std::optional<bandwidth> rate{};   ///< per direction
  std::optional<seconds> latency{};  ///< one message, one way
  provenance source = provenance::assumed;
  std::map<std::string, std::string> attributes{};
  friend bool operator==(const edge&, const edge&) = default;
};

/// A kind of part that a source either describes completely or knows nothing of: where no source tells of NICs, their
/// number is unknown, not zero.
enum class aspect { hosts, gpus, nvlink, nics, numa, switches, links };
inline constexpr std::array<std::string_view, 7> aspect_names = {"hosts", "gpus",     "nvlink", "nics",
                                                                 "numa",  "switches", "links"};
/// The name that JSON has.
constexpr std::string_view to_string(aspect what) noexcept {
  return aspect_names[static_cast<std::size_t>(what)];
}

/// Nodes and edges, numbered in the order in which they were added.
class graph {
 public:
  /// Throws errc::invalid_argument where one of the identities is taken.
  node_index add_node(node part) {
    for (const std::string& identity : part.identities)
      if (const auto taken = find(identity))
        fail(errc::invalid_argument, "the topology has two nodes with the identity \"" + identity + "\"",
             "\"" + nodes_[*taken].name + "\" and \"" + part.name + "\"");
    const node_index index = nodes_.size();
    for (const std::string& identity : part.identities) by_identity_.emplace(identity, index);
    nodes_.push_back(std::move(part));
    edges_of_.emplace_back();
    return index;
  }

  /// Adds a node, or completes the one that shares an identity with it. Where the two differ, the first stays and a
  /// finding is noted.
  node_index merge_node(node part) {
    std::optional<node_index> known;
    for (const std::string& identity : part.identities) {
      const auto found = find(identity);
      if (found && known && *found != *known)
        note({severity::error, "contradictory-identity", identity,
              "\"" + nodes_[*known].name + "\" and \"" + nodes_[*found].name + "\" are said to be the same node"});
      else if (found)
        known = found;
    }
    if (!known) return add_node(std::move(part));
    complete(*known, part);
    return *known;
  }

  /// Throws errc::invalid_argument where an end does not exist or both are the same node.
  edge_index add_edge(edge between) {
    if (between.a >= nodes_.size() || between.b >= nodes_.size() || between.a == between.b)
      fail(errc::invalid_argument, "an edge of the topology must join two of its nodes",
           "it joins " + std::to_string(between.a) + " and " + std::to_string(between.b) + " of " +
               std::to_string(nodes_.size()));
    const edge_index index = edges_.size();
    edges_of_[between.a].push_back(index);
    edges_of_[between.b].push_back(index);
    edges_.push_back(std::move(between));
    return index;
  }

  /// Says once that a host contains a part.
  void contain(node_index host, node_index part) {
    for (edge_index each : edges_of(part))
      if (edges_[each].kind == edge_kind::contains && other_end(each, part) == host) return;
    add_edge({.a = host, .b = part, .kind = edge_kind::contains, .source = provenance::reported});
  }

  /// Sets an attribute where it has no value yet; a finding notes a value that differs.
  void describe(node_index index, const std::string& key, const std::string& value) {
    node& part = nodes_.at(index);
    const auto [entry, is_new] = part.attributes.emplace(key, value);
    if (!is_new && entry->second != value)
      note({severity::warning, "contradictory-attribute", part.name,
            key + " is \"" + entry->second + "\" and \"" + value + "\""});
  }
  /// Says that a switch reduces in the network.
  void can_reduce(node_index index) { nodes_.at(index).can_reduce = true; }
  /// Adds figures and attributes to an edge, which stays between the same nodes.
  void revise(edge_index index, const edge& figures) {
    edge& known = edges_.at(index);
    known.rate = figures.rate;
    known.latency = figures.latency;
    known.source = figures.source;
    known.attributes = figures.attributes;
  }

  /// Adds a finding to those of the sources.
  void note(finding what) { findings_.push_back(std::move(what)); }

  /// Says that the graph holds all that there is of an aspect.
  void tell(aspect what) { tells_[static_cast<std::size_t>(what)] = true; }
  bool tells(aspect what) const noexcept { return tells_[static_cast<std::size_t>(what)]; }

  const std::vector<node>& nodes() const noexcept { return nodes_; }
  const std::vector<edge>& edges() const noexcept { return edges_; }
  const std::vector<finding>& findings() const noexcept { return findings_; }

  /// The node with that identity (topology/identity.hpp); nothing where there is none.
  std::optional<node_index> find(const std::string& identity) const {
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) return std::nullopt;
    return found->second;
  }
  /// The edges at a node, in the order in which they were added.
  const std::vector<edge_index>& edges_of(node_index index) const { return edges_of_.at(index); }
  node_index other_end(edge_index index, node_index end) const {
    const edge& between = edges_.at(index);
    return between.a == end ? between.b : between.a;
  }
  /// The nodes next to a node, by any kind of edge; one that is joined by two links occurs twice.
  std::vector<node_index> neighbours(node_index index) const {
    std::vector<node_index> next;
    for (edge_index each : edges_of(index)) next.push_back(other_end(each, index));
    return next;
  }
  /// The host that contains a node; empty where no source said so.
  std::optional<node_index> host_of(node_index index) const {
    for (edge_index each : edges_of(index)) {
      const node_index other = other_end(each, index);
      if (edges_[each].kind == edge_kind::contains && nodes_[other].kind == node_kind::host) return other;
    }
    return std::nullopt;
  }

  friend bool operator==(const graph& a, const graph& b) {
    return a.nodes_ == b.nodes_ && a.edges_ == b.edges_ && a.findings_ == b.findings_ && a.tells_ == b.tells_;
  }

 private:
  void complete(node_index index, const node& part) {
    node& known = nodes_[index];
    if (known.kind != part.kind)
      note({severity::error, "contradictory-kind", known.name,
            "is a " + std::string(to_string(known.kind)) + " and a " + std::string(to_string(part.kind))});
    for (const auto& [key, value] : part.attributes) describe(index, key, value);
    for (const std::string& identity : part.identities)
      if (by_identity_.emplace(identity, index).second) known.identities.push_back(identity);
    if (known.name.empty()) known.name = part.name;
    known.can_reduce = known.can_reduce || part.can_reduce;
  }

  std::vector<node> nodes_;
  std::vector<edge> edges_;
  std::vector<std::vector<edge_index>> edges_of_;
  std::unordered_map<std::string, node_index> by_identity_;
  std::vector<finding> findings_;
  std::array<bool, aspect_names.size()> tells_{};
};

inline constexpr int max_switch_tier = 64;  ///< far beyond any network

/// 1 for leaf, 2 for spine, 3 and above for core switches; 0 for everything else.
inline int switch_tier(const node& part) {
  if (part.kind == node_kind::leaf_switch) return 1;
  if (part.kind == node_kind::spine_switch) return 2;
  return part.kind == node_kind::core_switch ? std::max(3, part.tier) : 0;
}

}  // namespace hawser::topology
