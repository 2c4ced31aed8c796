// What the labels of Kubernetes nodes say of where a node is: near things first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "placement.hpp"

namespace hawser::discovery {

using label_map = std::map<std::string, std::string>;

/// One step outwards from a node.
struct label_step {
  int order = 0;     ///< smaller is nearer
  std::string what;  ///< as Topograph calls it: "accelerator", "block", "tier-0"; else "rack", "zone", "region"
  std::string value;
  std::string level;  ///< the name of the level it makes, where the label names one
  bool is_accelerator = false;
};

/// The steps of a node, nearest first. Where labels of several generations say the same, the newest is taken.
std::vector<label_step> near_to_far(const label_map& labels);

/// True for a label that says something of a node's place, links or GPUs.
bool is_placement_label(std::string_view key);

struct labelled_node {
  std::string host;
  label_map labels;
  std::optional<std::int64_t> gpus;  ///< of the node's capacity
};

/// Hosts, their GPUs where labels count them, NVLink domains and the switches, racks and zones above them.
void place_nodes(placement& into, const std::vector<labelled_node>& nodes);

}  // namespace hawser::discovery
