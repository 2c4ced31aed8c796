// The NVLinks of a host's GPUs, as edges.
#pragma once

#include <hawser/discovery/live.hpp>
#include <hawser/topology/graph.hpp>

#include "nvml_query.hpp"

namespace hawser::discovery::nvml {

/// Adds one edge per active link between the GPUs that are in the graph, or to NVSwitches, which are added; switches
/// that are not visible (virtual machines, switch trays of a rack) are one virtual node per host or multi-node domain.
void add_nvlinks(topology::graph& machine, const answer& told, const live_environment& environment);

}  // namespace hawser::discovery::nvml
