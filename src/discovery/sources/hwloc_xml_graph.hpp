// An hwloc topology as a graph: NUMA nodes, the PCI tree as far as it leads to GPUs, NICs and NVSwitches, and links.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "hwloc_xml_parse.hpp"

namespace hawser::discovery::hwloc {

/// `host` names the host.
topology::graph graph_of(const document& file, const std::string& host);

/// Adds the links that matrices tell of: NVLink and xGMI one edge per link, NUMA distances. `place_of` is the node of
/// each object.
void connect(topology::graph& into, const document& file,
             const std::vector<std::optional<topology::node_index>>& place_of);

}  // namespace hawser::discovery::hwloc
