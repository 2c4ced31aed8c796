// Hierarchies and topology graphs as JSON, schemas "hawser.hierarchy/1" and "hawser.topology/1" (docs/schema/).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <hawser/topology/graph.hpp>
#include <hawser/topology/hierarchy.hpp>
#include <hawser/topology/hosted.hpp>

// All of these throw errc::unsupported where hawser was built without nlohmann-json.
namespace hawser::topology {

inline constexpr std::string_view hierarchy_schema = "hawser.hierarchy/1";
inline constexpr std::string_view topology_schema = "hawser.topology/1";
inline constexpr std::size_t max_json_bytes = std::size_t{32} << 20;
inline constexpr int max_json_depth = 256;

/// The value as JSON text that reads back equal: bandwidths in bytes per second, latencies in seconds, null for what
/// is unknown. Throws errc::invalid_argument where a name is not UTF-8 or the hosts do not fit.
std::string to_json(const hierarchy& tree);
std::string to_json(const hosted_hierarchy& hosted);
std::string to_json(const graph& topology);

/// Reads JSON. Throws errc::parse with file, path of the element (`levels[1].units`) and reason where the text is not
/// JSON, breaks the schema or the limits above, has duplicate or unknown keys, or describes no valid value. A figure
/// of a level that is null is assumed (`default_link`). `file_name` is for the messages only.
hierarchy hierarchy_from_json(std::string_view text, std::string_view file_name = {});
hosted_hierarchy hosted_hierarchy_from_json(std::string_view text, std::string_view file_name = {});
graph graph_from_json(std::string_view text, std::string_view file_name = {});

/// Whichever of the two the key "schema" says, parsed once. Throws errc::parse as above, and for any other schema.
std::variant<hosted_hierarchy, graph> any_from_json(std::string_view text, std::string_view file_name = {});

}  // namespace hawser::topology
