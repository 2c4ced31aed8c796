// Whether the GPUs of this host can read and write each other's memory, and if not, why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/finding.hpp>

namespace hawser::discovery {

/// What carries an access to another GPU's memory.
enum class peer_path {
  none,   ///< through host memory only
  pcie,   ///< PCI Express
  nvlink  ///< NVLink, directly or through switches
};
/// In words, as tables have it.
constexpr std::string_view to_string(peer_path path) noexcept {
  return path == peer_path::nvlink ? "NVLink" : path == peer_path::pcie ? "PCIe" : "none";
}

/// From one GPU to another; the way back is an entry of its own.
struct peer_access {
  std::string gpu;   ///< as in the topology: "n1:GPU0"
  std::string peer;  ///< whose memory is accessed
  bool can_read = false;
  bool can_write = false;
  peer_path path = peer_path::none;
  std::string nearest{};  ///< what both are below: "one PCIe switch", "different CPUs"; empty where it is not known
  std::string why_not{};  ///< in words, where it cannot do both
};

/// All pairs of GPUs of this host.
struct peer_report {
  std::vector<peer_access> pairs;           ///< ordered by GPU, then peer; empty with fewer than two GPUs
  std::vector<topology::finding> findings;  ///< why nothing could be asked
};

/// Asks NVIDIA's management library about every pair of this host's GPUs.
peer_report ask_peer_access(const live_environment& environment = this_host());

}  // namespace hawser::discovery
