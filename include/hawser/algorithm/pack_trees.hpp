// Throughput-optimal spanning trees for any network, a broken one too: the all-gather that no other can beat.
// Zhao et al.: ForestColl (arXiv:2402.06787); Bang-Jensen, Frank, Jackson (edge splitting); Berczi, Frank (packing).
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <hawser/algorithm/capacity_graph.hpp>
#include <hawser/algorithm/max_flow.hpp>
#include <hawser/schedule/tree_packing.hpp>

namespace hawser::algorithm {

/// Trees are packed for at most this many ranks: the time grows with the fourth power of them, 64 take seconds.
inline constexpr int most_packed_ranks = 128;

/// The tightest cut: while one unit of every rank inside leaves it, `blocks` have to pass `capacity`. Every rank's
/// block can be sent at capacity / blocks and no faster.
struct bottleneck {
  std::int64_t blocks = 1, capacity = 1;  ///< in lowest terms
};

namespace detail {

/// The graph with a source that has `supply` for each rank, and edges that carry `scale` times their capacity.
inline max_flow with_source(const capacity_graph& graph, std::int64_t supply, std::int64_t scale, int more_nodes = 0) {
  max_flow flow(graph.nodes() + 1 + more_nodes);
  for (int r = 0; r < graph.ranks(); ++r) flow.add(graph.nodes(), r, supply);
  for (int a = 0; a < graph.nodes(); ++a)
    for (int b = 0; b < graph.nodes(); ++b) flow.add(a, b, scale * graph.at(a, b));
  return flow;
}

/// A cut between some rank and one of the sinks that allows less than a guessed bottleneck; empty: none does.
inline std::optional<bottleneck> tighter_cut(const capacity_graph& graph, const bottleneck& guess,
                                             const std::vector<int>& sinks) {
  for (const int sink : sinks) {
    max_flow flow = with_source(graph, guess.capacity, guess.blocks);
    const std::int64_t wanted = graph.ranks() * guess.capacity;
    if (flow.run(graph.nodes(), sink, wanted) >= wanted) continue;
    bottleneck found{0, 0};
    for (int a = 0; a < graph.nodes(); ++a) {
      if (!flow.is_reached(a)) continue;
      if (a < graph.ranks()) ++found.blocks;
      for (int b = 0; b < graph.nodes(); ++b)
        if (!flow.is_reached(b)) found.capacity += graph.at(a, b);
    }
    if (found.capacity == 0)
      fail(errc::unsupported, "no tree reaches every rank",
           "nothing leads out of a set of " + std::to_string(found.blocks) + " of the ranks",
           "check the links of the topology");
    const std::int64_t divisor = std::gcd(found.blocks, found.capacity);
    return bottleneck{found.blocks / divisor, found.capacity / divisor};
  }
  return std::nullopt;
}

/// Replaces the edges at a switch by edges between its neighbours, as much at a time as leaves the bottleneck as it is.
class switch_removal {
 public:
  switch_removal(capacity_graph& graph, std::int64_t trees_per_rank)
      : graph_(graph), supply_(trees_per_rank), wanted_(graph.ranks() * trees_per_rank) {}

  void run() {
    for (int w = graph_.ranks(); w < graph_.nodes(); ++w)
      for (int t = 0; t < graph_.nodes(); ++t) split_off(w, t);
  }

 private:
  void split_off(int w, int t) {
    for (int i = 1; i <= graph_.nodes() && graph_.at(w, t) > 0; ++i) {
      const int u = (t + i) % graph_.nodes();  // itself last: an edge back is lost
      const std::int64_t amount = movable(u, w, t);
      graph_.at(u, w) -= amount;
      graph_.at(w, t) -= amount;
      if (u != t) graph_.at(u, t) += amount;
    }
    if (graph_.at(w, t) > 0)
      fail(errc::unsupported, "a switch of this network cannot be replaced by links",
           "it receives less than it can send", "give both directions of a link the same bandwidth");
  }
  /// How much of u -> w -> t may become u -> t: cuts that part w from both u and t must keep their surplus.
  std::int64_t movable(int u, int w, int t) const {
    std::int64_t most = std::min(graph_.at(u, w), graph_.at(w, t));
    for (int v = 0; v < graph_.ranks() && most > 0; ++v) {
      most = std::min(most, surplus({graph_.nodes(), w}, {u, t, v}, most));
      if (most > 0 && v != u && v != t) most = std::min(most, surplus({graph_.nodes(), u, t}, {w, v}, most));
    }
    return most;
  }
  std::int64_t surplus(const std::vector<int>& from, const std::vector<int>& to, std::int64_t enough) const {
    max_flow flow = with_source(graph_, supply_, 1, 2);
    const int source = graph_.nodes() + 1, sink = graph_.nodes() + 2;
    for (int each : from) flow.add(source, each, max_flow::unlimited);
    for (int each : to) flow.add(each, sink, max_flow::unlimited);
    return flow.run(source, sink, wanted_ + enough) - wanted_;
  }

  capacity_graph& graph_;
  std::int64_t supply_, wanted_;
};

/// Grows the trees edge by edge. Trees that are alike so far are grown as one batch, and parted where they differ.
class tree_growth {
 public:
  tree_growth(capacity_graph& links, std::int64_t trees_per_rank) : links_(links) {
    for (int r = 0; r < links.ranks(); ++r) batches_.push_back({{r, trees_per_rank, {}}, {r}});
  }

