// NVLink, xGMI and C2C of an NCCL topology XML, between devices that are in the graph already.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "nccl_xml_parse.hpp"

namespace hawser::discovery::nccl {

/// Where the parts of a document are in the graph.
struct placement {
  std::vector<std::string> hosts;                                ///< names
  std::vector<topology::node_index> of_cpu;                      ///< by index into document::cpus
  std::vector<std::optional<topology::node_index>> of_device{};  ///< by index into document::devices
  int links_to_self = 0;                                         ///< counted by `connect`
};

/// Adds one edge per link. Findings say what leads nowhere.
void connect(topology::graph& into, const document& file, placement& placed);

}  // namespace hawser::discovery::nccl
