// Makes a topology graph from a hierarchy: the inverse of derive, for synthetic machines and tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <hawser/topology/graph.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

namespace detail {

class expander {
 public:
  explicit expander(const hierarchy& tree) : tree_(tree), host_level_(find_host_level()) {}

  graph run() {
    std::vector<node_index> parents{add_unit(-1, 0)};
    for (int depth = 0; depth < tree_.depth(); ++depth) {
      const child_counts& units = tree_.at(depth).units;
      std::vector<node_index> children;
      for (std::int64_t unit = 0; unit < units.total(); ++unit) {
        const node_index parent = parents[static_cast<std::size_t>(units.parent_of(unit))];
        children.push_back(add_unit(depth, unit));
        link_up(depth, children.back(), parent);
      }
      parents = std::move(children);
    }
    for (aspect told : {aspect::gpus, aspect::nvlink}) graph_.tell(told);
    return std::move(graph_);
  }

 private:
  // The units that become hosts: those that hold GPUs, or their parents where a "node" or "host" holds NVLink domains.
  int find_host_level() const {
    const int innermost = tree_.depth() - 2;
    const auto is_host = [&](int depth) { return tree_.at(depth).name == "node" || tree_.at(depth).name == "host"; };
    return innermost >= 1 && tree_.at(innermost).name == "nvlink_domain" && is_host(innermost - 1) ? innermost - 1
                                                                                                   : innermost;
  }

  // Returns the node that the children of the unit are linked to.
  node_index add_unit(int depth, std::int64_t unit) {
    const std::string level_name = depth < 0 ? "root" : tree_.at(depth).name;
    const std::string name = level_name + std::to_string(unit);
    const bool reduces = depth + 1 < tree_.depth() && tree_.at(depth + 1).reduces_in_network;
    std::map<std::string, std::string> attributes;
    if (depth >= 0) attributes.emplace("level", level_name);
    if (depth == tree_.depth() - 1) return add_gpu(name, std::move(attributes));
    if (depth > host_level_) return graph_.add_node({node_kind::nvswitch, name, {name}, attributes, 0, reduces});
    if (depth < host_level_) {
      const int tier = host_level_ - depth;
      const node_kind kind = tier == 1   ? node_kind::leaf_switch
                             : tier == 2 ? node_kind::spine_switch
                                         : node_kind::core_switch;
      return graph_.add_node({kind, name, {name}, attributes, tier > 3 ? tier : 0, reduces});
    }
    host_ = graph_.add_node({node_kind::host, name, {"host/" + name}, attributes});
    const bool holds_gpus = depth == tree_.depth() - 2;
    const node_index joint = graph_.add_node({holds_gpus ? node_kind::nvswitch : node_kind::pci_switch,
                                              name + "-switch",
                                              {name + "-switch"},
                                              {},
                                              0,
                                              reduces});
    if (depth >= 0) nic_of_[joint] = graph_.add_node({node_kind::nic, name + "-nic", {name + "-nic"}, {}});
    graph_.add_edge({host_, joint, edge_kind::contains, {}, {}});
    if (depth >= 0) graph_.add_edge({host_, nic_of_[joint], edge_kind::contains, {}, {}});
    host_of_[joint] = host_;
    return joint;
  }

  node_index add_gpu(const std::string& name, std::map<std::string, std::string> attributes) {
    return graph_.add_node({node_kind::gpu, name, {name}, std::move(attributes)});
  }

  void link_up(int depth, node_index child, node_index parent) {
    const link& up = tree_.at(depth).up;
    const bool is_gpu = depth == tree_.depth() - 1;
    const edge_kind kind = is_gpu ? edge_kind::nvlink : depth > host_level_ ? edge_kind::pci : edge_kind::infiniband;
    const auto nic = nic_of_.find(child);
    graph_.add_edge({nic == nic_of_.end() ? child : nic->second, parent, kind, up.rate, up.latency, up.source});
    const auto host = host_of_.find(parent);
    if (host == host_of_.end()) return;
    if (is_gpu) graph_.add_edge({host->second, child, edge_kind::contains, {}, {}});
    host_of_.emplace(child, host->second);
  }

  const hierarchy& tree_;
  const int host_level_;
  node_index host_ = 0;
  std::map<node_index, node_index> nic_of_;   // of the switch inside a host
  std::map<node_index, node_index> host_of_;  // of the switches inside a host
  graph graph_;
};

}  // namespace detail

/// A graph whose derivation gives the hierarchy back, GPUs in the order of positions: groups of GPUs become hosts with
/// an NVSwitch and a NIC, the levels above them tiers of switches with one link each. Levels of one unit per parent are
/// kept as nodes but are not levels for `derive`; a placement is not part of a graph. O(positions) memory.
inline graph expand(const hierarchy& tree) {
  return detail::expander(tree).run();
}

}  // namespace hawser::topology