  std::vector<schedule::packed_tree> run() {
    for (std::size_t i = 0; i < batches_.size(); ++i)
      while (static_cast<int>(batches_[i].reached.size()) < links_.ranks()) grow(i);
    std::vector<schedule::packed_tree> trees;
    for (batch& each : batches_) trees.push_back(std::move(each.tree));
    return trees;
  }

 private:
  struct batch {
    schedule::packed_tree tree;
    std::vector<int> reached;  // in this order: a tree grows from its oldest ranks, so that it stays low
  };

  void grow(std::size_t i) {
    for (const int x : std::vector<int>(batches_[i].reached))
      for (int step = 1; step < links_.ranks(); ++step) {
        const int y = (x + step) % links_.ranks();
        const auto& reached = batches_[i].reached;
        if (links_.at(x, y) == 0 || std::find(reached.begin(), reached.end(), y) != reached.end()) continue;
        if (const std::int64_t trees = room(i, x, y); trees > 0) return extend(i, x, y, trees);
      }
    fail(errc::internal, "a tree packing cannot be completed", "the bottleneck was not kept");
  }
  void extend(std::size_t i, int x, int y, std::int64_t trees) {
    if (trees < batches_[i].tree.parts) {
      batches_.push_back(batches_[i]);
      batches_.back().tree.parts -= trees;
      batches_[i].tree.parts = trees;
    }
    batches_[i].tree.edges.emplace_back(x, y);
    batches_[i].reached.push_back(y);
    links_.at(x, y) -= trees;
  }
  /// How many trees of a batch may take the edge, so that all other batches can still be completed.
  std::int64_t room(std::size_t i, int x, int y) const {
    const std::int64_t most = std::min(links_.at(x, y), batches_[i].tree.parts);
    const int n = links_.ranks();
    max_flow flow(n + static_cast<int>(batches_.size()));
    for (int a = 0; a < n; ++a)
      for (int b = 0; b < n; ++b) flow.add(a, b, links_.at(a, b));
    std::int64_t others = 0;
    for (std::size_t j = i + 1; j < batches_.size(); ++j) {  // those before are complete
      const int node = n + static_cast<int>(j);
      others += batches_[j].tree.parts;
      flow.add(x, node, batches_[j].tree.parts);
      for (const int each : batches_[j].reached) flow.add(node, each, max_flow::unlimited);
    }
    return std::min(most, flow.run(x, y, others + most) - others);
  }

  capacity_graph& links_;
  std::vector<batch> batches_;
};

}  // namespace detail

/// The bottleneck of an all-gather, exactly: from the cut around one rank on, a tighter one is taken until there is
/// none (Dinkelbach), a handful of times. Needs two ranks. `sinks`: ranks of which one of each kind is enough where
/// the network looks the same from others. Throws errc::unsupported for a parted network.
inline bottleneck find_bottleneck(const capacity_graph& graph, const std::vector<int>& sinks) {
  bottleneck found{graph.ranks() - 1, 0};
  for (int a = 0; a < graph.nodes(); ++a) found.capacity += graph.at(a, 0);
  if (found.capacity == 0) fail(errc::unsupported, "no tree reaches every rank", "rank 0 has no link");
  while (const auto tighter = detail::tighter_cut(graph, found, sinks)) found = *tighter;
  const std::int64_t divisor = std::gcd(found.blocks, found.capacity);
  return {found.blocks / divisor, found.capacity / divisor};
}

/// The same from every rank.
inline bottleneck find_bottleneck(const capacity_graph& graph) {
  std::vector<int> all(static_cast<std::size_t>(graph.ranks()));
  std::iota(all.begin(), all.end(), 0);
  return find_bottleneck(graph, all);
}

/// Trees of which each rank is the root of the same number, that use no link beyond its capacity, and that together
/// reach the bottleneck: an all-gather along them, and a reduce-scatter against them, take the least time possible.
/// Both directions of a link must have the same capacity. `bytes_per_second`: of one unit of capacity.
/// Throws errc::unsupported for a parted network or one of more than most_packed_ranks ranks.
inline schedule::tree_packing pack_trees(capacity_graph graph, double bytes_per_second) {
  if (graph.ranks() > most_packed_ranks)
    fail(errc::unsupported, "trees are packed for at most " + std::to_string(most_packed_ranks) + " ranks",
         "the network has " + std::to_string(graph.ranks()));
  if (graph.ranks() < 2) return {1, 1, 0, {{0, 1, {}}}};
  const bottleneck limit = find_bottleneck(graph);
  std::int64_t divisor = limit.capacity;
  for (int a = 0; a < graph.nodes(); ++a)
    for (int b = 0; b < graph.nodes(); ++b) divisor = std::gcd(divisor, graph.at(a, b));
  // A tree carries divisor / blocks units: then every link carries a whole number of trees, every rank has as many.
  const std::int64_t trees_per_rank = limit.capacity / divisor;
  for (int a = 0; a < graph.nodes(); ++a)
    for (int b = 0; b < graph.nodes(); ++b) graph.at(a, b) = graph.at(a, b) / divisor * limit.blocks;
  detail::switch_removal(graph, trees_per_rank).run();
  schedule::tree_packing packing{graph.ranks(), trees_per_rank, 0, {}};
  packing.bytes_per_second = bytes_per_second * static_cast<double>(limit.capacity) / static_cast<double>(limit.blocks);
  packing.trees = detail::tree_growth(graph, trees_per_rank).run();
  return packing;
}

}  // namespace hawser::algorithm
