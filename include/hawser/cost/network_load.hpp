// What an algorithm's messages put on the links of a real network, of which a hierarchy is only the outline: meshes,
// broken links, uneven NICs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hawser/algorithm/capacity_graph.hpp>
#include <hawser/algorithm/generate.hpp>
#include <hawser/cost/rank_traffic.hpp>

namespace hawser::cost {

/// The links between ranks and switches; node r of `links` is rank r.
struct network {
  algorithm::capacity_graph links;
  double unit_bytes_per_second = 1;  ///< of one unit of capacity
};

/// The network that a hierarchy says there is: a switch where units meet, each unit's link into it.
inline network network_of(const topology::hierarchy& tree) {
  const auto size = static_cast<int>(tree.size());
  int switches = 1;  // the units of all levels but the last, and the one above all
  for (int d = 0; d + 1 < tree.depth(); ++d) switches += static_cast<int>(tree.at(d).units.total());
  network made{algorithm::capacity_graph(size, switches), algorithm::capacity_unit_bytes_per_second};
  int above = size, below = size + 1;  // the first node of the level above, and of this one
  for (int d = 0; d < tree.depth(); ++d) {
    const topology::child_counts& units = tree.at(d).units;
    const bool are_ranks = d + 1 == tree.depth();
    const auto capacity = static_cast<std::int64_t>(tree.at(d).up.rate.bytes_per_second / made.unit_bytes_per_second);
    for (std::int64_t unit = 0; unit < units.total(); ++unit)
      made.links.join(are_ranks ? tree.rank_at(unit).value : below + static_cast<int>(unit),
                      above + static_cast<int>(units.parent_of(unit)), std::max<std::int64_t>(capacity, 1));
    above = below;
    below += static_cast<int>(units.total());
  }
  return made;
}

/// The busiest link of a network: seconds for each byte of a block, and the blocks that pass it.
struct busiest_link {
  double seconds_per_byte = 0;
  double blocks = 0;
};

/// Sends each message the way of the fewest links, over other ranks only where there is no other way; which way does
/// not depend on bandwidths, so that more bandwidth never makes a link busier.
class network_load {
 public:
  explicit network_load(const network& of) : network_(of), neighbours_(index(of.links.nodes())) {
    for (int a = 0; a < of.links.nodes(); ++a)
      for (int b = 0; b < of.links.nodes(); ++b)
        if (of.links.at(a, b) > 0) neighbours_[index(a)].push_back(b);
    for (int r = 0; r < of.links.ranks(); ++r) ways_.push_back({ways_from(r, false), ways_from(r, true)});
  }

  /// Whether every rank can reach every other.
  bool is_whole() const {
    const auto& from_first = ways_.front().over_ranks;
    return std::all_of(from_first.begin(), from_first.begin() + network_.links.ranks(), [](int b) { return b >= 0; });
  }

  /// The nodes that a message passes, both ends among them. Throws errc::unsupported where the ranks are parted.
  std::vector<int> way(int from, int to) const {
    const std::vector<int>& before = nodes_before(from, to);
    std::vector<int> nodes{to};
    while (nodes.back() != from) nodes.push_back(before[index(nodes.back())]);
    std::reverse(nodes.begin(), nodes.end());
    return nodes;
  }

  /// Throws as `algorithm::generate`; errc::unsupported where two ranks that talk are parted.
  busiest_link of(const topology::hierarchy& tree, const schedule::request& what, std::string_view name) const {
    return of_schedules([&](rank r) { return algorithm::generate(tree, what, name, r); });
  }
  /// The same of schedules that `schedule_of(rank)` generates.
  template <class ScheduleOf>
  busiest_link of_schedules(ScheduleOf&& schedule_of) const {
    std::vector<double> load(index(nodes()) * index(nodes()), 0.0);
    for (int r = 0; r < network_.links.ranks(); ++r) {
      const schedule::schedule written = schedule_of(rank(r));
      for (const schedule::step& each : written.steps)
        if (each.sends()) add(load, r, each.peer.value, detail::volume(written.at(each.source)));
    }
    busiest_link most;
    for (int a = 0; a < nodes(); ++a)
      for (const int b : neighbours_[index(a)]) {
        const double blocks = load[index(a) * index(nodes()) + index(b)];
        const double seconds = blocks / (static_cast<double>(network_.links.at(a, b)) * network_.unit_bytes_per_second);
        if (seconds > most.seconds_per_byte) most = {seconds, blocks};
      }
    return most;
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  int nodes() const { return network_.links.nodes(); }

  /// The node before each node on the way from a rank; -1: there is none.
  std::vector<int> ways_from(int source, bool over_ranks) const {
    std::vector<int> before(index(nodes()), -1), queue{source};
    before[index(source)] = source;
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const int node = queue[i];
      if (node < network_.links.ranks() && node != source && !over_ranks) continue;
      for (const int next : neighbours_[index(node)])
        if (before[index(next)] < 0) before[index(next)] = node, queue.push_back(next);
    }
    return before;
  }

  /// Per node the one before it, on the ways from a rank that reach another.
  const std::vector<int>& nodes_before(int from, int to) const {
    const auto& [direct, over_ranks] = ways_[index(from)];
    const std::vector<int>& before = direct[index(to)] >= 0 ? direct : over_ranks;
    if (before[index(to)] < 0)
      fail(errc::unsupported, "ranks " + std::to_string(from) + " and " + std::to_string(to) + " are parted",
           "no links lead from one to the other", "check the links of the topology");
    return before;
  }

  void add(std::vector<double>& load, int from, int to, double blocks) const {
    const std::vector<int>& before = nodes_before(from, to);
    for (int node = to; node != from; node = before[index(node)])
      load[index(before[index(node)]) * index(nodes()) + index(node)] += blocks;
  }

  struct ways {
    std::vector<int> direct, over_ranks;
  };
  const network& network_;
  std::vector<std::vector<int>> neighbours_;
  std::vector<ways> ways_;
};

}  // namespace hawser::cost
