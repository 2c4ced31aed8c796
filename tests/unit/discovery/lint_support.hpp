// Graphs built by hand for the tests of lint rules, and the findings of one rule.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/lint.hpp>
#include <hawser/topology/graph.hpp>
#include <hawser/topology/identity.hpp>

namespace hawser::discovery {

using topology::edge_kind;
using topology::finding;
using topology::graph;
using topology::node_index;
using topology::node_kind;
using topology::severity;

using attribute_map = std::map<std::string, std::string>;

/// A graph with names as the sources give them.
struct machine {
  graph parts;

  node_index host(const std::string& name) {
    return parts.add_node({.kind = node_kind::host, .name = name, .identities = {topology::identity::host(name)}});
  }
  node_index part(node_kind kind, node_index host, const std::string& name, attribute_map attributes = {}) {
    const node_index made = parts.add_node(
        {.kind = kind, .name = parts.nodes()[host].name + ":" + name, .attributes = std::move(attributes)});
    parts.contain(host, made);
    return made;
  }
  node_index gpu(node_index host, int index, attribute_map attributes = {}) {
    return part(node_kind::gpu, host, "GPU" + std::to_string(index), std::move(attributes));
  }
  node_index nic(node_index host, int index, attribute_map attributes = {}) {
    return part(node_kind::nic, host, "mlx5_" + std::to_string(index), std::move(attributes));
  }
  node_index leaf(const std::string& name) { return parts.add_node({.kind = node_kind::leaf_switch, .name = name}); }
  node_index spine(const std::string& name) { return parts.add_node({.kind = node_kind::spine_switch, .name = name}); }

  void link(node_index a, node_index b, edge_kind kind, double gigabytes = 0, attribute_map attributes = {}) {
    topology::edge between{.a = a, .b = b, .kind = kind, .attributes = std::move(attributes)};
    if (gigabytes > 0) between.rate = bandwidth{gigabytes * 1e9};
    parts.add_edge(between);
  }
  void nvlinks(node_index a, node_index b, int links) {
    for (int each = 0; each < links; ++each) link(a, b, edge_kind::nvlink, 25);
  }
};

/// What one rule finds. Fails where the rule does not exist or its findings have other codes.
inline std::vector<finding> found_by(std::string_view code, const graph& parts) {
  for (const lint_rule& each : lint_rules()) {
    if (each.code != code) continue;
    std::vector<finding> found;
    each.check(parts, found);
    for (const finding& one : found) {
      EXPECT_EQ(one.code, code);
      EXPECT_FALSE(one.subject.empty());
      EXPECT_GT(one.message.size(), 40u) << one.message;
    }
    return found;
  }
  ADD_FAILURE() << "there is no rule " << code;
  return {};
}
inline std::vector<finding> found_by(std::string_view code, const machine& made) {
  return found_by(code, made.parts);
}

/// Fails unless exactly one finding has that severity, that subject and these words; the message is printed.
inline void expect_one(const std::vector<finding>& found, severity level, std::string_view subject,
                       std::string_view words) {
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].level, level);
  EXPECT_EQ(found[0].subject, subject);
  EXPECT_NE(found[0].message.find(words), std::string::npos) << found[0].message;
}

}  // namespace hawser::discovery
