// Topology graphs as JSON, schema hawser.topology/1: nodes by index, edges, and what the sources left open.
#ifdef HAWSER_HAS_JSON

#include "json_reader.hpp"

namespace hawser::topology {

namespace {

using detail::element;
using detail::ordered_json;

ordered_json attributes_to_json(const std::map<std::string, std::string>& attributes) {
  ordered_json object = ordered_json::object();
  for (const auto& [key, value] : attributes) object[key] = value;
  return object;
}

std::map<std::string, std::string> attributes_from_json(const element& value) {
  std::map<std::string, std::string> attributes;
  for (const auto& [key, text] : value.entries()) attributes.emplace(key, text.text());
  return attributes;
}

ordered_json node_to_json(const node& part) {
  return {{"kind", std::string(to_string(part.kind))},
          {"name", part.name},
          {"identities", ordered_json(part.identities)},
          {"attributes", attributes_to_json(part.attributes)},
          {"tier", part.tier},
          {"can_reduce", part.can_reduce}};
}

ordered_json edge_to_json(const edge& between) {
  return {{"a", between.a},
          {"b", between.b},
          {"kind", std::string(to_string(between.kind))},
          {"bandwidth", between.rate ? ordered_json(between.rate->bytes_per_second) : ordered_json(nullptr)},
          {"latency", between.latency ? ordered_json(between.latency->count()) : ordered_json(nullptr)},
          {"provenance", std::string(to_string(between.source))},
          {"attributes", attributes_to_json(between.attributes)}};
}

node node_from_json(const element& value) {
  value.allow_keys({"kind", "name", "identities", "attributes", "tier", "can_reduce"});
  node part;
  part.kind = static_cast<node_kind>(value.member("kind").one_of(node_kind_names));
  part.name = value.member("name").text();
  for (const element& each : value.member("identities").items()) part.identities.push_back(each.text());
  part.attributes = attributes_from_json(value.member("attributes"));
  part.tier = static_cast<int>(value.member("tier").integer(0));
  if (part.tier > max_switch_tier) value.member("tier").fail_here("a tier of at most 64 is expected");
  part.can_reduce = value.member("can_reduce").boolean();
  return part;
}

edge edge_from_json(const element& value) {
  value.allow_keys({"a", "b", "kind", "bandwidth", "latency", "provenance", "attributes"});
  edge between;
  between.a = static_cast<node_index>(value.member("a").integer(0));
  between.b = static_cast<node_index>(value.member("b").integer(0));
  between.kind = static_cast<edge_kind>(value.member("kind").one_of(edge_kind_names));
  const element rate = value.member("bandwidth"), latency = value.member("latency");
  if (!rate.is_null()) between.rate = bandwidth{rate.number(true)};
  if (!latency.is_null()) between.latency = seconds{latency.number(false)};
  between.source = static_cast<provenance>(value.member("provenance").one_of(detail::provenance_names));
  if (value.has("attributes")) between.attributes = attributes_from_json(value.member("attributes"));
  return between;
}

finding finding_from_json(const element& value) {
  value.allow_keys({"severity", "code", "subject", "message"});
  return {static_cast<severity>(value.member("severity").one_of(severity_names)), value.member("code").text(),
          value.member("subject").text(), value.member("message").text()};
}

// Calls `add`, and turns what the graph refuses into an error of the element.
template <typename Add>
void add_checked(const element& value, Add add) {
  try {
    add();
  } catch (const error& failure) {
    if (failure.code() == errc::parse) throw;
    value.fail_here(failure.what());
  }
}

}  // namespace

std::string to_json(const graph& topology) {
  ordered_json nodes = ordered_json::array(), edges = ordered_json::array(), findings = ordered_json::array();
  for (const node& each : topology.nodes()) nodes.push_back(node_to_json(each));
  for (const edge& each : topology.edges()) edges.push_back(edge_to_json(each));
  for (const finding& each : topology.findings())
    findings.push_back({{"severity", std::string(to_string(each.level))},
                        {"code", each.code},
                        {"subject", each.subject},
                        {"message", each.message}});
  ordered_json tells = ordered_json::array();
  for (std::size_t each = 0; each < aspect_names.size(); ++each)
    if (topology.tells(static_cast<aspect>(each))) tells.push_back(std::string(aspect_names[each]));
  return detail::dump_document({{"schema", std::string(topology_schema)},
                                {"tells", tells},
                                {"nodes", nodes},
                                {"edges", edges},
                                {"findings", findings}});
}

graph detail::read_graph(const element& root) {
  detail::check_schema(root, topology_schema);
  // `hawser topo` adds what follows from the graph: to be read by people and scripts, and derived anew here.
  root.allow_keys({"schema", "tells", "nodes", "edges", "findings", "hierarchy", "lint"});
  graph read;
  if (root.has("tells"))
    for (const element& each : root.member("tells").items()) read.tell(static_cast<aspect>(each.one_of(aspect_names)));
  for (const element& each : root.member("nodes").items())
    add_checked(each, [&] { read.add_node(node_from_json(each)); });
  for (const element& each : root.member("edges").items())
    add_checked(each, [&] { read.add_edge(edge_from_json(each)); });
  for (const element& each : root.member("findings").items()) read.note(finding_from_json(each));
  return read;
}

graph graph_from_json(std::string_view text, std::string_view file_name) {
  const detail::json document = detail::parse_document(text, file_name);
  return detail::read_graph(element(document, file_name));
}

}  // namespace hawser::topology

#endif
