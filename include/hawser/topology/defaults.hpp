// Link figures that are assumed for a level until something better is known: each per direction, with its source.
#pragma once

#include <string_view>

#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// The built-in figures of a level's link upwards; provenance is always `assumed`.
///
/// - `gpu`: 450 GB/s is NVLink 4 (NVIDIA H100 data sheet: 900 GB/s, both directions together); 1 us is the class that
///   ASTRA-sim's validated H100 NVSwitch configuration (936 ns) lies in.
/// - `rank`, several on one GPU or host: 8 GB/s and 0.5 us are the class of one core's copy through host memory.
/// - every other name: 50 GB/s is one 400 Gb/s NDR port (NVIDIA ConnectX-7 data sheet), 5 us is NCCL's network hop for
///   the tree with the LL protocol (NCCL 2.30.7, src/graph/tuning.cc). NCCL does not tell near from far networks apart,
///   so neither do these.
constexpr link default_link(std::string_view level_name) noexcept {
  if (level_name == "gpu") return {bandwidth{450e9}, seconds{1e-6}, provenance::assumed};
  if (level_name == "rank") return {bandwidth{8e9}, seconds{0.5e-6}, provenance::assumed};
  return {bandwidth{50e9}, seconds{5e-6}, provenance::assumed};
}

}  // namespace hawser::topology
