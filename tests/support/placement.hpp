// What the tests of placement sources ask of a graph, and damaged copies of their fixtures.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>

#include "support/mutate.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double patience = 10;  ///< sanitizers slow everything down
#else
inline constexpr double patience = 1;
#endif

inline bool is_virtual(const topology::node& part) {
  return part.attributes.contains("virtual");
}

inline std::size_t count(const topology::graph& machine, topology::node_kind kind) {
  return static_cast<std::size_t>(
      std::count_if(machine.nodes().begin(), machine.nodes().end(), [&](const topology::node& each) {
        return each.kind == kind && (kind == topology::node_kind::nvswitch || !is_virtual(each));
      }));
}

/// The switches, not virtual ones, that no other is above.
inline std::vector<std::string> roots(const topology::graph& machine) {
  std::vector<std::string> found;
  for (topology::node_index each = 0; each < machine.nodes().size(); ++each) {
    const topology::node& part = machine.nodes()[each];
    const int tier = topology::switch_tier(part);
    const auto next = machine.neighbours(each);
    const bool has_parent = std::any_of(next.begin(), next.end(), [&](topology::node_index other) {
      return topology::switch_tier(machine.nodes()[other]) > tier && !is_virtual(machine.nodes()[other]);
    });
    if (tier > 0 && !is_virtual(part) && !has_parent) found.push_back(part.name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline int depth(const topology::graph& machine) {
  int highest = 0;
  for (const topology::node& each : machine.nodes())
    if (!is_virtual(each)) highest = std::max(highest, topology::switch_tier(each));
  return highest;
}

/// The hosts of each NVLink domain.
inline std::map<std::string, std::size_t> hosts_of_domains(const topology::graph& machine) {
  std::map<std::string, std::size_t> found;
  for (topology::node_index each = 0; each < machine.nodes().size(); ++each) {
    if (machine.nodes()[each].kind != topology::node_kind::nvswitch) continue;
    std::size_t& hosts = found[machine.nodes()[each].name];
    for (topology::node_index other : machine.neighbours(each))
      hosts += machine.nodes()[other].kind == topology::node_kind::host;
  }
  return found;
}

/// "rack:3": the levels of the hierarchy and their units, outermost first.
inline std::vector<std::string> levels(const topology::graph& machine) {
  std::vector<std::string> found;
  const topology::derived result = topology::derive(machine);
  for (int each = 0; each < result.hosted.tree.depth(); ++each) {
    const topology::level& level = result.hosted.tree.levels()[static_cast<std::size_t>(each)];
    found.push_back(level.name + ":" + std::to_string(level.units.total()));
  }
  return found;
}

inline std::vector<std::string> codes(const topology::graph& machine) {
  std::vector<std::string> found;
  for (const topology::finding& each : machine.findings()) found.push_back(each.code);
  return found;
}

/// A few hundred damaged copies of each fixture of a kind end in a graph or in an error of the parser.
inline void expect_damage_is_survived(const std::string& kind, int copies = 80) {
  expect_survives(discovery::file_source_of(kind), copies, topology::test_seed());
}

}  // namespace hawser::testing
