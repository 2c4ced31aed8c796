// hawser's own JSON: a topology graph, or a hierarchy, which is made into a graph.
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
  const std::string schema = topology::json_schema_of(file.text, file.name);
  if (schema == topology::topology_schema) return topology::graph_from_json(file.text, file.name);
  if (schema == topology::hierarchy_schema)
    return topology::expand(topology::hierarchy_from_json(file.text, file.name));
  fail_in(file, "schema", "the schema \"" + shortened(schema) + "\" is not a topology",
          "use " + std::string(topology::hierarchy_schema) + " or " + std::string(topology::topology_schema));
}

}  // namespace

const file_source hawser_json{"hawser-json", "hawser's own JSON: hawser.topology/1 or hawser.hierarchy/1",
                              max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
