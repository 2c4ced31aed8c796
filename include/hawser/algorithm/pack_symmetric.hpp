// Packs spanning trees into a network whose ranks are alike: one tree stands for what the network's rotations make of
// it, and links that are rotated into each other are one with all their capacity. ForestColl (arXiv:2402.06787) on the
// quotient by symmetry; the bound is exact, the trees grow greedily over the links with most room left.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/algorithm/network_symmetry.hpp>
#include <hawser/algorithm/pack_trees.hpp>

namespace hawser::algorithm {

/// Trees are grown for at most so many ranks of which none is like another, and over so many ranks in all.
inline constexpr int most_unlike_ranks = 128;
inline constexpr int most_symmetric_ranks = 4096;

namespace detail {

/// One direction of a network's links, those that rotations make of each other in one orbit.
class link_orbits {
 public:
  struct arc {
    int from, to, orbit;
    std::int64_t capacity;
  };

  link_orbits(const capacity_graph& graph, const network_symmetry& symmetry)
      : first_(static_cast<std::size_t>(graph.nodes()) + 1, 0) {
    for (int a = 0; a < graph.nodes(); ++a) {
      for (int b = 0; b < graph.nodes(); ++b)
        if (graph.at(a, b) > 0) arcs_.push_back({a, b, static_cast<int>(arcs_.size()), graph.at(a, b)});
      first_[static_cast<std::size_t>(a) + 1] = arcs_.size();
    }
    for (const node_permutation& turn : symmetry.turns)
      for (std::size_t i = 0; i < arcs_.size(); ++i) unite(i, turned(arcs_[i], turn));
    std::vector<int> members(arcs_.size(), 0);
    for (std::size_t i = 0; i < arcs_.size(); ++i) ++members[root_of(i)];
    for (std::size_t i = 0; i < arcs_.size(); ++i)
      stabiliser_.push_back(symmetry.rotations.size() / members[root_of(i)]);
    for (std::size_t i = 0; i < arcs_.size(); ++i) arcs_[i].orbit = static_cast<int>(root_of(i));
  }

  const std::vector<arc>& arcs() const noexcept { return arcs_; }
  /// A node's arcs are [begin(node), begin(node + 1)).
  std::size_t begin(int node) const { return first_[static_cast<std::size_t>(node)]; }
  /// How many of a tree's rotations use the same arc where the tree uses its orbit once.
  std::int64_t stabiliser(std::size_t arc_number) const { return stabiliser_[arc_number]; }

 private:
  std::size_t turned(const arc& each, const node_permutation& turn) const {
    const int from = turn[static_cast<std::size_t>(each.from)], to = turn[static_cast<std::size_t>(each.to)];
    const auto found = std::lower_bound(arcs_.begin() + static_cast<std::ptrdiff_t>(begin(from)),
                                        arcs_.begin() + static_cast<std::ptrdiff_t>(begin(from + 1)), to,
                                        [](const arc& a, int node) { return a.to < node; });
    return static_cast<std::size_t>(found - arcs_.begin());
  }
  // While orbits are joined, an arc's orbit is its parent in a forest.
  std::size_t root_of(std::size_t i) {
    while (static_cast<std::size_t>(arcs_[i].orbit) != i)
      i = static_cast<std::size_t>(arcs_[i].orbit = arcs_[static_cast<std::size_t>(arcs_[i].orbit)].orbit);
    return i;
  }
  void unite(std::size_t a, std::size_t b) {
    a = root_of(a), b = root_of(b);
    arcs_[std::max(a, b)].orbit = static_cast<int>(std::min(a, b));
  }

