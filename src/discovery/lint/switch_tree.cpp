// Lint: networks that are no tree: rings of switches, and parts that no common switch joins.
#include <algorithm>
#include <set>
#include <utility>

#include <hawser/topology/derive.hpp>

#include "rules.hpp"

namespace hawser::discovery {

using topology::switch_tier;
using topology::detail::disjoint_sets;

namespace {

bool is_switch(const node& part) {
  return switch_tier(part) > 0;
}

/// The pieces of the network that switches alone join, with the units below each: a unit is what anything but the
/// network joins, such as a host or the hosts of an NVLink domain.
struct pieces {
  explicit pieces(const graph& machine)
      : switches(machine.nodes().size()), units(machine.nodes().size()), all(machine.nodes().size()) {
    const auto& nodes = machine.nodes();
    for (const edge& each : machine.edges()) {
      const bool a = is_switch(nodes[each.a]), b = is_switch(nodes[each.b]);
      if (a && b) switches.unite(each.a, each.b);
      if (!a && !b && !is_network(each.kind)) units.unite(each.a, each.b);
      all.unite(each.a, each.b);
    }
    for (const edge& each : machine.edges())
      for (const auto& [below, above] : {std::pair{each.a, each.b}, std::pair{each.b, each.a}})
        if (is_switch(nodes[above]) && !is_switch(nodes[below]))
          units_below[switches.find(above)].insert(units.find(below));
  }

  disjoint_sets switches, units, all;
  std::map<std::size_t, std::set<std::size_t>> units_below;  // pieces without any are not here
};

// The highest switch of each piece, the first of them where there are several.
std::vector<std::string> roots_of(const graph& machine, pieces& network, bool with_units) {
  std::map<std::size_t, node_index> highest;
  for (node_index each = 0; each < machine.nodes().size(); ++each) {
    if (!is_switch(machine.nodes()[each])) continue;
    const std::size_t piece = network.switches.find(each);
    if (with_units && !network.units_below.contains(piece)) continue;
    const auto [entry, is_new] = highest.try_emplace(piece, each);
    if (!is_new && switch_tier(machine.nodes()[each]) > switch_tier(machine.nodes()[entry->second]))
      entry->second = each;
  }
  std::vector<std::string> names;
  names.reserve(highest.size());
  for (const auto& [piece, root] : highest) names.push_back(machine.nodes()[root].name);
  return names;
}

// Every unit is below the same number of pieces, two or more, as in a torus or mesh whose lines are switches each:
// traffic between any two turns at units, as it is meant to.
bool is_grid(const pieces& network) {
  std::map<std::size_t, std::size_t> pieces_above;
  for (const auto& [piece, below] : network.units_below)
    for (std::size_t unit : below) ++pieces_above[unit];
  const auto is_like_the_first = [&](const auto& each) { return each.second == pieces_above.begin()->second; };
  return !pieces_above.empty() && pieces_above.begin()->second > 1 &&
         std::all_of(pieces_above.begin(), pieces_above.end(), is_like_the_first);
}

}  // namespace

void check_switch_cycles(const graph& machine, findings& found) {
  disjoint_sets peers(machine.nodes().size());
  std::set<std::pair<node_index, node_index>> seen;
  std::map<int, std::pair<std::size_t, edge_index>> cycles;  // by tier: how many, and the first link that closes one
  for (edge_index link = 0; link < machine.edges().size(); ++link) {
    const edge& each = machine.edges()[link];
    const int tier = switch_tier(machine.nodes()[each.a]);
    if (tier == 0 || tier != switch_tier(machine.nodes()[each.b])) continue;
    if (!seen.insert(std::minmax(each.a, each.b)).second) continue;  // parallel cables
    if (!peers.unite(each.a, each.b)) ++cycles.try_emplace(tier, 0, link).first->second.first;
  }
  for (const auto& [tier, cycle] : cycles) {
    const edge& link = machine.edges()[cycle.second];
    found.push_back({severity::warning, "switch-cycle",
                     machine.nodes()[link.a].name + " - " + machine.nodes()[link.b].name,
                     "switches of tier " + std::to_string(tier) + " form " + counted(cycle.first, "cycle") +
                         ": a torus, a dragonfly or a wrong description, but no tree and no fat tree, so no hierarchy "
                         "can be derived; give the hierarchy itself"});
  }
}

void check_roots(const graph& machine, findings& found) {
  pieces network(machine);
  std::set<std::size_t> islands, units;
  for (const auto& [piece, below] : network.units_below) {
    islands.insert(network.all.find(piece));
    units.insert(below.begin(), below.end());
  }
  const std::vector<std::string> roots = roots_of(machine, network, !units.empty());
  if (roots.size() < 2) return;
  const auto joins_all = [&](const auto& each) { return each.second.size() == units.size(); };
  const auto& below = network.units_below;
  if (std::any_of(below.begin(), below.end(), joins_all)) return;  // rails, or a network beside the one that joins all
  const bool is_joined = islands.size() == 1;
  if (is_joined && is_grid(network)) return;
  found.push_back(
      {is_joined ? severity::info : severity::warning, "several-roots", listed(roots),
       "the network is " + counted(roots.size(), "tree") +
           (is_joined ? ", joined by nothing but hosts that are below several of them: traffic between the "
                        "others has no path through switches"
                      : ": no path is known between the hosts of different ones, and no job can span them") +
           "; add the switches that join them, or give each part as a topology of its own"});
}

}  // namespace hawser::discovery
