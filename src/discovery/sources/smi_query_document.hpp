// What `nvidia-smi -q` says of each GPU, as text or as XML, and the graph of it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "../text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_queried_gpus = 1024;  ///< far beyond any host

/// The values are what the file has, "N/A" too; empty where it has none.
struct queried_gpu {
  std::string bus_id{};
  std::string product{};
  std::string uuid{};
  std::string minor{};
  std::string mig{};
  std::string c2c{};
  std::string performance{};                   ///< "P0"; an error's text where the GPU does not answer
  std::string generation{}, max_generation{};  ///< of PCIe
  std::string width{}, max_width{};
  std::string fabric_state{}, fabric_status{}, clique_id{}, cluster_uuid{};
  std::map<std::string, std::string> fabric_health{};  ///< "bandwidth": "Full", "route_unhealthy": "False"
  std::map<std::string, std::string> platform{};       ///< "slot_number", "tray_index", "chassis_serial_number"
  std::string lost{};                                  ///< why nothing can be said of it
};

struct smi_query_document {
  std::string driver{};
  std::string attached_gpus{};
  std::vector<queried_gpu> gpus{};
};

/// "Route Recovery in progress" becomes "route_recovery_in_progress".
std::string snake_case(std::string_view name);
/// True for the values that nvidia-smi has where a GPU does not answer: "GPU is lost", "Unknown Error", "ERR!".
bool says_lost(std::string_view value);
/// Sets `lost` where a value that every GPU has is an error.
void find_loss(queried_gpu& gpu);

smi_query_document parse_smi_query(const document& file);  ///< Throws errc::parse where the text has no GPU.

topology::graph graph_of(const document& file, const smi_query_document& all, const std::string& host);

}  // namespace hawser::discovery
