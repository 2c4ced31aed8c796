// Lint: GPUs with fewer NVLinks than their peers.
#include <algorithm>
#include <charconv>

#include <hawser/topology/derive.hpp>

#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

namespace {

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Links that are up: those of the graph, else those that the source counted without saying where they lead.
std::size_t links_of(const graph& machine, node_index gpu) {
  std::size_t links = 0;
  for (edge_index each : machine.edges_of(gpu)) links += is_nvlink(machine.edges()[each].kind) ? 1 : 0;
  return links > 0 ? links : number_of(value_of(machine.nodes()[gpu], attribute::nvlinks_active));
}

bool has_switches(const graph& machine, const std::vector<node_index>& gpus) {
  for (node_index gpu : gpus)
    for (edge_index each : machine.edges_of(gpu))
      if (is_nvlink(machine.edges()[each].kind) &&
          machine.nodes()[machine.other_end(each, gpu)].kind == node_kind::nvswitch)
        return true;
  return false;
}

bool has_xgmi(const graph& machine, node_index gpu) {
  const auto& links = machine.edges_of(gpu);
  return std::any_of(links.begin(), links.end(),
                     [&](edge_index each) { return machine.edges()[each].kind == edge_kind::xgmi; });
}

using gpus_by_links = std::map<std::size_t, std::vector<node_index>>;

void report_unequal(const graph& machine, const std::string& subject, const gpus_by_links& gpus_with, findings& found) {
  const std::size_t usual = most_common(gpus_with);
  std::string those;
  for (const auto& [links, gpus] : gpus_with)
    if (links != usual)
      those += (those.empty() ? "" : "; ") + listed(machine, gpus) + (gpus.size() == 1 ? " has " : " have ") +
               std::to_string(links);
  found.push_back({severity::warning, "unequal-nvlinks", subject,
                   "GPUs have different numbers of NVLinks: " + those + ", the others have " + std::to_string(usual) +
                       "; a collective runs at the pace of the GPU with the fewest: look for links that are down"});
}

// NVLink domains of several hosts. A host whose own GPUs differ is reported by itself.
void check_domains(const graph& machine, const std::vector<host_parts>& hosts, findings& found) {
  topology::detail::disjoint_sets sets(machine.nodes().size());
  for (const edge& each : machine.edges())
    if (is_nvlink(each.kind)) sets.unite(each.a, each.b);
  std::map<std::size_t, gpus_by_links> domains;
  for (const host_parts& host : hosts) {
    gpus_by_links here;
    for (node_index gpu : host.gpus)
      if (const std::size_t links = links_of(machine, gpu); links > 0) here[links].push_back(gpu);
    if (here.size() != 1) continue;
    const auto& [links, gpus] = *here.begin();
    for (node_index gpu : gpus) domains[sets.find(gpu)][links].push_back(gpu);
  }
  for (const auto& [domain, gpus_with] : domains) {
    if (gpus_with.size() < 2) continue;
    const node_index first = most_common(gpus_with) == gpus_with.begin()->first ? gpus_with.rbegin()->second.front()
                                                                                : gpus_with.begin()->second.front();
    report_unequal(machine, machine.nodes()[first].name, gpus_with, found);
  }
}

}  // namespace

void check_missing_nvlink(const graph& machine, findings& found) {
  for (const host_parts& host : parts_of_hosts(machine)) {
    std::vector<node_index> with, without;
    std::map<std::string_view, bool> is_linked_model;
    for (node_index gpu : host.gpus) {
      const bool has_links = links_of(machine, gpu) > 0;
      (has_links ? with : without).push_back(gpu);
      if (has_links) is_linked_model[value_of(machine.nodes()[gpu], attribute::model)] = true;
    }
    if (with.empty()) continue;
    const bool is_switched = has_switches(machine, with);
    for (node_index gpu : without) {
      const std::string_view model = value_of(machine.nodes()[gpu], attribute::model);
      if (!model.empty() && !is_linked_model.contains("") && !is_linked_model.contains(model)) continue;  // display
      found.push_back({is_switched ? severity::error : severity::warning, "gpu-without-nvlink",
                       machine.nodes()[gpu].name,
                       counted(with.size(), "GPU") +
                           " of the host have NVLink and this one has none: all traffic of "
                           "its rank goes over PCIe, which slows the whole group" +
                           (is_switched ? "; check its links with nvidia-smi nvlink -s, reset the GPU or leave it out"
                                        : "; join it by an NVLink bridge or leave it out")});
    }
  }
}

void check_unequal_nvlinks(const graph& machine, findings& found) {
  const std::vector<host_parts> hosts = parts_of_hosts(machine);
  for (const host_parts& host : hosts) {
    gpus_by_links gpus_with;
    for (node_index gpu : host.gpus)
      if (const std::size_t links = links_of(machine, gpu); links > 0 && !has_xgmi(machine, gpu))
        gpus_with[links].push_back(gpu);
    if (gpus_with.size() > 1) report_unequal(machine, machine.nodes()[host.host].name, gpus_with, found);
  }
  check_domains(machine, hosts, found);
}

void check_inactive_nvlinks(const graph& machine, findings& found) {
  for (node_index each = 0; each < machine.nodes().size(); ++each) {
    const node& gpu = machine.nodes()[each];
    if (gpu.kind != node_kind::gpu || !value_of(gpu, attribute::lost).empty()) continue;
    const std::size_t down = number_of(value_of(gpu, attribute::nvlinks_inactive)), up = links_of(machine, each);
    if (down == 0 || up == 0) continue;  // none at all is a GPU without NVLink or without a bridge
    const bool is_switched = has_switches(machine, {each});
    found.push_back({is_switched ? severity::warning : severity::info, "inactive-nvlinks", gpu.name,
                     counted(down, "NVLink") + " of " + std::to_string(down + up) +
                         (is_switched ? " are inactive: its bandwidth is reduced by that share; reset the GPU or have "
                                        "the link repaired"
                                      : " are inactive: normal where a bridge joins only some")});
  }
}

}  // namespace hawser::discovery
