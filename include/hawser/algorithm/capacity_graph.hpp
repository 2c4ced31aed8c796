// What trees are packed into: ranks and switches, and how much may pass between them in a second.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::algorithm {

/// Nodes 0 .. ranks - 1 are the ranks, the rest forward only. Capacities are whole, in any one unit.
class capacity_graph {
 public:
  capacity_graph(int ranks, int switches)
      : ranks_(ranks), nodes_(ranks + switches), capacity_(index(nodes_) * index(nodes_), 0) {}

  int ranks() const noexcept { return ranks_; }
  int nodes() const noexcept { return nodes_; }
  /// What the links from one node to the other carry together, in the caller's unit; 0: there is none.
  std::int64_t at(int from, int to) const { return capacity_[index(from) * index(nodes_) + index(to)]; }
  std::int64_t& at(int from, int to) { return capacity_[index(from) * index(nodes_) + index(to)]; }
  /// Adds a link with a capacity per direction.
  void join(int a, int b, std::int64_t capacity) {
    at(a, b) += capacity;
    at(b, a) += capacity;
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  int ranks_, nodes_;
  std::vector<std::int64_t> capacity_;
};

/// Capacities of a topology's graph are counted in these: far below any link's rate.
inline constexpr double capacity_unit_bytes_per_second = 1e6;

/// Rank i is the graph's i-th GPU. Links carry data; that a host contains a part does not.
/// Throws errc::invalid_argument where a link's rate is not known.
inline capacity_graph capacities(const topology::graph& machine) {
  std::vector<int> number(machine.nodes().size());
  int ranks = 0;
  for (std::size_t i = 0; i < number.size(); ++i)
    if (machine.nodes()[i].kind == topology::node_kind::gpu) number[i] = ranks++;
  int nodes = ranks;
  for (std::size_t i = 0; i < number.size(); ++i)
    if (machine.nodes()[i].kind != topology::node_kind::gpu) number[i] = nodes++;
  capacity_graph found(ranks, nodes - ranks);
  for (const topology::edge& each : machine.edges()) {
    if (each.kind == topology::edge_kind::contains) continue;
    if (!each.rate)
      fail(errc::invalid_argument,
           "the link between \"" + machine.nodes()[each.a].name + "\" and \"" + machine.nodes()[each.b].name +
               "\" has no bandwidth",
           "trees are packed by the bandwidth of links", "give it in a topology file");
    found.join(number[each.a], number[each.b],
               std::llround(each.rate->bytes_per_second / capacity_unit_bytes_per_second));
  }
  return found;
}

}  // namespace hawser::algorithm
