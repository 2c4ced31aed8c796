// Findings that follow from a whole topology: rules over the merged graph.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <hawser/topology/finding.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// One rule is one file in src/discovery/lint and one line in its registry.
struct lint_rule {
  std::string_view code;  ///< of the findings that it makes
  std::string_view what;  ///< one sentence
  void (*check)(const topology::graph& machine, std::vector<topology::finding>& found);
};

/// All rules, in the order in which they run.
std::span<const lint_rule> lint_rules();

/// The findings of the sources, then those of every rule. Linear in the graph, up to logarithms.
std::vector<topology::finding> lint(const topology::graph& machine);

}  // namespace hawser::discovery
