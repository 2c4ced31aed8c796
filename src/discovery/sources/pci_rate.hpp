// PCI Express: what generation and lanes carry, and how Linux and NCCL spell the speed.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/units.hpp>

#include "../text.hpp"

namespace hawser::discovery {

struct pci_generation {
  const char* name;
  double gigatransfers;  ///< per second and lane, one bit each
  const char* spelling;  ///< of Linux since 5.7, which NCCL reads: "16.0 GT/s PCIe"
  double efficiency;     ///< 8b/10b, 128b/130b; from generation 6 on 242 of the 256 bytes of a flit carry packets
};
inline constexpr std::array<pci_generation, 7> pci_generations = {{{"gen1", 2.5, "2.5 GT/s PCIe", 0.8},
                                                                   {"gen2", 5, "5.0 GT/s PCIe", 0.8},
                                                                   {"gen3", 8, "8.0 GT/s PCIe", 128.0 / 130},
                                                                   {"gen4", 16, "16.0 GT/s PCIe", 128.0 / 130},
                                                                   {"gen5", 32, "32.0 GT/s PCIe", 128.0 / 130},
                                                                   {"gen6", 64, "64.0 GT/s PCIe", 242.0 / 256},
                                                                   {"gen7", 128, "128.0 GT/s PCIe", 242.0 / 256}}};

/// Of "16 GT/s", "16.0 GT/s" or "16.0 GT/s PCIe"; null for anything else ("", "Unknown").
inline const pci_generation* pci_generation_of(std::string_view speed) {
  const auto parts = words(speed);
  if (parts.size() < 2 || parts[1] != "GT/s") return nullptr;
  const auto value = to_number(parts[0]);
  for (const pci_generation& each : pci_generations)
    if (value && *value == each.gigatransfers) return &each;
  return nullptr;
}
/// Of "gen4".
inline const pci_generation* pci_generation_named(std::string_view name) {
  for (const pci_generation& each : pci_generations)
    if (each.name == name) return &each;
  return nullptr;
}

/// One direction of a link.
inline bandwidth pci_rate(const pci_generation& generation, int lanes) {
  return {generation.gigatransfers * 1e9 / 8 * generation.efficiency * lanes};
}

}  // namespace hawser::discovery
