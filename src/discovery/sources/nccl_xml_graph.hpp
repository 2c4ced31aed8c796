// An NCCL topology XML as a graph, and what its links carry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/units.hpp>
#include <hawser/topology/graph.hpp>

#include "nccl_xml_parse.hpp"

namespace hawser::discovery::nccl {

/// `name` is that of the host; where the file has several, they are called name0, name1, ...
topology::graph graph_of(const document& file, const std::string& name);

/// One NVLink, one direction, as NCCL reckons by compute capability (src/graph/topo.h, SM60_NVLINK_BW and following):
/// what is left of 20, 25 and 50 GB/s after the protocol.
bandwidth nvlink_rate(int sm);

/// One xGMI link, one direction, as RCCL reckons (src/graph/topo.h, VEGA_XGMI_WIDTH and following).
bandwidth xgmi_rate(std::string_view gcn);

/// "9.0" of 90, "12.1" of 121.
std::string compute_of(int sm);

/// "gfx90a": RCCL's older files have numbers (convertGcnArchToGcnArchName in src/misc/archinfo.cc).
std::string gcn_name(std::string_view gcn);

/// True for what the operating system makes (veth, bridges): no part of a fabric.
bool is_software_net(std::string_view name);

}  // namespace hawser::discovery::nccl
