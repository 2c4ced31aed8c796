// Topograph's models and NetQ's nodes as plain records.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "placement.hpp"

namespace hawser::discovery {

/// Hosts below a switch that share what they are annotated with.
struct capacity_block {
  std::string switch_name;  ///< empty: none
  std::string name;         ///< in older models
  std::vector<std::string> hosts;
  std::map<std::string, std::string> annotations;
  std::string domain;      ///< NVLink domain; empty: none
  std::string sub_domain;  ///< a part of it, such as a rack
};

/// A compute node of NVIDIA NetQ.
struct netq_node {
  std::string name;
  std::string domain;  ///< UUID
  std::vector<std::string> gpus;
  std::string health;
};

struct topograph_document {
  std::vector<switch_record> switches;  ///< those with a definition; labels are attributes
  std::vector<capacity_block> blocks;
  std::map<std::string, std::string> domain_of_host;  ///< of older models, which list nodes one by one
  std::vector<netq_node> netq_nodes;
};

/// Models of all generations (switches as map or list; blocks, capacity_blocks or nodes), and NetQ's list of nodes.
topograph_document parse_topograph(const document& file);

}  // namespace hawser::discovery
