// What the lint rules share: the parts of each host, attributes, and names in sentences.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

using topology::edge;
using topology::edge_index;
using topology::edge_kind;
using topology::finding;
using topology::graph;
using topology::node;
using topology::node_index;
using topology::node_kind;
using topology::severity;

/// A host with what it contains.
struct host_parts {
  node_index host = 0;
  std::vector<node_index> gpus;  ///< in the order of the graph, without those that are lost
  std::vector<node_index> nics;  ///< without those that the operating system makes
};

/// All hosts, in the order of the graph.
std::vector<host_parts> parts_of_hosts(const graph& machine);

/// For each node its host: itself where it is one or none contains it. Linear also where a NIC has very many links.
std::vector<node_index> owners_of(const graph& machine);

/// The value of an attribute; empty where there is none.
std::string_view value_of(const node& part, const char* key);
std::string_view value_of(const edge& between, const char* key);

/// No such part is visible; it stands for a known relation.
inline bool is_virtual(const node& part) {
  return part.attributes.contains(topology::attribute::virtual_part);
}

/// In lower case, without blanks at the ends.
std::string plain(std::string_view text);
/// True for what sources write where the hardware has no such thing: "", "n/a", "[n/a]", "none", "not supported".
bool is_absent(std::string_view text);

bool is_nvlink(edge_kind kind);   ///< or AMD's equivalent
bool is_network(edge_kind kind);  ///< InfiniBand or Ethernet

/// The name of a part without that of its host: "GPU0" of "n1:GPU0".
std::string_view short_name(const node& part);
/// "GPU0, GPU1 and GPU2"; "GPU0, GPU1, GPU2 and 5 more" where they are many.
std::string listed(const graph& machine, const std::vector<node_index>& parts);
std::string listed(const std::vector<std::string>& names);
/// "1 link", "2 links".
std::string counted(std::size_t number, std::string_view what);

/// The value that most have; the larger of two that are equally frequent.
template <typename Value, typename Members>
Value most_common(const std::map<Value, Members>& members_of) {
  auto best = members_of.begin();
  for (auto each = members_of.begin(); each != members_of.end(); ++each)
    if (each->second.size() >= best->second.size()) best = each;
  return best->first;
}

/// Parts with the same host and the same value, for one finding each. Parts of no host are groups of their own.
struct part_group {
  std::optional<node_index> host;
  std::vector<node_index> parts;
  std::string value;
};
/// The parts for which `value` returns something that is not empty.
template <typename Value>
std::vector<part_group> grouped(const graph& machine, Value value) {
  std::vector<part_group> groups;
  std::map<std::pair<node_index, std::string>, std::size_t> group_of;
  for (node_index each = 0; each < machine.nodes().size(); ++each) {
    std::string found = value(machine.nodes()[each]);
    if (found.empty()) continue;
    const std::optional<node_index> host = machine.host_of(each);
    const auto [entry, is_new] = group_of.try_emplace({host.value_or(each), found}, groups.size());
    if (is_new) groups.push_back({host, {}, std::move(found)});
    groups[entry->second].parts.push_back(each);
  }
  return groups;
}
/// The host's name, else that of the only part.
const std::string& subject_of(const graph& machine, const part_group& group);

}  // namespace hawser::discovery