  std::vector<arc> arcs_;
  std::vector<std::size_t> first_;
  std::vector<std::int64_t> stabiliser_;
};

/// Grows one tree after the other, rank by rank. A tree takes the way whose fullest link is least full; ways lead over
/// switches, and end at a rank that the tree has not reached.
class symmetric_growth {
 public:
  /// At the bound a link is full with capacity * `parts` * blocks / capacity of the bound; it may carry `slack` of
  /// that.
  symmetric_growth(const capacity_graph& graph, const network_symmetry& symmetry, const link_orbits& links,
                   const bottleneck& limit, std::int64_t parts, double slack)
      : graph_(graph),
        rotations_(symmetry.rotations),
        links_(links),
        parts_(parts),
        fullest_(slack * (1 + 1e-9)),
        load_(links.arcs().size(), 0),
        orbit_load_(links.arcs().size(), 0),
        ways_(static_cast<std::size_t>(graph.nodes())) {
    const double rate = static_cast<double>(limit.capacity) / static_cast<double>(limit.blocks);
    for (const auto& each : links.arcs())
      per_load_.push_back(rate / (static_cast<double>(parts) * static_cast<double>(each.capacity)));
  }

  /// `parts` trees of each of some roots; nothing where the links do not suffice.
  std::optional<std::vector<schedule::packed_tree>> run(const std::vector<int>& roots) {
    std::vector<schedule::packed_tree> trees;
    for (const bool moved : {true, false})  // those that are rotated need room on every link of an orbit
      for (std::int64_t part = 0; part < parts_; ++part)
        for (const int root : roots) {
          if (rotations_.moves(root) != moved) continue;
          trees.push_back({root, 1, {}});
          if (!grow(trees.back(), moved)) return std::nullopt;
        }
    return trees;
  }

  /// At which every rank's block can leave it over the links as they are used, in units of capacity.
  double rate() const {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < load_.size(); ++i)
      if (const std::int64_t load = total_load(i); load > 0)
        least = std::min(least, static_cast<double>(links_.arcs()[i].capacity) / static_cast<double>(load));
    return least * static_cast<double>(parts_);
  }

 private:
  /// How good a way is: how full its fullest link becomes, its links, and how long the rank it starts at was reached.
  using quality = std::tuple<double, int, int>;
  static constexpr std::size_t no_arc = static_cast<std::size_t>(-1);
  static constexpr quality no_way{std::numeric_limits<double>::infinity(), 0, 0};
  struct way {
    quality best = no_way;
    std::size_t last = no_arc;  // the arc by which it arrives
  };

  std::int64_t total_load(std::size_t i) const {
    return load_[i] + orbit_load_[static_cast<std::size_t>(links_.arcs()[i].orbit)];
  }

  bool grow(schedule::packed_tree& tree, bool moved) {
    std::vector<int> order{tree.root};
    reached_.assign(static_cast<std::size_t>(graph_.ranks()), false);
    reached_[static_cast<std::size_t>(tree.root)] = true;
    while (static_cast<int>(order.size()) < graph_.ranks()) {
      const int target = find_way(order, moved);
      if (target < 0) return false;
      const int source = take_way(target, moved);
      tree.edges.emplace_back(source, target);
      reached_[static_cast<std::size_t>(target)] = true;
      order.push_back(target);
    }
    return true;
  }

  /// The nearest rank by `quality` that is not reached, as Dijkstra finds it; -1: there is no way to any.
  int find_way(const std::vector<int>& order, bool moved) {
    for (way& each : ways_) each = {};
    int target = -1;
    quality nearest = no_way;
    const auto follow = [&](int node, const quality& so_far) {
      for (std::size_t i = links_.begin(node); i < links_.begin(node + 1); ++i) {
        const int next = links_.arcs()[i].to;
        if (next < graph_.ranks() && reached_[static_cast<std::size_t>(next)]) continue;
        const double full = std::max(std::get<0>(so_far), filled(i, moved));
        const quality here{full, std::get<1>(so_far) + 1, std::get<2>(so_far)};
        way& known = ways_[static_cast<std::size_t>(next)];
        if (full > fullest_ || here >= known.best || here >= nearest) continue;
        known = {here, i};
        if (next < graph_.ranks())
          nearest = here, target = next;
        else
          open_.emplace(here, next);
      }
    };
    for (std::size_t i = 0; i < order.size(); ++i) follow(order[i], {0.0, 0, static_cast<int>(i)});
    while (!open_.empty()) {
      const auto [so_far, node] = open_.top();
      open_.pop();
      if (so_far < nearest && so_far == ways_[static_cast<std::size_t>(node)].best) follow(node, so_far);
    }
    return target;
  }
  /// How full an arc is once the tree uses it.
  double filled(std::size_t i, bool moved) const {
    return static_cast<double>(total_load(i) + (moved ? links_.stabiliser(i) : 1)) * per_load_[i];
  }
  /// Loads the links of the way found; where it starts.
  int take_way(int target, bool moved) {
    int node = target;
    do {
      const std::size_t i = ways_[static_cast<std::size_t>(node)].last;
      if (moved)
        orbit_load_[static_cast<std::size_t>(links_.arcs()[i].orbit)] += links_.stabiliser(i);
      else
        ++load_[i];
      node = links_.arcs()[i].from;
    } while (node >= graph_.ranks());
    return node;
  }

