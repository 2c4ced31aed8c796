// What the tests of file sources share: fixtures, and questions to a graph.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/graph.hpp>

#include "support/mutate.hpp"
#include "support/truth.hpp"

namespace hawser::testing {

inline std::string fixture(std::string_view kind, std::string_view name) {
  const std::filesystem::path file = fixtures_of(kind) / name;
  EXPECT_TRUE(std::filesystem::exists(file)) << file;
  return text_of(file);
}

inline std::size_t count_of(const topology::graph& machine, topology::node_kind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(machine.nodes(), [&](const topology::node& each) { return each.kind == kind; }));
}

inline topology::node_index node_named(const topology::graph& machine, std::string_view name) {
  const auto found = std::ranges::find_if(machine.nodes(), [&](const auto& each) { return each.name == name; });
  if (found == machine.nodes().end()) {
    ADD_FAILURE() << "no node is named " << name;
    return 0;
  }
  return static_cast<topology::node_index>(found - machine.nodes().begin());
}

inline std::string attribute_of(const topology::graph& machine, std::string_view name, const std::string& key) {
  const auto& attributes = machine.nodes()[node_named(machine, name)].attributes;
  const auto found = attributes.find(key);
  return found == attributes.end() ? "" : found->second;
}

inline std::size_t links_between(const topology::graph& machine, topology::edge_kind kind, topology::node_kind a,
                                 topology::node_kind b) {
  return static_cast<std::size_t>(std::ranges::count_if(machine.edges(), [&](const topology::edge& each) {
    const auto first = machine.nodes()[each.a].kind, second = machine.nodes()[each.b].kind;
    return each.kind == kind && ((first == a && second == b) || (first == b && second == a));
  }));
}

inline bool has_finding(const topology::graph& machine, std::string_view code) {
  return std::ranges::any_of(machine.findings(), [&](const auto& each) { return each.code == code; });
}

/// Derives one rank per GPU; throws where the graph is no hierarchy.
inline topology::derived derive_all(const topology::graph& machine) {
  return topology::derive(machine);
}

}  // namespace hawser::testing
