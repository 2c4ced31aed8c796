// A hierarchy in one line for people; unlike the synthetic form it is never refused, and never long.
#pragma once

#include <string>

#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// "rack:4 gpu:8", "rack:3 gpu:[8,8,5]", "node:2 gpu:4, ranks out of order", "rack:4+reduces gpu:8" where the switch
/// over the racks can reduce. Long lists are cut short.
inline std::string describe(const hierarchy& tree) {
  constexpr std::int64_t most_listed = 8;
  std::string text;
  for (const level& each : tree.levels()) {
    text.append(text.empty() ? "" : " ").append(each.name).append(":");
    if (each.units.is_uniform()) text += std::to_string(each.units.size(0));
    for (std::int64_t parent = 0; !each.units.is_uniform() && parent < each.units.parents() && parent < most_listed;
         ++parent)
      text.append(parent == 0 ? "[" : ",").append(std::to_string(each.units.size(parent)));
    if (!each.units.is_uniform()) text += each.units.parents() > most_listed ? ",...]" : "]";
    if (each.reduces_in_network) text += "+reduces";
  }
  if (!tree.is_in_rank_order()) text += ", ranks out of order";
  return text;
}

}  // namespace hawser::topology
