// Hierarchies as JSON, schema hawser.hierarchy/1: levels, placement and host names.
#ifdef HAWSER_HAS_JSON

#include <cmath>

#include "json_reader.hpp"

#include <hawser/topology/defaults.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::topology {

namespace {

using detail::element;
using detail::ordered_json;

ordered_json units_to_json(const child_counts& units) {
  if (units.is_uniform()) return units.size(0);
  ordered_json list = ordered_json::array();
  for (std::int64_t parent = 0; parent < units.parents(); ++parent) list.push_back(units.size(parent));
  return list;
}

ordered_json level_to_json(const level& each) {
  const double rate = each.up.rate.bytes_per_second;
  const double latency = each.up.latency.count();
  return {{"name", each.name},
          {"units", units_to_json(each.units)},
          {"bandwidth", std::isfinite(rate) && rate > 0 ? ordered_json(rate) : ordered_json(nullptr)},
          {"latency", std::isfinite(latency) && latency >= 0 ? ordered_json(latency) : ordered_json(nullptr)},
          {"provenance", std::string(to_string(each.up.source))},
          {"reduces_in_network", each.reduces_in_network}};
}

child_counts units_from_json(const element& value, std::int64_t parents) {
  if (!value.is_list()) return child_counts::uniform(parents, value.integer(1));
  std::vector<std::int64_t> sizes;
  for (const element& each : value.items()) sizes.push_back(each.integer(1));
  if (static_cast<std::int64_t>(sizes.size()) != parents)
    value.fail_here("the list has " + std::to_string(sizes.size()) + " entries, the level above has " +
                    std::to_string(parents) + " units");
  return child_counts::listed(std::move(sizes));
}

level level_from_json(const element& value, std::int64_t parents) {
  value.allow_keys({"name", "units", "bandwidth", "latency", "provenance", "reduces_in_network"});
  level read;
  read.name = value.member("name").text();
  if (!is_level_name(read.name))
    value.member("name").fail_here("\"" + read.name + "\" is not a level name",
                                   "use letters, digits, _ and -, beginning with a letter");
  read.units = units_from_json(value.member("units"), parents);
  if (read.units.total() > INT32_MAX) value.member("units").fail_here("more than 2^31 - 1 ranks");
  read.up = default_link(read.name);
  const element rate = value.member("bandwidth"), latency = value.member("latency");
  const auto source = static_cast<provenance>(value.member("provenance").one_of(detail::provenance_names));
  if (!rate.is_null()) read.up.rate.bytes_per_second = rate.number(true);
  if (!latency.is_null()) read.up.latency = seconds{latency.number(false)};
  if (!rate.is_null() || !latency.is_null()) read.up.source = source;
  read.reduces_in_network = value.member("reduces_in_network").boolean();
  return read;
}

std::vector<level> levels_from_json(const element& list) {
  std::vector<level> levels;
  const std::vector<element> items = list.items();
  if (items.empty()) list.fail_here("a hierarchy needs at least one level");
  if (items.size() > max_levels) list.fail_here("too many levels", "use at most 32");
  for (const element& each : items) {
    level read = level_from_json(each, levels.empty() ? 1 : levels.back().units.total());
    for (const level& other : levels)
      if (other.name == read.name) each.fail_here("the level \"" + read.name + "\" occurs twice");
    levels.push_back(std::move(read));
  }
  return levels;
}

hierarchy tree_from_json(const element& root) {
  std::vector<level> levels = levels_from_json(root.member("levels"));
  if (!root.has("rank_at_position")) return hierarchy(std::move(levels));
  const element placement = root.member("rank_at_position");
  if (placement.is_null()) return hierarchy(std::move(levels));
  std::vector<rank> rank_at;
  for (const element& each : placement.items()) rank_at.emplace_back(static_cast<std::int32_t>(each.integer(0)));
  try {
    return hierarchy(std::move(levels), std::move(rank_at));
  } catch (const error& failure) {
    placement.fail_here(failure.what());
  }
}

int depth_of(const hierarchy& tree, const element& name) {
  const std::string wanted = name.text();
  for (int depth = 0; depth < tree.depth(); ++depth)
    if (tree.at(depth).name == wanted) return depth;
  name.fail_here("there is no level \"" + wanted + "\"");
}

}  // namespace

std::string to_json(const hosted_hierarchy& hosted) {
  check_hosts(hosted);
  const hierarchy& tree = hosted.tree;
  ordered_json levels = ordered_json::array(), placement = nullptr;
  for (const level& each : tree.levels()) levels.push_back(level_to_json(each));
  if (!tree.is_in_rank_order()) {
    placement = ordered_json::array();
    for (std::int64_t position = 0; position < tree.size(); ++position)
      placement.push_back(tree.rank_at(position).value);
  }
  ordered_json document = {
      {"schema", std::string(hierarchy_schema)}, {"levels", levels}, {"rank_at_position", placement}};
  if (!hosted.hosts.empty()) {
    document["host_level"] = tree.at(hosted.host_level).name;
    document["hosts"] = hosted.hosts;
  }
  return detail::dump_document(document);
}

std::string to_json(const hierarchy& tree) {
  return to_json(hosted_hierarchy{tree});
}

hosted_hierarchy detail::read_hierarchy(const element& root) {
  detail::check_schema(root, hierarchy_schema);
  root.allow_keys({"schema", "levels", "rank_at_position", "host_level", "hosts"});
  hosted_hierarchy read{tree_from_json(root)};
  if (!root.has("hosts") && !root.has("host_level")) return read;
  read.host_level = depth_of(read.tree, root.member("host_level"));
  const element hosts = root.member("hosts");
  for (const element& each : hosts.items()) {
    read.hosts.push_back(each.text());
    if (read.hosts.back().empty()) each.fail_here("a host name cannot be empty");
  }
  try {
    check_hosts(read);
  } catch (const error& failure) {
    hosts.fail_here(failure.what());
  }
  return read;
}

hosted_hierarchy hosted_hierarchy_from_json(std::string_view text, std::string_view file_name) {
  const detail::json document = detail::parse_document(text, file_name);
  return detail::read_hierarchy(element(document, file_name));
}

hierarchy hierarchy_from_json(std::string_view text, std::string_view file_name) {
  return hosted_hierarchy_from_json(text, file_name).tree;
}

}  // namespace hawser::topology

#endif
