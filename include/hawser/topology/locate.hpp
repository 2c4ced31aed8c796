// Which nodes of a topology ranks run on, by host name and GPU number.
#pragma once

#include <charconv>
#include <map>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::topology {

/// Where a rank runs: the name of a host, and the number of a GPU among those that the host contains (the attribute
/// "index" where the GPUs have one, else the order of the graph).
struct gpu_location {
  std::string host;
  int gpu = 0;
};

/// The nodes of the GPUs that ranks run on, for `derive`. Throws errc::not_found, naming rank, host and GPU.
inline std::vector<node_index> locate(const graph& topology, const std::vector<gpu_location>& location_of_rank) {
  std::map<std::string, std::map<int, node_index>> places_of_host;
  for (node_index each = 0; each < topology.nodes().size(); ++each) {
    const auto host = topology.host_of(each);
    const node& part = topology.nodes()[each];
    if (part.kind != node_kind::gpu || !host) continue;
    auto& gpus = places_of_host[topology.nodes()[*host].name];
    int index = static_cast<int>(gpus.size());
    if (const auto given = part.attributes.find("index"); given != part.attributes.end())
      std::from_chars(given->second.data(), given->second.data() + given->second.size(), index);
    gpus.emplace(index, each);
  }
  std::vector<node_index> found;
  for (const gpu_location& each : location_of_rank) {
    const std::string who = "rank " + std::to_string(found.size()) + " is on host \"" + each.host + "\"";
    const auto host = places_of_host.find(each.host);
    if (host == places_of_host.end()) fail(errc::not_found, who, "the topology has no GPUs of such a host");
    const auto gpu = host->second.find(each.gpu);
    if (gpu == host->second.end())
      fail(errc::not_found, who + ", GPU " + std::to_string(each.gpu), "the topology has no such GPU there");
    found.push_back(gpu->second);
  }
  return found;
}

}  // namespace hawser::topology
