// The parts of the graph that `nvidia-smi topo -m` determines: PCIe and NUMA, NVLink.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "smi_topo_parse.hpp"

namespace hawser::discovery {

/// The graph that is being made: the node of each column.
struct topo_graph {
  topology::graph& into;
  const std::string& host_name;
  topology::node_index host = 0;
  std::vector<topology::node_index> node_of{};
};

/// Adds switches and NUMA nodes so that paths through them are as long as the matrix says: devices with the same cell
/// to a third are equally far from it.
void add_pci_paths(const topo_document& all, topo_graph& made);

/// Adds one edge per NVLink: between GPUs, or to one node that stands for NVSwitches.
void add_nvlinks(const topo_document& all, topo_graph& made);

}  // namespace hawser::discovery
