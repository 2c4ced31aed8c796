// hwloc's topology as a graph. Only for files that are compiled where hwloc is.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include <hwloc.h>

#include <hawser/discovery/live.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

struct destroy_hwloc {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using hwloc_handle = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, destroy_hwloc>;

/// A topology that is not loaded yet: packages, NUMA nodes and what matters of I/O, without the plugins that would load
/// a GPU's driver. Null where hwloc has no memory.
hwloc_handle new_hwloc();

struct hwloc_view {
  hwloc_handle topology{};  ///< null where there is a problem
  std::string problem{};
};
/// This machine, or why hwloc does not show it.
hwloc_view load_hwloc();

topology::graph to_graph(hwloc_topology_t topology, const live_environment& environment);

}  // namespace hawser::discovery
