// The text of a topology.yaml as plain records.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "placement.hpp"

namespace hawser::discovery {

/// A ring, or a torus with the hosts in the order of its coordinates, x fastest.
struct grid_record {
  std::string name;
  std::array<std::int64_t, 3> dimensions{};  ///< zero for a ring
  std::vector<std::string> hosts;
  std::vector<std::array<std::int64_t, 3>> coordinates;  ///< of each host of a torus
};

enum class slurm_plugin { tree, block, flat, ring, torus3d };
constexpr std::string_view to_string(slurm_plugin plugin) noexcept {
  constexpr std::array<std::string_view, 5> names = {"tree", "block", "flat", "ring", "torus3d"};
  return names[static_cast<std::size_t>(plugin)];
}

struct slurm_topology {
  std::string name;
  bool is_cluster_default = false;
  slurm_plugin plugin = slurm_plugin::flat;
  std::vector<switch_record> switches;
  std::vector<domain_record> blocks;
  std::vector<std::int64_t> block_sizes;
  std::vector<std::pair<std::string, std::string>> flat_options;
  std::vector<grid_record> grids;  ///< rings or toruses
  std::vector<topology::finding> findings;
};

/// Throws errc::parse with line and reason.
std::vector<slurm_topology> parse_slurm_yaml(const document& file);

/// The topology that describes the cluster: Slurm's default (the first one said to be, else the first), or the first
/// one that names hosts where that is flat; `topologies` is not empty.
const slurm_topology& default_topology(const std::vector<slurm_topology>& topologies);

/// Places the hosts of rings and toruses that are wanted. The links between them are not drawn: one virtual switch
/// joins the hosts of each, and every host knows where it stands.
void place_grids(placement& into, const slurm_topology& from, const std::function<bool(const std::string&)>& is_wanted);

/// Places the topology and notes which ones are left out.
void place_slurm_yaml(placement& into, const std::vector<slurm_topology>& topologies);

}  // namespace hawser::discovery
