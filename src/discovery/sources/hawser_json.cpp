// hawser's own JSON: a topology graph, or a hierarchy, which is made into a graph.
#include <utility>
#include <variant>

#include <hawser/topology/expand.hpp>
#include <hawser/topology/json.hpp>

#include "../text.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  const std::string_view start = trimmed(file.text.substr(0, 4096));
  return start.starts_with('{') && start.find("\"hawser.") != std::string_view::npos;
}

topology::graph read(const document& file, const read_options&) {
  auto described = topology::any_from_json(file.text, file.name);
  if (const auto* const hosted = std::get_if<topology::hosted_hierarchy>(&described))
    return topology::expand(hosted->tree);
  return std::get<topology::graph>(std::move(described));
}

}  // namespace

const file_source hawser_json{"hawser-json", "hawser's own JSON: hawser.topology/1 or hawser.hierarchy/1",
                              max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
