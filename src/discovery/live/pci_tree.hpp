// The PCI functions that matter to communication and the switches above them; what several live sources see alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/bus_id.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

inline constexpr std::uint32_t nvidia_vendor = 0x10de;
inline constexpr std::uint32_t amd_vendor = 0x1002;

/// A function's link towards the host. Empty or 0: not known (virtual machines leave them out).
struct pci_link {
  std::string speed;  ///< "32.0 GT/s PCIe"
  std::string max_speed;
  int width = 0;
  int max_width = 0;
};

struct pci_function {
  topology::bus_id id;
  std::uint32_t vendor = 0;
  std::uint32_t device = 0;
  std::uint32_t class_code = 0;             ///< base class and subclass: 0x0302
  std::vector<topology::bus_id> bridges{};  ///< from the root port down
  std::optional<int> numa{};                ///< as the system reports it; -1 for none
  std::optional<int> near{};                ///< the NUMA node it is at where `numa` does not tell
  std::string driver{};
  pci_link link{};
};

struct pci_tree {
  std::vector<pci_function> functions{};  ///< GPUs, NICs and NVSwitches
  std::map<topology::bus_id, pci_link> bridges{};
};

/// What a function is to communication, by its class and vendor; empty for all others. A display adapter (0x0300)
/// counts only from vendors whose GPUs compute: servers have one for the console.
std::optional<topology::node_kind> kind_of_function(std::uint32_t class_code, std::uint32_t vendor) noexcept;

/// Adds the tree below the NUMA nodes of a host that are in the graph already. Of the bridges only the upstream ports
/// of switches become nodes; root and downstream ports belong to their links. A part without NUMA node is linked to the
/// only one there is, or to none.
void add_pci_tree(topology::graph& machine, std::string_view host, const pci_tree& tree);

}  // namespace hawser::discovery
