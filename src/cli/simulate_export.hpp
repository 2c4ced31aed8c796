// `hawser simulate --export FORMAT:FILE`: schedules for other simulators.
#pragma once

#include <string>
#include <string_view>

#include <hawser/cost/parameters.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::cli {

enum class export_format { none, goal, chakra };

/// Where schedules are written, and how.
struct export_target {
  export_format format = export_format::none;
  std::string file;  ///< of Chakra the beginning of the names: FILE.0.et, FILE.1.et, ...
};

/// Reads "goal:FILE" or "chakra:FILE"; an empty text is no export. Throws errc::invalid_argument for anything else, and
/// errc::unsupported for Chakra where protobuf was not built in.
export_target parse_export(const std::string& text);

/// Throws errc::io where the file cannot be written.
void write_file(const std::string& path, const std::string& text);

/// Writes the schedules of all ranks, if anything is to be exported. Throws errc::unsupported above
/// `simulate::most_exported_ranks`, and as `write_file` and `algorithm::generate`.
void write_export(const export_target& target, const topology::hierarchy& tree, const schedule::request& what,
                  std::string_view algorithm, const cost::parameters& host);

}  // namespace hawser::cli
