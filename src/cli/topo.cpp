// hawser topo: prints what topology arguments describe together.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/discovery/draw.hpp>
#include <hawser/discovery/lint.hpp>
#include <hawser/discovery/load.hpp>
#include <hawser/discovery/nccl_xml.hpp>
#include <hawser/discovery/summary.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/expand.hpp>
#include <hawser/topology/json.hpp>

#include "describe_topology.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

struct topo_options {
  std::vector<std::string> topologies;
  std::string form = "text";
  std::string host;
  bool is_summary = false;
  bool is_hierarchy = false;
};

topology::graph machine_of(const discovery::gathered& read) {
  return read.hierarchy ? topology::expand(read.hierarchy->tree) : read.machine;
}

topology::hosted_hierarchy hierarchy_of(const discovery::gathered& read) {
  return read.hierarchy ? *read.hierarchy : topology::derive(read.machine).hosted;
}

std::string text_of(const discovery::gathered& read) {
  if (read.hierarchy) return describe(*read.hierarchy);
  const discovery::summary found = discovery::summarise(read.machine);
  std::string text = discovery::to_text(found);
  text += "\n" + describe_links(read.machine);
  if (found.levels) text += "\n" + describe(topology::derive(read.machine).hosted);
  if (!read.phases.empty()) text += "\n" + describe(read.phases);
  return text;
}

// The graph with what follows from it: the hierarchy, where one does, and the findings of lint and of deriving.
std::string json_of(const topology::graph& machine) {
  using nlohmann::ordered_json;
  ordered_json document = ordered_json::parse(topology::to_json(machine));
  std::vector<topology::finding> found = discovery::lint(machine);
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(machine.findings().size()));
  document["hierarchy"] = nullptr;
  try {
    const topology::derived made = topology::derive(machine);
    document["hierarchy"] = ordered_json::parse(topology::to_json(made.hosted));
    found.insert(found.end(), made.findings.begin(), made.findings.end());
  } catch (const error& failure) {
    if (failure.code() == errc::internal) throw;
    found.push_back({topology::severity::info, "no-hierarchy", "topology", failure.what()});
  }
  document["lint"] = ordered_json::array();
  for (const topology::finding& each : found)
    document["lint"].push_back({{"severity", std::string(to_string(each.level))},
                                {"code", each.code},
                                {"subject", each.subject},
                                {"message", each.message}});
  return document.dump(2);
}

// The host that is named, else the only one.
std::string nccl_xml_of(const topology::graph& machine, const std::string& named) {
  if (!named.empty()) return discovery::to_nccl_xml(machine, named);
  std::vector<std::string> hosts;
  for (const topology::node& each : machine.nodes())
    if (each.kind == topology::node_kind::host) hosts.push_back(each.name);
  if (hosts.size() != 1)
    fail(errc::invalid_argument, "NCCL's XML describes one host",
         "the topology has " + std::to_string(hosts.size()) + " hosts", "name one with --host");
  return discovery::to_nccl_xml(machine, hosts.front());
}

std::string written(const topo_options& options, const discovery::gathered& read) {
  if (options.form == "dot") return discovery::to_dot(machine_of(read));
  if (options.form == "svg") return discovery::to_svg(machine_of(read));
  if (options.form == "nccl-xml") return nccl_xml_of(machine_of(read), options.host);
  const bool is_json = parse_format(options.form) == format::json;
  if (options.is_summary) {
    const discovery::summary found = discovery::summarise(machine_of(read));
    return is_json ? discovery::to_json(found) : discovery::to_text(found);
  }
  if (options.is_hierarchy) return is_json ? topology::to_json(hierarchy_of(read)) : describe(hierarchy_of(read));
  if (!is_json) return text_of(read);
  return read.hierarchy ? topology::to_json(*read.hierarchy) : json_of(read.machine);
}

std::vector<std::string> arguments_of(const topo_options& options) {
  if (!options.topologies.empty()) return options.topologies;
  const std::string from_environment = bootstrap::read_launch().topology;
  if (!from_environment.empty()) return {from_environment};
  fail(errc::invalid_argument, "there is no topology to print", "neither an argument nor HAWSER_TOPOLOGY",
       "write one like \"rack:4 gpu:8\", auto for this machine, or the name of a file");
}

}  // namespace

verb add_topo(CLI::App& program, const context&) {
  auto options = std::make_shared<topo_options>();
  CLI::App* const app = program.add_subcommand("topo", "Print what topology arguments describe together");
  app->add_option(
         "topology", options->topologies,
         "auto, file, KIND:FILE, synthetic string or preset:NAME (docs/discovery.md); default: HAWSER_TOPOLOGY")
      ->type_name("TOPOLOGY");
  app->add_option("--format", options->form,
                  "text, json (docs/schema/), dot or svg (a drawing), nccl-xml (for NCCL_TOPO_FILE)")
      ->check(CLI::IsMember({"text", "json", "dot", "svg", "nccl-xml"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  app->add_option("--host", options->host, "Of several hosts, the one that nccl-xml describes")->type_name("NAME");
  app->add_flag("--summary", options->is_summary, "Only numbers and findings (docs/schema/summary-1.json)");
  app->add_flag("--hierarchy", options->is_hierarchy, "Only the hierarchy (docs/schema/hierarchy-1.json)");
  return {app, [options] {
            discovery::discover_options how;
            how.cache_folder = "";  // asked for, so looked at anew
            std::string text = written(*options, discovery::gather(arguments_of(*options), how));
            if (text.empty() || text.back() != '\n') text += '\n';
            std::fputs(text.c_str(), stdout);
            return exit_success;
          }};
}

}  // namespace hawser::cli
