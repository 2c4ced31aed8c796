// Counts a topology's parts, domains and links, and names its levels.
#include <hawser/discovery/summary.hpp>

#include <algorithm>

#include <hawser/core/error.hpp>
#include <hawser/discovery/lint.hpp>
#include <hawser/topology/derive.hpp>

#include "lint/parts.hpp"
#include "natural_order.hpp"

namespace hawser::discovery {

using topology::aspect;

namespace {

summary::count count_of(const graph& machine, aspect what, node_kind kind) {
  if (!machine.tells(what)) return std::nullopt;
  const auto& nodes = machine.nodes();
  return std::count_if(nodes.begin(), nodes.end(), [&](const auto& each) { return each.kind == kind; });
}

// The aggregation node of a switch that reduces (SHARP) is no NIC of anybody's.
summary::count nics(const graph& machine) {
  if (!machine.tells(aspect::nics)) return std::nullopt;
  const auto& nodes = machine.nodes();
  return std::count_if(nodes.begin(), nodes.end(), [](const auto& each) {
    return each.kind == node_kind::nic && value_of(each, "aggregation_node").empty();
  });
}

bool joins_domain(const graph& machine, const edge& between) {
  const auto is_part = [&](node_index end) {
    const node_kind kind = machine.nodes()[end].kind;
    return kind == node_kind::gpu || kind == node_kind::nvswitch;
  };
  return is_nvlink(between.kind) && is_part(between.a) && is_part(between.b);
}

std::vector<std::vector<std::string>> nvlink_domains(const graph& machine) {
  topology::detail::disjoint_sets sets(machine.nodes().size());
  for (const edge& each : machine.edges())
    if (joins_domain(machine, each)) sets.unite(each.a, each.b);
  std::map<std::size_t, std::vector<std::string>> gpus_of;
  for (node_index each = 0; each < machine.nodes().size(); ++each)
    if (machine.nodes()[each].kind == node_kind::gpu) gpus_of[sets.find(each)].push_back(machine.nodes()[each].name);
  std::vector<std::vector<std::string>> domains;
  for (auto& [domain, gpus] : gpus_of) {
    if (gpus.size() < 2) continue;
    std::sort(gpus.begin(), gpus.end(), natural_less);
    domains.push_back(std::move(gpus));
  }
  std::sort(domains.begin(), domains.end(),
            [](const auto& a, const auto& b) { return natural_less(a.front(), b.front()); });
  return domains;
}

// A virtual switch stands for a relation (what joins several roots, a ring), so there is nothing to count.
std::map<int, std::int64_t> switches_by_level(const graph& machine) {
  std::map<int, std::int64_t> counts;
  for (const auto& each : machine.nodes())
    if (const int tier = topology::switch_tier(each); tier > 0 && !is_virtual(each)) ++counts[tier];
  return counts;
}

std::int64_t links(const graph& machine) {
  const std::vector<node_index> owners = owners_of(machine);
  return std::count_if(machine.edges().begin(), machine.edges().end(),
                       [&](const edge& each) { return is_network(each.kind) && owners[each.a] != owners[each.b]; });
}

void derive_levels(const graph& machine, summary& into) {
  const bool has_places = std::any_of(machine.nodes().begin(), machine.nodes().end(), [](const auto& each) {
    return each.kind == node_kind::gpu || each.kind == node_kind::host;
  });
  if (!has_places) {
    into.findings.push_back(
        {severity::info, "no-hierarchy", "topology", "there is no GPU and no host to place ranks on"});
    return;
  }
  try {
    topology::derived made = topology::derive(machine);
    into.levels.emplace();
    for (const topology::level& each : made.hosted.tree.levels()) into.levels->push_back(each.name);
    into.findings.insert(into.findings.end(), made.findings.begin(), made.findings.end());
  } catch (const error& failure) {
    into.findings.push_back({severity::warning, "no-hierarchy", "topology", failure.what()});
  }
}

}  // namespace

summary summarise(const graph& machine) {
  summary made;
  made.hosts = count_of(machine, aspect::hosts, node_kind::host);
  made.gpus = count_of(machine, aspect::gpus, node_kind::gpu);
  if (machine.tells(aspect::nvlink)) made.nvlink_domains = nvlink_domains(machine);
  made.nics = nics(machine);
  made.numa_nodes = count_of(machine, aspect::numa, node_kind::cpu);
  if (machine.tells(aspect::switches)) made.switches_by_level = switches_by_level(machine);
  if (machine.tells(aspect::links)) made.links = links(machine);
  made.findings = lint(machine);
  derive_levels(machine, made);
  return made;
}

}  // namespace hawser::discovery
