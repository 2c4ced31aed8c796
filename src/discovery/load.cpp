// Reads topology arguments: presets, synthetic strings, files, and what is discovered.
#include <hawser/discovery/load.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/expand.hpp>
#include <hawser/topology/json.hpp>
#include <hawser/topology/merge.hpp>
#include <hawser/topology/presets.hpp>
#include <hawser/topology/synthetic.hpp>

#include "file.hpp"
#include "sources/sources.hpp"
#include "text.hpp"

namespace hawser::discovery {

namespace {

constexpr std::string_view live = "auto";

/// A hierarchy as such, or a graph.
struct described {
  std::optional<topology::hosted_hierarchy> hierarchy;
  topology::graph machine;
};

bool names_kind(std::string_view argument) {
  const std::size_t end = argument.find_first_of(":@");
  if (end == std::string_view::npos) return false;
  const auto is_kind = [&](const file_source& each) { return each.kind == argument.substr(0, end); };
  return std::ranges::any_of(file_sources(), is_kind);
}

described read_described(const std::string& argument, const read_options& options) {
  const opened_file file = open_file(argument, options);
  if (file.source->kind != hawser_json.kind) return {std::nullopt, read(*file.source, file.as_document(), {file.host})};
  auto read = topology::any_from_json(file.text, file.name);
  if (auto* const hosted = std::get_if<topology::hosted_hierarchy>(&read)) return {std::move(*hosted), {}};
  return {std::nullopt, std::get<topology::graph>(std::move(read))};
}

described describe(const std::string& argument, const read_options& options) {
  if (argument.starts_with(topology::preset_prefix)) return {{{topology::parse_preset(argument)}}, {}};
  if (names_kind(argument)) return read_described(argument, options);
  std::string not_synthetic;
  try {
    return {{{topology::parse_synthetic(argument)}}, {}};
  } catch (const error& failure) {
    not_synthetic = failure.what();
  }
  std::error_code unusable;
  if (std::filesystem::exists(argument, unusable)) return read_described(argument, options);
  fail(errc::parse, "\"" + shortened(argument) + "\" is neither a file nor a synthetic topology",
       "there is no file of that name; read as text: " + not_synthetic,
       "give a synthetic string such as \"rack:4 gpu:8\", preset:NAME, auto, or the name of a topology file");
}

}  // namespace

gathered gather(std::span<const std::string> arguments, const discover_options& options) {
  if (arguments.empty()) fail(errc::invalid_argument, "there is no topology to read");
  const bool is_live = std::ranges::find(arguments, live) != arguments.end();
  const live_environment here = is_live ? this_host() : live_environment{};
  const read_options of_file = is_live ? read_options{here.host} : read_options{};
  gathered all;
  for (const std::string& each : arguments) {
    if (each == live) {
      discovery found = discover(here, options);
      topology::merge(all.machine, found.machine);
      all.phases = std::move(found.phases);
      continue;
    }
    described read = describe(each, of_file);
    if (arguments.size() == 1 && read.hierarchy) {
      all.hierarchy = std::move(read.hierarchy);
      return all;
    }
    topology::merge(all.machine, read.hierarchy ? topology::expand(read.hierarchy->tree) : read.machine);
  }
  return all;
}

topology::hosted_hierarchy load(std::string_view argument) {
  return load_machine(argument).hosted;
}

loaded load_machine(std::string_view argument) {
  described read = argument == live ? described{std::nullopt, discover().machine} : describe(std::string(argument), {});
  if (read.hierarchy) return {std::move(*read.hierarchy), std::nullopt};
  return {topology::derive(read.machine).hosted, std::move(read.machine)};
}

}  // namespace hawser::discovery
