// Switch trees and NVLink domains of hosts as graphs.
#include "placement.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/host_list.hpp"
#include "switch_order.hpp"

namespace hawser::discovery {

namespace {

using topology::edge_kind;
using topology::node_index;
using topology::node_kind;
using topology::severity;

constexpr std::size_t max_notes_of_code = 50;

node_kind kind_of_tier(int tier) {
  return tier == 1 ? node_kind::leaf_switch : tier == 2 ? node_kind::spine_switch : node_kind::core_switch;
}

// "ibsw1", "IB2", "ib-leaf", and what ibnetdiscover calls a switch by its GUID, "S-506b4b0300c8ae42".
bool names_infiniband(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("infiniband") != std::string::npos || lower.starts_with("ibsw")) return true;
  if (lower.starts_with("s-") && lower.size() == 18)
    return lower.find_first_not_of("0123456789abcdef", 2) == std::string::npos;
  return lower.starts_with("ib") && lower.size() > 2 && !std::isalpha(static_cast<unsigned char>(lower[2]));
}

std::string listed(const std::vector<std::string>& names) {
  return shortened(compact_hosts(names));
}

}  // namespace

void placement::note(severity level, const std::string& code, const std::string& subject, const std::string& message) {
  if (++notes_of_code_[code] <= max_notes_of_code) machine_.note({level, code, subject, message});
}

node_index placement::host(const std::string& name) {
  const auto [entry, is_new] = host_of_name_.try_emplace(name, machine_.nodes().size());
  if (is_new) machine_.add_node({node_kind::host, name, {topology::identity::host(name)}});
  return entry->second;
}

node_index placement::add_switch(int tier, const std::string& name, const std::string& identity,
                                 std::map<std::string, std::string> attributes) {
  if (const auto known = machine_.find(identity)) return *known;
  if (tier > topology::max_switch_tier)
    fail_in(file_, "switch \"" + shortened(name) + "\"",
            "it is above more than " + std::to_string(topology::max_switch_tier) + " levels of switches");
  return machine_.add_node({kind_of_tier(tier), name, {identity}, std::move(attributes), tier > 2 ? tier : 0});
}

void placement::join(node_index lower, node_index upper) {
  const node_index fewer = machine_.edges_of(lower).size() < machine_.edges_of(upper).size() ? lower : upper;
  for (topology::edge_index each : machine_.edges_of(fewer))
    if (machine_.other_end(each, fewer) == (fewer == lower ? upper : lower)) return;
  machine_.add_edge({.a = lower, .b = upper, .kind = network_, .source = source_});
}

void placement::add_switches(std::vector<switch_record> records, bool may_be_implicit) {
  const switch_order order = order_switches(std::move(records));
  for (const switch_record& each : order.switches)
    if (names_infiniband(each.name)) network_ = edge_kind::infiniband;
  for (const std::string& each : order.defined_twice)
    note(severity::error, "switch-defined-twice", each, "has several definitions; they are taken together");
  if (!may_be_implicit)
    for (const auto& [parent, child] : order.undefined)
      note(severity::error, "undefined-switch", child, "is below \"" + parent + "\" but is defined nowhere");
  for (const std::vector<std::string>& each : order.cycles) {
    std::string path;
    for (const std::string& name : each) path.append(path.empty() ? "" : " -> ").append(name);
    note(severity::error, "cyclic-switches", each.back(), "is below itself: " + path + "; the last link is left out");
  }

  std::vector<node_index> node_of;
  for (std::size_t at = 0; at < order.switches.size(); ++at) {
    const switch_record& each = order.switches[at];
    node_of.push_back(
        add_switch(order.level[at], each.name, topology::identity::network_switch(each.name), each.attributes));
    if (!each.switches.empty() && !each.hosts.empty())
      note(severity::warning, "switch-with-hosts-and-switches", each.name,
           "has hosts and switches below it; Slurm refuses that");
  }
  std::unordered_map<node_index, std::size_t> leaf_of;
  for (std::size_t at = 0; at < order.switches.size(); ++at) {
    for (std::size_t child : order.children[at]) join(node_of[child], node_of[at]);
    for (const std::string& name : order.switches[at].hosts) {
      const node_index below = host(name);
      const auto [known, is_new] = leaf_of.try_emplace(below, at);
      if (!is_new && known->second != at)
        note(severity::warning, "host-under-two-leaves", name,
             "is below \"" + order.switches[known->second].name + "\" and \"" + order.switches[at].name + "\"");
      else if (!is_new)
        note(severity::info, "host-listed-twice", name, "is listed twice below \"" + order.switches[at].name + "\"");
      join(below, node_of[at]);
    }
  }
}

void placement::add_domains(const std::vector<domain_record>& domains, const std::string& level) {
  std::unordered_map<node_index, std::size_t> domain_of;
  for (std::size_t at = 0; at < domains.size(); ++at) {
    const domain_record& each = domains[at];
    topology::node part{node_kind::nvswitch, each.name, {each.identity}, each.attributes};
    part.attributes[topology::attribute::virtual_part] = "1";
    if (!level.empty()) part.attributes[topology::attribute::level] = level;
    const node_index domain = machine_.merge_node(std::move(part));
    for (const std::string& name : each.hosts) {
      const node_index member = host(name);
      const auto [known, is_new] = domain_of.try_emplace(member, at);
      if (!is_new)
        note(severity::warning, known->second == at ? "host-listed-twice" : "host-in-two-domains", name,
             "is listed in \"" + domains[known->second].name + "\" and \"" + each.name + "\"");
      if (is_new || known->second != at)
        machine_.add_edge({.a = member, .b = domain, .kind = edge_kind::nvlink, .source = source_});
    }
  }
}

