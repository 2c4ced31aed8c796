// Which NICs are nearest to a GPU: its rail.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string_view>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::topology {

/// How far the NICs nearest to a GPU are.
enum class nic_distance {
  shared_pci_bridge,  ///< below the same PCI bridge or switch
  same_cpu,           ///< at the same NUMA node
  other_cpu,          ///< elsewhere in the host
  unknown             ///< the host has no NIC, or it is not told where GPU and NICs are
};
inline constexpr std::array<std::string_view, 4> nic_distance_names = {"shared_pci_bridge", "same_cpu", "other_cpu",
                                                                       "unknown"};
/// The enumerator's name.
constexpr std::string_view to_string(nic_distance distance) noexcept {
  return nic_distance_names[static_cast<std::size_t>(distance)];
}

/// The NICs nearest to one GPU.
struct near_nics {
  nic_distance distance = nic_distance::unknown;
  std::vector<node_index> nics;  ///< all that are equally near, in the order of the graph
};

/// Which NICs count.
enum class nics_considered {
  all,
  hardware  ///< not those that the operating system makes (attribute "software")
};

namespace detail {

/// The PCI tree around a GPU: the bridges that are joined without passing a CPU, and what hangs at them.
class pci_neighbourhood {
 public:
  pci_neighbourhood(const graph& machine, node_index gpu) : graph_(machine) {
    std::vector<node_index> bridges = explore(gpu);
    std::vector<node_index> roots(cpus_.begin(), cpus_.end());
    // Without a CPU the bridge that was added first stands at the top.
    if (roots.empty() && !bridges.empty()) roots.push_back(*std::min_element(bridges.begin(), bridges.end()));
    above_ = parents_below(roots);
  }

  const std::set<node_index>& cpus() const noexcept { return cpus_; }
  bool empty() const noexcept { return seen_.size() == 1; }

  /// The bridges above a part, the nearest first.
  std::vector<node_index> bridges_above(node_index part) const {
    std::vector<node_index> found;
    for (auto at = above_.find(part); at != above_.end(); at = above_.find(at->second))
      if (kind(at->second) == node_kind::pci_switch) found.push_back(at->second);
    return found;
  }

  /// The NICs below CPUs, by any number of bridges.
  std::set<node_index> nics_below(const std::set<node_index>& cpus) const {
    std::set<node_index> found;
    for (const auto& entry : parents_below({cpus.begin(), cpus.end()}))
      if (kind(entry.first) == node_kind::nic) found.insert(entry.first);
    return found;
  }

 private:
  node_kind kind(node_index index) const { return graph_.nodes()[index].kind; }

  template <typename Visit>
  void for_each_pci_neighbour(node_index part, Visit visit) const {
    for (edge_index each : graph_.edges_of(part))
      if (graph_.edges()[each].kind == edge_kind::pci) visit(graph_.other_end(each, part));
  }

  std::vector<node_index> explore(node_index gpu) {
    std::vector<node_index> bridges;
    std::queue<node_index> next({gpu});
    seen_.insert(gpu);
    for (; !next.empty(); next.pop())
      for_each_pci_neighbour(next.front(), [&](node_index other) {
        if (!seen_.insert(other).second) return;
        if (kind(other) == node_kind::cpu) cpus_.insert(other);
        if (kind(other) != node_kind::pci_switch) return;
        bridges.push_back(other);
        next.push(other);
      });
    return bridges;
  }

  // What is above each part on the shortest way from the roots down, through bridges only.
  std::map<node_index, node_index> parents_below(const std::vector<node_index>& roots) const {
    std::map<node_index, node_index> parent;
    const std::set<node_index> tops(roots.begin(), roots.end());
    std::queue<node_index> next;
    for (node_index each : roots) next.push(each);
    for (; !next.empty(); next.pop()) {
      const node_index at = next.front();
      for_each_pci_neighbour(at, [&](node_index other) {
        if (kind(other) == node_kind::cpu || tops.contains(other) || !parent.emplace(other, at).second) return;
        if (kind(other) == node_kind::pci_switch) next.push(other);
      });
    }
    return parent;
  }

  const graph& graph_;
  std::set<node_index> seen_;
  std::set<node_index> cpus_;
  std::map<node_index, node_index> above_;
};

inline std::vector<node_index> nics_of_host(const graph& machine, node_index gpu, nics_considered which) {
  std::vector<node_index> found;
  const auto host = machine.host_of(gpu);
  if (!host) return found;
  for (node_index each : machine.neighbours(*host)) {
    const node& part = machine.nodes()[each];
    if (part.kind != node_kind::nic) continue;
    if (which == nics_considered::hardware && part.attributes.contains(attribute::software)) continue;
    found.push_back(each);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

inline near_nics below_shared_bridge(const pci_neighbourhood& around, node_index gpu,
                                     const std::vector<node_index>& nics) {
  const std::vector<node_index> path = around.bridges_above(gpu);
  near_nics best;
  std::size_t fewest_up = path.size(), fewest_down = 0;
  for (node_index each : nics) {
    const std::vector<node_index> other = around.bridges_above(each);
    const auto shared = std::find_first_of(path.begin(), path.end(), other.begin(), other.end());
    if (shared == path.end()) continue;
    const auto up = static_cast<std::size_t>(shared - path.begin());
    const auto down = static_cast<std::size_t>(std::find(other.begin(), other.end(), *shared) - other.begin());
    const bool is_nearer = best.nics.empty() || up < fewest_up || (up == fewest_up && down < fewest_down);
    if (!is_nearer && (up != fewest_up || down != fewest_down)) continue;
    if (is_nearer) best = {nic_distance::shared_pci_bridge, {}}, fewest_up = up, fewest_down = down;
    best.nics.push_back(each);
  }
  return best;
}

/// The NUMA node that a source gives as a number only; empty where it is none.
inline std::optional<std::string_view> numa_of(const node& part) {
  const auto found = part.attributes.find(attribute::numa);
  if (found == part.attributes.end() || found->second == "-1") return std::nullopt;
  return found->second;
}

}  // namespace detail

/// The NICs of the host of a GPU that are nearest to it: those below the deepest PCI bridge that they share with it,
/// and of these those with the fewest bridges between; else those at the same CPU; else all others. Linear in the parts
/// of the host, up to logarithms and the depth of the PCI tree.
inline near_nics nearest_nics(const graph& machine, node_index gpu, nics_considered which = nics_considered::all) {
  const std::vector<node_index> nics = detail::nics_of_host(machine, gpu, which);
  if (nics.empty()) return {};
  const detail::pci_neighbourhood around(machine, gpu);
  near_nics best = detail::below_shared_bridge(around, gpu, nics);
  if (!best.nics.empty()) return best;
  const std::set<node_index> at_cpu = around.nics_below(around.cpus());
  const auto numa = detail::numa_of(machine.nodes()[gpu]);
  for (node_index each : nics)
    if (at_cpu.contains(each) || (numa && numa == detail::numa_of(machine.nodes()[each]))) best.nics.push_back(each);
  if (!best.nics.empty()) return {nic_distance::same_cpu, best.nics};
  if (around.empty() && !numa) return {};  // nothing says where the GPU is
  return {nic_distance::other_cpu, nics};
}

}  // namespace hawser::topology
