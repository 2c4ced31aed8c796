// Decision files: decisions for one machine as JSON, schema "hawser.decisions/1" (docs/schema/decisions-1.json).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <hawser/planner/decisions.hpp>

// All of these throw errc::unsupported where hawser was built without nlohmann-json. In hawser::runtime.
namespace hawser::planner {

inline constexpr std::string_view decisions_schema = "hawser.decisions/1";

/// JSON text that reads back equal, `source` apart.
std::string to_json(const decision_table& table);

/// Reads JSON; `file_name` becomes the table's source. Throws errc::parse with file, path of the element and reason
/// where the text is not JSON, breaks the schema, names an unknown collective or algorithm, or has ranges that overlap.
decision_table decisions_from_json(std::string_view text, std::string_view file_name = {});

/// The same from a file. Throws errc::io, too.
decision_table read_decisions(const std::string& path);

}  // namespace hawser::planner
