// The summary as JSON, docs/schema/summary-1.json.
#include <hawser/discovery/summary.hpp>

#include <hawser/core/error.hpp>

#ifdef HAWSER_HAS_JSON
#include <nlohmann/json.hpp>
#endif

namespace hawser::discovery {

#ifdef HAWSER_HAS_JSON

namespace {

using json = nlohmann::ordered_json;

template <typename Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json();
}

json switches(const summary& what) {
  if (!what.switches_by_level) return {};
  json object = json::object();
  for (const auto& [level, number] : *what.switches_by_level) object[std::to_string(level)] = number;
  return object;
}

}  // namespace

std::string to_json(const summary& what) {
  json document = {{"hosts", or_null(what.hosts)},
                   {"gpus", or_null(what.gpus)},
                   {"nvlink_domains", or_null(what.nvlink_domains)},
                   {"nics", or_null(what.nics)},
                   {"numa_nodes", or_null(what.numa_nodes)},
                   {"switches_by_level", switches(what)},
                   {"links", or_null(what.links)},
                   {"levels", or_null(what.levels)},
                   {"findings", json::array()}};
  for (const topology::finding& each : what.findings)
    document["findings"].push_back({{"code", each.code},
                                    {"severity", std::string(topology::to_string(each.level))},
                                    {"subject", each.subject},
                                    {"message", each.message}});
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

#else

std::string to_json(const summary&) {
  fail(errc::unsupported, "the summary cannot be written as JSON", "hawser was built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}

#endif

}  // namespace hawser::discovery
