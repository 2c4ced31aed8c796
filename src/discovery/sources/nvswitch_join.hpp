// NVSwitches of one host that no GPU joins: the two boards of a DGX-2.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// NVSwitches of a host are all joined, as NCCL and hwloc take it too (NCCL has one NVS node; hwloc merges the ports):
/// adds an assumed link between groups of them that the file shows apart. Says so in a finding.
inline void join_switches(topology::graph& machine) {
  using topology::node_index;
  topology::detail::disjoint_sets groups(machine.nodes().size());
  std::set<node_index> with_gpus;
  for (const topology::edge& each : machine.edges()) {
    if (each.kind != topology::edge_kind::nvlink) continue;
    groups.unite(each.a, each.b);
    for (node_index end : {each.a, each.b})
      if (machine.nodes()[end].kind == topology::node_kind::nvswitch) with_gpus.insert(end);
  }
  std::map<node_index, std::vector<node_index>> of_host;
  for (node_index each : with_gpus)
    if (const auto host = machine.host_of(each)) of_host[*host].push_back(each);
  for (const auto& [host, switches] : of_host) {
    int added = 0;
    for (std::size_t at = 1; at < switches.size(); ++at) {
      if (!groups.unite(switches[at - 1], switches[at])) continue;
      machine.add_edge({.a = switches[at - 1],
                        .b = switches[at],
                        .kind = topology::edge_kind::nvlink,
                        .source = topology::provenance::assumed,
                        .attributes = {{topology::attribute::virtual_part, "1"}}});
      ++added;
    }
    if (added > 0)
      machine.note({topology::severity::info, "assumed-nvswitch-links", machine.nodes()[host].name,
                    "the file shows " + std::to_string(added + 1) +
                        " groups of NVSwitches and no links between them; they are taken to be joined"});
  }
}

}  // namespace hawser::discovery
