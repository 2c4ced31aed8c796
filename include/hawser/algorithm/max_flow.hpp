// Largest flow between two nodes of a small directed graph with whole capacities (Dinic 1970).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hawser::algorithm {

/// A network of numbered nodes that is filled with links and asked once.
class max_flow {
 public:
  static constexpr std::int64_t unlimited = INT64_MAX / 4;

  explicit max_flow(int nodes) : edges_of_(static_cast<std::size_t>(nodes)) {}

  /// Adds a link in one direction; one without capacity, or to itself, changes nothing.
  void add(int from, int to, std::int64_t capacity) {
    if (capacity <= 0 || from == to) return;
    edges_of_[index(from)].push_back(static_cast<int>(arcs_.size()));
    arcs_.push_back({to, capacity});
    edges_of_[index(to)].push_back(static_cast<int>(arcs_.size()));
    arcs_.push_back({from, 0});
  }

  /// The largest flow, or `enough` if it is at least that. Uses up the capacities.
  std::int64_t run(int source, int sink, std::int64_t enough = unlimited) {
    std::int64_t flow = 0;
    while (flow < enough && find_levels(source, sink)) {
      next_.assign(edges_of_.size(), 0);
      while (flow < enough) {
        const std::int64_t more = push(source, sink, enough - flow);
        if (more == 0) break;
        flow += more;
      }
    }
    return flow;
  }
  /// After a run that found less than enough: whether a node is on the source's side of a smallest cut.
  bool is_reached(int node) const { return level_[index(node)] >= 0; }

 private:
  struct arc {
    int to;
    std::int64_t left;
  };
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }

  bool find_levels(int source, int sink) {
    level_.assign(edges_of_.size(), -1);
    level_[index(source)] = 0;
    std::vector<int> queue{source};
    for (std::size_t i = 0; i < queue.size(); ++i)
      for (const int each : edges_of_[index(queue[i])]) {
        const arc& a = arcs_[index(each)];
        if (a.left == 0 || level_[index(a.to)] >= 0) continue;
        level_[index(a.to)] = level_[index(queue[i])] + 1;
        queue.push_back(a.to);
      }
    return level_[index(sink)] >= 0;
  }
  std::int64_t push(int node, int sink, std::int64_t limit) {
    if (node == sink) return limit;
    for (std::size_t& i = next_[index(node)]; i < edges_of_[index(node)].size(); ++i) {
      const int each = edges_of_[index(node)][i];
      arc& a = arcs_[index(each)];
      if (a.left == 0 || level_[index(a.to)] != level_[index(node)] + 1) continue;
      if (const std::int64_t pushed = push(a.to, sink, std::min(limit, a.left)); pushed > 0) {
        arcs_[index(each)].left -= pushed;
        arcs_[index(each ^ 1)].left += pushed;
        return pushed;
      }
    }
    return 0;
  }

  std::vector<std::vector<int>> edges_of_;
  std::vector<arc> arcs_;  // each beside its reverse
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

}  // namespace hawser::algorithm
