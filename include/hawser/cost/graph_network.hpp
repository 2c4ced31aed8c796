// The network that planners know beside their hierarchy, from a machine's graph.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/cost/network_load.hpp>
#include <hawser/topology/fingerprint.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::cost {

/// Capacities are kept for every pair of nodes: 32 MiB.
inline constexpr std::size_t most_network_nodes = 2048;

/// The links between the GPUs of a graph, the i-th of which is rank i, and their switches, in bytes/s. Null where there
/// is only the hierarchy to plan by: no GPU, a link of unknown rate, or more than `most_network_nodes` parts.
inline std::shared_ptr<const network> network_of(const topology::graph& machine) {
  if (machine.nodes().size() > most_network_nodes) return nullptr;
  try {
    auto links = algorithm::capacities(machine);
    if (links.ranks() == 0) return nullptr;
    return std::make_shared<const network>(network{std::move(links), algorithm::capacity_unit_bytes_per_second});
  } catch (const error& failure) {
    if (failure.code() != errc::invalid_argument) throw;
    return nullptr;  // a rate is not known
  }
}

/// The same links for ranks placed otherwise: rank r stands where rank `was[r]` stood, each exactly once.
inline network with_ranks_at(const network& known, const std::vector<int>& was) {
  const int ranks = known.links.ranks(), nodes = known.links.nodes();
  const auto before = [&](int node) { return node < ranks ? was[static_cast<std::size_t>(node)] : node; };
  network made{algorithm::capacity_graph(ranks, nodes - ranks), known.unit_bytes_per_second};
  for (int a = 0; a < nodes; ++a)
    for (int b = 0; b < nodes; ++b) made.links.at(a, b) = known.links.at(before(a), before(b));
  return made;
}

/// Equal for equal networks, so that ranks can compare theirs; "none" for null.
inline std::string digest(const network* known) {
  if (known == nullptr) return "none";
  topology::detail::hasher hash;
  hash.add(known->unit_bytes_per_second);
  hash.add(static_cast<std::uint64_t>(known->links.ranks()));
  for (int a = 0; a < known->links.nodes(); ++a)
    for (int b = 0; b < known->links.nodes(); ++b) hash.add(static_cast<std::uint64_t>(known->links.at(a, b)));
  return topology::detail::hexadecimal(hash.value());
}

}  // namespace hawser::cost