  const capacity_graph& graph_;
  const schedule::rank_rotations& rotations_;
  const link_orbits& links_;
  std::int64_t parts_;
  double fullest_;
  std::vector<std::int64_t> load_,
      orbit_load_;                // parts: of trees that are not rotated, and of those that are, by orbit
  std::vector<double> per_load_;  // what a part more fills of an arc
  std::vector<way> ways_;
  std::vector<bool> reached_;
  std::priority_queue<std::pair<quality, int>, std::vector<std::pair<quality, int>>, std::greater<>> open_;
};

/// One of each kind of ranks that are rotated into each other.
inline std::vector<int> representatives_of(const schedule::rank_rotations& rotations) {
  std::vector<bool> seen(static_cast<std::size_t>(rotations.ranks), false);
  std::vector<int> chosen;
  for (int r = 0; r < rotations.ranks; ++r) {
    if (seen[static_cast<std::size_t>(r)]) continue;
    chosen.push_back(r);
    if (!rotations.moves(r)) continue;
    for (int i = 0; i < rotations.size(); ++i) seen[static_cast<std::size_t>(rotations.moved(r, i))] = true;
  }
  return chosen;
}

}  // namespace detail

/// Parts that a block is cut into at most: each tree of a root carries one, and is a message of its own.
inline constexpr std::int64_t most_symmetric_parts = 32;

/// As `pack_trees`, for networks of many ranks that are alike (find_symmetry); 1,024 take a second. The rate is what
/// the links really carry: the bottleneck where the greedy growth reaches it, else less; compare it with
/// `find_bottleneck`. Throws errc::unsupported for a parted network, and where too many ranks are alike no other.
inline schedule::tree_packing pack_symmetric(const capacity_graph& graph, double bytes_per_second) {
  if (graph.ranks() < 2) return {1, 1, 0, {{0, 1, {}}}};
  if (graph.ranks() > most_symmetric_ranks)
    fail(errc::unsupported,
         "trees are packed by symmetry for at most " + std::to_string(most_symmetric_ranks) + " ranks",
         "the network has " + std::to_string(graph.ranks()));
  const network_symmetry symmetry = find_symmetry(graph);
  const std::vector<int> roots = detail::representatives_of(symmetry.rotations);
  if (static_cast<int>(roots.size()) > most_unlike_ranks)
    fail(errc::unsupported, "this network is too irregular to pack trees into",
         std::to_string(roots.size()) + " ranks are alike no other, at most " + std::to_string(most_unlike_ranks) +
             " may be",
         "number the ranks of equal boxes alike");
  const bottleneck limit = find_bottleneck(graph, roots);
  std::int64_t divisor = limit.capacity;
  const detail::link_orbits links(graph, symmetry);
  for (const auto& each : links.arcs()) divisor = std::gcd(divisor, each.capacity);
  const std::int64_t parts = std::min(limit.capacity / divisor, most_symmetric_parts);
  // What does not fit at the bound may fit a little below.
  for (const double slack : {1.0, 1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, std::numeric_limits<double>::infinity()}) {
    detail::symmetric_growth growth(graph, symmetry, links, limit, parts, slack);
    auto trees = growth.run(roots);
    if (trees) return {graph.ranks(), parts, growth.rate() * bytes_per_second, std::move(*trees), symmetry.rotations};
  }
  fail(errc::internal, "no trees were found in a network that is whole");
}

}  // namespace hawser::algorithm