void placement::say_switches(const std::string& host, const std::string& domain_identity) {
  const std::string of_host = topology::identity::nvswitches(host);
  if (machine_.find(of_host) || !machine_.find(domain_identity)) return;
  machine_.merge_node({node_kind::nvswitch, {}, {domain_identity, of_host}, {}});
}

void placement::aggregate(const std::vector<domain_record>& domains, const std::vector<std::int64_t>& block_sizes) {
  std::vector<node_index> below;  // the group that each domain is in so far
  std::size_t last_group = 1;
  int tier = 0;
  for (std::int64_t size : block_sizes) {
    const auto group = static_cast<std::size_t>(size / block_sizes.front());
    if (group <= last_group || last_group >= domains.size()) continue;
    last_group = group;
    const std::vector<node_index> above = group_switches(domains, group, size, ++tier);
    for (std::size_t at = 0; at < domains.size(); ++at) {
      if (domains[at].hosts.empty()) continue;
      if (tier > 1)
        join(below[at], above[at]);
      else
        for (const std::string& name : domains[at].hosts) join(host(name), above[at]);
    }
    below = above;
  }
}

// One virtual switch for each group of successive domains, given once per domain; none for groups without hosts.
std::vector<node_index> placement::group_switches(const std::vector<domain_record>& domains, std::size_t group,
                                                  std::int64_t size, int tier) {
  const std::string level = "block_" + std::to_string(size);
  std::vector<node_index> above(domains.size());
  for (std::size_t first = 0; first < domains.size(); first += group) {
    const std::size_t end = std::min(first + group, domains.size());
    std::vector<std::string> names;
    bool has_hosts = false;
    for (std::size_t each = first; each < end; ++each) {
      names.push_back(domains[each].name);
      has_hosts = has_hosts || !domains[each].hosts.empty();
    }
    if (!has_hosts) continue;
    const node_index made = add_switch(tier, listed(names), level + "/" + domains[first].name,
                                       {{topology::attribute::virtual_part, "1"}, {topology::attribute::level, level}});
    std::fill(above.begin() + static_cast<std::ptrdiff_t>(first), above.begin() + static_cast<std::ptrdiff_t>(end),
              made);
  }
  return above;
}

void placement::join_roots() {
  const std::size_t count = machine_.nodes().size();
  topology::detail::disjoint_sets parts(count);
  std::vector<bool> has_parent(count, false), has_switch(count, false);
  int top = 0;
  for (const topology::edge& each : machine_.edges()) {
    parts.unite(each.a, each.b);
    const int a = topology::switch_tier(machine_.nodes()[each.a]), b = topology::switch_tier(machine_.nodes()[each.b]);
    if (a != b) has_parent[a < b ? each.a : each.b] = true;
  }
  std::set<std::size_t> with_hosts;
  for (node_index each = 0; each < count; ++each) {
    const int tier = topology::switch_tier(machine_.nodes()[each]);
    top = std::max(top, tier);
    if (tier > 0) has_switch[parts.find(each)] = true;
    if (machine_.nodes()[each].kind == node_kind::host) with_hosts.insert(parts.find(each));
  }
  if (with_hosts.size() < 2) return;

  std::vector<node_index> roots;
  std::vector<std::string> names;
  for (node_index each = 0; each < count; ++each) {
    const std::size_t part = parts.find(each);
    const bool is_root = has_switch[part] ? topology::switch_tier(machine_.nodes()[each]) > 0 && !has_parent[each]
                                          : machine_.nodes()[each].kind == node_kind::host;
    if (!with_hosts.contains(part) || !is_root) continue;
    roots.push_back(each);
    names.push_back(machine_.nodes()[each].name);
  }
  // The highest tier there is: where another source knows the network, its switches join the parts first.
  const node_index above = add_switch(topology::max_switch_tier, "(top)", "virtual-top/" + names.front(),
                                      {{topology::attribute::virtual_part, "1"}});
  for (node_index each : roots) join(each, above);
  if (top > 0)
    note(severity::warning, "several-roots", listed(names),
         "nothing says what joins these " + std::to_string(roots.size()) + " parts; a virtual switch stands for it");
  else
    note(severity::info, "unknown-network", shortened(file_.name),
         "nothing says what joins the " + std::to_string(with_hosts.size()) + " parts; a virtual switch stands for it");
}

topology::graph placement::finish() {
  join_roots();
  for (const auto& [code, count] : notes_of_code_)
    if (count > max_notes_of_code)
      machine_.note({severity::info, code, shortened(file_.name),
                     "and " + std::to_string(count - max_notes_of_code) + " more of these"});
  return std::move(machine_);
}

}  // namespace hawser::discovery
