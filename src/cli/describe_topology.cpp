// See describe_topology.hpp.
#include "describe_topology.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>

#include <hawser/topology/fingerprint.hpp>

namespace hawser::cli {

namespace {

std::string sizes_of(const topology::child_counts& units) {
  const std::vector<std::int64_t> sizes = units.distinct_sizes();
  const std::string least = std::to_string(sizes.front());
  return sizes.size() == 1 ? least : least + " to " + std::to_string(sizes.back());
}

/// What makes links of one class: kind, the kinds of their ends, and the text of their figures.
using link_class = std::tuple<topology::edge_kind, topology::node_kind, topology::node_kind, std::string, std::string,
                              topology::provenance>;

link_class class_of(const topology::graph& machine, const topology::edge& link) {
  const auto [first, second] = std::minmax(machine.nodes()[link.a].kind, machine.nodes()[link.b].kind);
  return {link.kind,
          first,
          second,
          link.rate ? to_string(*link.rate) : "unknown",
          link.latency ? to_string(*link.latency) : "unknown",
          link.source};
}

}  // namespace

std::string describe(const topology::hosted_hierarchy& loaded) {
  const topology::hierarchy& tree = loaded.tree;
  std::string text =
      formatted("%lld ranks on %d levels, fingerprint %s\n", static_cast<long long>(tree.size()), tree.depth(),
                topology::fingerprint_text(tree).c_str()) +
      formatted("%-16s %10s %12s %12s %10s  %s\n", "level", "units", "per parent", "bandwidth", "latency", "figures");
  for (const topology::level& each : tree.levels())
    text +=
        formatted("%-16s %10lld %12s %12s %10s  %s%s\n", each.name.c_str(), static_cast<long long>(each.units.total()),
                  sizes_of(each.units).c_str(), to_string(each.up.rate).c_str(), to_string(each.up.latency).c_str(),
                  std::string(topology::to_string(each.up.source)).c_str(),
                  each.reduces_in_network ? ", reduces in the network" : "");
  if (!tree.is_in_rank_order()) text += "ranks are not placed in the order of the positions\n";
  if (!loaded.hosts.empty())
    text += formatted("%zu host names, one per %s\n", loaded.hosts.size(), tree.at(loaded.host_level).name.c_str());
  return text;
}

std::string describe_links(const topology::graph& machine) {
  std::map<link_class, std::int64_t> classes;
  for (const topology::edge& each : machine.edges())
    if (each.kind != topology::edge_kind::contains) ++classes[class_of(machine, each)];
  if (classes.empty()) return "no links are known\n";
  std::string text =
      formatted("%-14s %-28s %8s %12s %10s  %s\n", "links", "between", "number", "bandwidth", "latency", "figures");
  for (const auto& [what, number] : classes) {
    const auto& [kind, first, second, rate, latency, source] = what;
    const std::string ends = std::string(to_string(first)) + " - " + std::string(to_string(second));
    const bool has_figures = rate != "unknown" || latency != "unknown";
    text += formatted("%-14s %-28s %8lld %12s %10s  %s\n", std::string(to_string(kind)).c_str(), ends.c_str(),
                      static_cast<long long>(number), rate.c_str(), latency.c_str(),
                      has_figures ? std::string(topology::to_string(source)).c_str() : "");
  }
  return text;
}

std::string describe(const std::vector<discovery::phase>& phases) {
  std::string text = "discovery:";
  seconds total{};
  for (const discovery::phase& each : phases) {
    text += formatted(" %s %.1f ms,", each.name.c_str(), each.time.count() * 1e3);
    total += each.time;
  }
  return text + formatted(" together %.1f ms\n", total.count() * 1e3);
}

}  // namespace hawser::cli
