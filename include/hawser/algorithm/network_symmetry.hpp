// Finds rotations of ranks under which a network is the same, and proves each of them on every link.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <hawser/algorithm/capacity_graph.hpp>
#include <hawser/schedule/rank_rotations.hpp>

namespace hawser::algorithm {

/// Where every node of a network goes, switches included.
using node_permutation = std::vector<int>;

/// Rotations of a network's ranks, and what each digit's smallest turn does to all nodes.
struct network_symmetry {
  schedule::rank_rotations rotations;
  std::vector<node_permutation> turns{};
};

namespace detail {

/// Looks at each node's links in time proportional to them.
class symmetry_finder {
 public:
  explicit symmetry_finder(const capacity_graph& graph)
      : graph_(graph), neighbours_(static_cast<std::size_t>(graph.nodes())) {
    for (int a = 0; a < graph.nodes(); ++a)
      for (int b = 0; b < graph.nodes(); ++b)
        if (graph.at(a, b) > 0 || graph.at(b, a) > 0) neighbours_[index(a)].push_back(b);
  }

  /// The symmetry that leaves the fewest kinds of ranks: of all of them, or of those of which many look alike while the
  /// others stay where they are.
  network_symmetry run() const {
    network_symmetry best = rotate_all_but({});
    for (const std::vector<int>& fixed : rare_ranks()) {
      if (kinds(best) == 1) break;
      network_symmetry found = rotate_all_but(fixed);
      if (kinds(found) < kinds(best)) best = std::move(found);
    }
    return best;
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    std::uint64_t x = a * 0x9e3779b97f4a7c15ULL ^ (b + 0x632be59bd9b4e019ULL);  // as splitmix64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
  }

  /// Colours of nodes, refined by those of their neighbours: ranks keep their own in them, switches have none at first.
  std::vector<std::uint64_t> refined(std::vector<std::uint64_t> colours, int rounds) const {
    for (int round = 0; round < rounds; ++round) {
      std::vector<std::uint64_t> next(colours.size());
      for (int a = 0; a < graph_.nodes(); ++a) {
        std::uint64_t sum = 0;
        for (const int b : neighbours_[index(a)]) {
          const auto both =
              mixed(static_cast<std::uint64_t>(graph_.at(a, b)), static_cast<std::uint64_t>(graph_.at(b, a)));
          sum += mixed(colours[index(b)], both);
        }
        next[index(a)] = mixed(colours[index(a)], sum);
      }
      colours.swap(next);
    }
    return colours;
  }

  /// Ranks that are no rotation of each other.
  static std::size_t kinds(const network_symmetry& of) {
    const std::size_t fixed = of.rotations.fixed.size(), all = index(of.rotations.ranks);
    return fixed + (all - fixed) / index(of.rotations.size());
  }

  /// The ranks that few others look like: for several ideas of few, the fewest first. One class is left at least.
  std::vector<std::vector<int>> rare_ranks() const {
    std::vector<std::uint64_t> colours(index(graph_.nodes()), 1);
    for (int r = 0; r < graph_.ranks(); ++r) colours[index(r)] = 2;
    colours = refined(std::move(colours), rounds_of_colours);
    std::map<std::uint64_t, int> ranks_of;
    for (int r = 0; r < graph_.ranks(); ++r) ++ranks_of[colours[index(r)]];
    std::set<int> sizes;
    for (const auto& [colour, ranks] : ranks_of) sizes.insert(ranks);
    std::vector<std::vector<int>> rare;
    for (const int few : sizes) {
      if (few == *sizes.rbegin() || rare.size() == most_ideas_of_few) break;
      rare.emplace_back();
      for (int r = 0; r < graph_.ranks(); ++r)
        if (ranks_of[colours[index(r)]] <= few) rare.back().push_back(r);
    }
    return rare;
  }

  /// The finest rotations, outermost digit first, and within each of its steps the next.
  network_symmetry rotate_all_but(std::vector<int> fixed) const {
    network_symmetry found{{graph_.ranks(), std::move(fixed), {}}, {}};
    int block = graph_.ranks() - static_cast<int>(found.rotations.fixed.size());
    while (block > 1) {
      int step = 1;
      for (; step < block; ++step) {
        if (block % step != 0) continue;
        const rotation turn{block, step};
        auto nodes = extended({graph_.ranks(), found.rotations.fixed, {turn}});
        if (nodes && fits(*nodes, block / step, found.turns)) {
          found.rotations.digits.push_back(turn);
          found.turns.push_back(std::move(*nodes));
          break;
        }
      }
      block = step < block ? step : largest_part(block);
    }
    return found;
  }
  using rotation = schedule::rotation;
  static int largest_part(int number) {
    int factor = 2;
    while (number % factor != 0) ++factor;
    return number / factor;
  }

  /// What a rotation's smallest turn does to all nodes, if it leaves every link where one of its capacity is.
  std::optional<node_permutation> extended(const schedule::rank_rotations& turn) const {
    const int nodes = graph_.nodes(), ranks = graph_.ranks();
    std::vector<std::uint64_t> here(index(nodes), 0), there(index(nodes), 0);
    for (int r = 0; r < ranks; ++r) {
      here[index(r)] = static_cast<std::uint64_t>(turn.moved(r, 1)) + 1;
      there[index(r)] = static_cast<std::uint64_t>(r) + 1;
    }
    here = refined(std::move(here), rounds_of_switches);
    there = refined(std::move(there), rounds_of_switches);
    node_permutation to(index(nodes));
    for (int r = 0; r < ranks; ++r) to[index(r)] = turn.moved(r, 1);
    std::vector<std::pair<std::uint64_t, int>> from, onto;
    for (int w = ranks; w < nodes; ++w) {
      from.emplace_back(here[index(w)], w);
      onto.emplace_back(there[index(w)], w);
    }
    std::sort(from.begin(), from.end());
    std::sort(onto.begin(), onto.end());
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].first != onto[i].first) return std::nullopt;
      to[index(from[i].second)] = onto[i].second;
    }
    if (!keeps_links(to)) return std::nullopt;
    return to;
  }
  bool keeps_links(const node_permutation& to) const {
    for (int a = 0; a < graph_.nodes(); ++a)
      for (const int b : neighbours_[index(a)])
        if (graph_.at(a, b) != graph_.at(to[index(a)], to[index(b)])) return false;
    return true;
  }

  /// Whether the turn is undone by as many as undo it among ranks, and commutes with others: among switches, too.
  static bool fits(const node_permutation& turn, int turns, const std::vector<node_permutation>& others) {
    for (std::size_t a = 0; a < turn.size(); ++a) {
      int at = static_cast<int>(a);
      for (int i = 0; i < turns; ++i) at = turn[index(at)];
      if (at != static_cast<int>(a)) return false;
      for (const node_permutation& other : others)
        if (turn[index(other[a])] != other[index(turn[a])]) return false;
    }
    return true;
  }

  /// Switches are told apart by ranks that are at most so many links away.
  static constexpr int rounds_of_switches = 8;
  static constexpr int rounds_of_colours = 16;
  static constexpr std::size_t most_ideas_of_few = 8;

  const capacity_graph& graph_;
  std::vector<std::vector<int>> neighbours_;
};

}  // namespace detail

/// Rotations of ranks' numbers that a network does not change under. Which are looked for depends on the numbering: the
/// ranks of equal boxes, rows or coordinates should follow each other at equal distances. What is found was compared
/// link by link; where nothing is found the identity is left.
inline network_symmetry find_symmetry(const capacity_graph& graph) {
  return detail::symmetry_finder(graph).run();
}

}  // namespace hawser::algorithm
