// The parser behind every JSON file: limits, duplicate keys, and errors with line and column.
#ifdef HAWSER_HAS_JSON

#include "json_reader.hpp"

namespace hawser::topology::detail {

json parse_document(std::string_view text, std::string_view file_name) {
  const json nothing;
  const element nowhere(nothing, file_name);
  if (text.size() > max_json_bytes) nowhere.fail_here("it is larger than 32 MiB");
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    const bool starts = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (starts && depth >= max_json_depth) nowhere.fail_here("it is nested more than 256 levels deep");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      nowhere.fail_here("the key " + parsed.dump() + " occurs twice in one object");
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception& failure) {
    const std::string message = failure.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    const std::size_t tag = message.find("] ");
    nowhere.fail_here(tag == std::string::npos ? message : message.substr(tag + 2));
  }
}

void check_schema(const element& root, std::string_view schema) {
  const std::string given = root.member("schema").text();
  if (given != schema)
    root.member("schema").fail_here("the schema is \"" + given + "\", not \"" + std::string(schema) + "\"");
}

std::string dump_document(const ordered_json& document) {
  try {
    return document.dump(2);
  } catch (const json::exception&) {
    fail(errc::invalid_argument, "the topology cannot be written as JSON", "a name in it is not UTF-8");
  }
}

}  // namespace hawser::topology::detail

namespace hawser::topology {

std::string json_schema_of(std::string_view text, std::string_view file_name) {
  const detail::json document = detail::parse_document(text, file_name);
  return detail::element(document, file_name).member("schema").text();
}

}  // namespace hawser::topology

#else

#include <hawser/topology/json.hpp>

namespace hawser::topology {

namespace {
[[noreturn]] void refuse() {
  fail(errc::unsupported, "topology files cannot be read or written", "built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}
}  // namespace

std::string to_json(const hierarchy&) {
  refuse();
}
std::string to_json(const hosted_hierarchy&) {
  refuse();
}
std::string to_json(const graph&) {
  refuse();
}
hierarchy hierarchy_from_json(std::string_view, std::string_view) {
  refuse();
}
hosted_hierarchy hosted_hierarchy_from_json(std::string_view, std::string_view) {
  refuse();
}
graph graph_from_json(std::string_view, std::string_view) {
  refuse();
}
std::string json_schema_of(std::string_view, std::string_view) {
  refuse();
}

}  // namespace hawser::topology

#endif
