// See doctor_hang.hpp.
#include "doctor_hang.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/diagnosis/hang.hpp>

#include "describe.hpp"

namespace hawser::cli {
namespace {

using nlohmann::ordered_json;

std::string in_words(const std::vector<diagnosis::dump>& dumps, const diagnosis::hang_report& found) {
  std::string text = found.sentence + "\n";
  text += "\n" + std::to_string(dumps.size()) + " of " + std::to_string(dumps.front().size) + " ranks left a dump";
  if (!found.without_dump.empty()) text += "; there is none of " + diagnosis::ranks_in_words(found.without_dump);
  text += "\n";
  for (const diagnosis::dump& each : dumps)
    text += "  rank " + std::to_string(each.rank) + (each.host.empty() ? "" : " on " + each.host) + ", process " +
            std::to_string(each.process) + ": " + each.reason + "\n";
  if (!found.waiting.empty()) text += "\nwho waits\n";
  for (const std::string& each : found.waiting) text += "  " + each + "\n";
  return text;
}

std::string in_json(const diagnosis::hang_report& found) {
  const ordered_json document{
      {"schema", "hawser.hang/1"},
      {"kind", std::string(to_string(found.kind))},
      {"sentence", found.sentence},
      {"ranks", found.ranks},
      {"without_dump", found.without_dump},
      {"communicator", found.communicator.empty() ? ordered_json() : ordered_json(found.communicator)},
      {"call", found.call == 0 ? ordered_json() : ordered_json(found.call)},
      {"waiting", found.waiting}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

verb add_doctor_hang(CLI::App& doctor) {
  auto folder = std::make_shared<std::string>(), form = std::make_shared<std::string>("text");
  CLI::App* const app = doctor.add_subcommand("hang", "Read the dumps of a job's ranks: who keeps the others waiting");
  app->add_option("folder", *folder, "where the ranks left their dumps (HAWSER_DUMP_DIR)")
      ->required()
      ->type_name("DIR");
  app->add_option("--format", *form, "text or json (docs/schema/hang-1.json)")
      ->capture_default_str()
      ->type_name("FORMAT");
  return {app, [folder, form] {
            const format wanted = parse_format(*form);
            const std::vector<diagnosis::dump> dumps = diagnosis::read_dumps(*folder);
            const diagnosis::hang_report found = diagnosis::find_hang(dumps);
            std::fputs((wanted == format::json ? in_json(found) : in_words(dumps, found)).c_str(), stdout);
            return found.kind == diagnosis::hang_kind::none ? exit_success : exit_found_wrong;
          }};
}

}  // namespace hawser::cli
