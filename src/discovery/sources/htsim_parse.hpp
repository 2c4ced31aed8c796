// What a .topo file of htsim says: a fat tree of two or three tiers.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include <hawser/topology/finding.hpp>

#include "../text.hpp"

namespace hawser::discovery::htsim_format {

struct tier {
  std::optional<int> speed_gbps{}, radix_down{}, radix_up{}, bundle{}, oversubscribed{};
  std::optional<int> latency_ns{}, switch_latency_ns{}, queue_down{}, queue_up{};
  std::size_t line = 0;  // 0: the file has no such tier
};

struct fat_tree {
  std::optional<int> nodes{}, tiers{}, pod_size{};
  std::array<tier, 3> tier_of{};
  std::vector<topology::finding> findings{};
};

/// Throws errc::parse with line and reason, also where a tier lacks what it needs.
fat_tree parse(const document& file);

}  // namespace hawser::discovery::htsim_format
