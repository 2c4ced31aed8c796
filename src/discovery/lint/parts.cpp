// What the lint rules share.
#include "parts.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace hawser::discovery {

namespace {

constexpr std::size_t most_named = 8;

std::string_view find(const std::map<std::string, std::string>& attributes, const char* key) {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace

std::vector<host_parts> parts_of_hosts(const graph& machine) {
  std::vector<host_parts> hosts;
  for (node_index each = 0; each < machine.nodes().size(); ++each) {
    if (machine.nodes()[each].kind != node_kind::host) continue;
    host_parts parts{.host = each, .gpus = {}, .nics = {}};
    for (edge_index link : machine.edges_of(each)) {
      if (machine.edges()[link].kind != edge_kind::contains) continue;
      const node_index part = machine.other_end(link, each);
      const node& what = machine.nodes()[part];
      if (what.kind == node_kind::gpu && value_of(what, topology::attribute::lost).empty()) parts.gpus.push_back(part);
      if (what.kind == node_kind::nic && !what.attributes.contains(topology::attribute::software))
        parts.nics.push_back(part);
    }
    std::sort(parts.gpus.begin(), parts.gpus.end());
    std::sort(parts.nics.begin(), parts.nics.end());
    hosts.push_back(std::move(parts));
  }
  return hosts;
}

std::vector<node_index> owners_of(const graph& machine) {
  std::vector<node_index> owners(machine.nodes().size());
  std::iota(owners.begin(), owners.end(), node_index{0});
  for (const edge& each : machine.edges()) {
    if (each.kind != edge_kind::contains) continue;
    const bool is_a = machine.nodes()[each.a].kind == node_kind::host;
    const node_index host = is_a ? each.a : each.b, part = is_a ? each.b : each.a;
    if (machine.nodes()[host].kind == node_kind::host && owners[part] == part) owners[part] = host;
  }
  return owners;
}

std::string_view value_of(const node& part, const char* key) {
  return find(part.attributes, key);
}
std::string_view value_of(const edge& between, const char* key) {
  return find(between.attributes, key);
}

std::string plain(std::string_view text) {
  const auto is_blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string lower(text);
  for (char& c : lower) c = c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool is_absent(std::string_view text) {
  const std::string value = plain(text);
  return value.empty() || value == "n/a" || value == "[n/a]" || value == "none" || value == "not supported";
}

bool is_nvlink(edge_kind kind) {
  return kind == edge_kind::nvlink || kind == edge_kind::xgmi;
}
bool is_network(edge_kind kind) {
  return kind == edge_kind::infiniband || kind == edge_kind::ethernet;
}

std::string_view short_name(const node& part) {
  const std::string_view name = part.name;
  const std::size_t colon = name.find(':');
  return part.kind == node_kind::host || colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = names.size() > most_named ? most_named : names.size();
  std::string text;
  for (std::size_t each = 0; each < shown; ++each) {
    const bool is_last = each + 1 == names.size();
    text += (each == 0 ? "" : is_last ? " and " : ", ") + names[each];
  }
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

std::string listed(const graph& machine, const std::vector<node_index>& parts) {
  std::vector<std::string> names;
  names.reserve(parts.size());
  for (node_index each : parts) names.emplace_back(short_name(machine.nodes()[each]));
  return listed(names);
}

std::string counted(std::size_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

const std::string& subject_of(const graph& machine, const part_group& group) {
  return machine.nodes()[group.host.value_or(group.parts.front())].name;
}

}  // namespace hawser::discovery
