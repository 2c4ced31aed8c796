// Lint: how hosts hang on the network: below how many switches, below none, or cabled to themselves.
#include <algorithm>
#include <set>

#include "rules.hpp"

namespace hawser::discovery {

using topology::switch_tier;

namespace {

/// A host and the switches that it is linked to, by itself or through its NICs.
struct attachment {
  node_index host = 0;
  std::set<node_index> switches;
};

std::vector<attachment> attachments(const graph& machine) {
  std::vector<attachment> all;
  const auto add_switches = [&](node_index part, std::set<node_index>& into) {
    for (edge_index each : machine.edges_of(part)) {
      const node_index other = machine.other_end(each, part);
      if (switch_tier(machine.nodes()[other]) > 0) into.insert(other);
    }
  };
  for (const host_parts& each : parts_of_hosts(machine)) {
    all.push_back({each.host, {}});
    add_switches(each.host, all.back().switches);
    for (node_index nic : each.nics) add_switches(nic, all.back().switches);
  }
  return all;
}

/// How many switches most attached hosts hang on: several where the network is rail-optimised, or each host is cabled
/// twice. 0 where no host is attached.
std::size_t usual_number(const std::vector<attachment>& hosts) {
  std::map<std::size_t, std::vector<node_index>> hosts_with;
  for (const attachment& each : hosts)
    if (!each.switches.empty()) hosts_with[each.switches.size()].push_back(each.host);
  if (hosts_with.empty()) return 0;
  std::size_t usual = hosts_with.begin()->first;  // of equally frequent numbers the smaller: a tree is the rule
  for (const auto& [number, those] : hosts_with)
    if (those.size() > hosts_with.at(usual).size()) usual = number;
  return usual;
}

std::string names_of(const graph& machine, const std::set<node_index>& switches) {
  return listed(machine, {switches.begin(), switches.end()});
}

}  // namespace

void check_leaves_of_hosts(const graph& machine, findings& found) {
  const std::vector<attachment> hosts = attachments(machine);
  const std::size_t usual = usual_number(hosts);
  for (const attachment& each : hosts)
    if (each.switches.size() > usual && usual > 0)
      found.push_back({severity::warning, "host-under-two-leaves", machine.nodes()[each.host].name,
                       "it is below " + std::to_string(each.switches.size()) + " switches (" +
                           names_of(machine, each.switches) + ") where most hosts are below " + std::to_string(usual) +
                           ": the groups of ranks by switch overlap and are merged into one; list it once, unless "
                           "every host is cabled so"});
}

void check_missing_rails(const graph& machine, findings& found) {
  const std::vector<attachment> hosts = attachments(machine);
  const std::size_t usual = usual_number(hosts);
  for (const attachment& each : hosts)
    if (!each.switches.empty() && each.switches.size() < usual)
      found.push_back({severity::warning, "host-missing-rail", machine.nodes()[each.host].name,
                       "it reaches " + std::to_string(each.switches.size()) + " of the " + std::to_string(usual) +
                           " switches that most hosts reach (" + names_of(machine, each.switches) +
                           "): every collective over its missing rails detours through another NIC or GPU; check its "
                           "cables and ports"});
}

void check_unattached_hosts(const graph& machine, findings& found) {
  const std::vector<attachment> hosts = attachments(machine);
  if (usual_number(hosts) == 0) return;
  std::vector<node_index> without;
  for (const attachment& each : hosts)
    if (each.switches.empty()) without.push_back(each.host);
  if (without.empty()) return;
  found.push_back({severity::warning, "host-without-switch", listed(machine, without),
                   (without.size() == 1 ? "it is" : std::to_string(without.size()) + " hosts are") +
                       std::string(" below no switch where other hosts are: no path to them is known, and a job cannot "
                                   "span them; add the missing links to the description, or check the cables")});
}

void check_self_loops(const graph& machine, findings& found) {
  const std::vector<node_index> owners = owners_of(machine);
  for (const edge& each : machine.edges()) {
    if (!is_network(each.kind)) continue;
    if (owners[each.a] == owners[each.b])
      found.push_back({severity::warning, "self-loop",
                       machine.nodes()[each.a].name + " - " + machine.nodes()[each.b].name,
                       "the link leads back to the same host: it joins nobody and takes two ports from the fabric; "
                       "cable it to a switch"});
  }
}

}  // namespace hawser::discovery
