// Orders the switches of a tree: levels from the leaves, cycles, definitions that are missing or repeated.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "placement.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_named_cycles = 50;
inline constexpr std::size_t max_cycle_names = 20;

struct switch_order {
  std::vector<switch_record> switches;             ///< each name once; undefined children at the end
  std::vector<std::vector<std::size_t>> children;  ///< without the links that close cycles
  std::vector<int> level;                          ///< 1: no switch below
  std::vector<std::string> defined_twice;
  std::vector<std::pair<std::string, std::string>> undefined;  ///< parent and child
  std::vector<std::vector<std::string>> cycles;                ///< from a switch down to itself; the first ones
  std::size_t cycle_count = 0;
};

/// Linear in the records, up to logarithms.
switch_order order_switches(std::vector<switch_record> records);

}  // namespace hawser::discovery
