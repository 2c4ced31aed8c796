// Writing a topology as NCCL reads it (NCCL_TOPO_FILE).
#pragma once

#include <string>
#include <string_view>

#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// The host of a topology as NCCL's XML, version 1, or version 2 of RCCL where GPUs are linked by xGMI. What is unknown
/// is left out: NCCL then asks the system. NCCL takes at most 256 elements. Throws errc::not_found, naming the hosts,
/// where there is no such host, and errc::unsupported where it has a GPU whose PCI bus id is unknown.
std::string to_nccl_xml(const topology::graph& machine, std::string_view host);

}  // namespace hawser::discovery
