// See simulate_export.hpp.
#include "simulate_export.hpp"

#include <fstream>

#include <hawser/simulate/goal.hpp>

#include "chakra.hpp"

namespace hawser::cli {

export_target parse_export(const std::string& text) {
  if (text.empty()) return {};
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  export_target made;
  if (name == "goal") made.format = export_format::goal;
  if (name == "chakra") made.format = export_format::chakra;
  if (colon != std::string::npos) made.file = text.substr(colon + 1);
  if (made.format == export_format::none || made.file.empty())
    fail(errc::invalid_argument, "cannot export to \"" + text + "\"", "the formats are GOAL and Chakra",
         "write goal:FILE, or chakra:FILE for FILE.0.et, FILE.1.et, ...");
  if (made.format == export_format::chakra) check_chakra();
  return made;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) fail(errc::io, "cannot write " + path, "the file cannot be created or the disk is full");
}

void write_export(const export_target& target, const topology::hierarchy& tree, const schedule::request& what,
                  std::string_view algorithm, const cost::parameters& host) {
  if (target.format == export_format::goal) write_file(target.file, simulate::to_goal(tree, what, algorithm, host));
  if (target.format != export_format::chakra) return;
  simulate::check_exported(tree);
  simulate::check_among_ranks(algorithm);
  for (int r = 0; r < static_cast<int>(tree.size()); ++r) {
    const schedule::program code = schedule::derive_dependences(algorithm::generate(tree, what, algorithm, r));
    write_file(target.file + "." + std::to_string(r) + ".et", to_chakra(code, what, host));
  }
}

}  // namespace hawser::cli
