// What NVML told, as a topology graph.
#pragma once

#include <string>

#include <hawser/discovery/live.hpp>
#include <hawser/topology/graph.hpp>

#include "nvml_query.hpp"

namespace hawser::discovery::nvml {

/// The name of a GPU: "n1:GPU0".
std::string gpu_name(const std::string& host, unsigned index);

/// Completes lost GPUs that NVML told no bus id of: they are those that /proc/driver/nvidia/gpus has and NVML has not.
void find_lost(answer& told, const std::string& root);

topology::graph to_graph(const answer& told, const live_environment& environment);

}  // namespace hawser::discovery::nvml
