// What a topology amounts to: the counts, levels and findings that scripts and people ask for first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <hawser/topology/finding.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// What no source tells is empty and not 0.
struct summary {
  using count = std::optional<std::int64_t>;
  count hosts{};
  count gpus{};
  std::optional<std::vector<std::vector<std::string>>> nvlink_domains{};  ///< GPUs by name, of two and more
  count nics{};
  count numa_nodes{};
  std::optional<std::map<int, std::int64_t>> switches_by_level{};  ///< 1: with hosts below; no virtual ones
  count links{};  ///< cables between hosts, NICs and switches, each once; without those that lead back to a host
  std::optional<std::vector<std::string>> levels{};  ///< of the derived hierarchy, outermost first
  std::vector<topology::finding> findings{};         ///< of the sources, of lint and of the derivation
  friend bool operator==(const summary&, const summary&) = default;
};

/// Counts, checks (`lint`) and derives (`topology::derive`). Where no hierarchy follows, a finding "no-hierarchy" says
/// why.
summary summarise(const topology::graph& machine);

/// The object of docs/schema/summary-1.json; bytes that are not UTF-8 are replaced. Throws errc::unsupported where
/// hawser was built without nlohmann-json.
std::string to_json(const summary& what);

/// For people: aligned lines, then the findings, the worst first; many of one code are cut short.
std::string to_text(const summary& what);

}  // namespace hawser::discovery
