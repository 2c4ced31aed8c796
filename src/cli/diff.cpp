// hawser diff: what differs between two plans, or two decision files, that `hawser plan --format json` wrote.
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/core/error.hpp>
#include <hawser/planner/decision_file.hpp>

#include "describe.hpp"
#include "plan_report.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

using nlohmann::json;

struct diff_options {
  std::string before;
  std::string after;
  std::string form = "text";
};

constexpr std::size_t most_bytes = std::size_t{64} << 20;

/// A plan or a decision file.
json read_document(const std::string& path) {
  const std::string problem = "cannot read the plan \"" + path + "\"";
  std::ifstream file(path, std::ios::binary);
  std::string text(most_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.is_open() || file.bad())
    fail(errc::io, problem, "the file cannot be read", "write one with hawser plan ... --format json");
  if (text.size() > most_bytes) fail(errc::parse, problem, "it is larger than 64 MiB");
  json plan;
  try {
    plan = json::parse(text);
  } catch (const json::exception& wrong) {
    fail(errc::parse, problem, wrong.what(), "write one with hawser plan ... --format json");
  }
  const json schema = plan.is_object() ? plan.value("schema", json()) : json();
  if (schema != plan_schema && schema != planner::decisions_schema)
    fail(errc::parse, problem,
         std::string("its schema is neither ") + plan_schema + " nor " + std::string(planner::decisions_schema),
         "write one with hawser plan ... --format json");
  plan.erase("stats");  // measured times always differ
  return plan;
}

/// Decisions are compared by collective and smallest size: "all_reduce 1024".
json by_size(json table) {
  json named = json::object();
  for (json& each : table["decisions"])
    if (each.is_object() && each.contains("collective") && each["collective"].is_string() &&
        each.contains("least_bytes"))
      named[each["collective"].get<std::string>() + " " + each["least_bytes"].dump()] = each;
  table["decisions"] = named;
  return table;
}

/// Candidates are compared by name, not by place in the list.
json by_name(json plan) {
  if (plan["schema"] == planner::decisions_schema) return by_size(std::move(plan));
  json named = json::object();
  for (json& each : plan["candidates"])
    if (each.is_object() && each.contains("algorithm") && each["algorithm"].is_string())
      named[each["algorithm"].get<std::string>()] = each;
  plan["candidates"] = named;
  return plan;
}

void collect(const json& before, const json& after, const std::string& path, json& changes) {
  if (before.is_object() && after.is_object()) {
    for (const auto& [key, value] : before.items())
      collect(value, after.contains(key) ? after[key] : json(), path + "/" + key, changes);
    for (const auto& [key, value] : after.items())
      if (!before.contains(key)) collect(json(), value, path + "/" + key, changes);
  } else if (before != after) {
    changes.push_back({{"path", path}, {"before", before}, {"after", after}});
  }
}

}  // namespace

verb add_diff(CLI::App& program, const context&) {
  auto options = std::make_shared<diff_options>();
  CLI::App* const app = program.add_subcommand(
      "diff",
      "Compare two plans (hawser plan ... --format json) or two decision files (hawser plan --map --format json)");
  app->add_option("before", options->before, "A plan or a decision file as JSON")->required()->type_name("FILE");
  app->add_option("after", options->after, "Another one")->required()->type_name("FILE");
  app->add_option("--format", options->form, "text or json")->capture_default_str()->type_name("FORMAT");
  return {app, [options] {
            const format form = parse_format(options->form);
            json changes = json::array();
            const json before = read_document(options->before), after = read_document(options->after);
            if (before["schema"] != after["schema"])
              fail(errc::invalid_argument, "cannot compare \"" + options->before + "\" with \"" + options->after + "\"",
                   "one is a plan and the other a decision file");
            collect(by_name(before), by_name(after), "", changes);
            if (form == format::json) {
              std::printf("%s\n", json{{"schema", "hawser.diff/1"}, {"changes", changes}}.dump(2).c_str());
            } else {
              for (const json& each : changes)
                std::printf("%s: %s -> %s\n", each["path"].get<std::string>().c_str(), each["before"].dump().c_str(),
                            each["after"].dump().c_str());
            }
            return changes.empty() ? exit_success : exit_found_wrong;
          }};
}

}  // namespace hawser::cli
