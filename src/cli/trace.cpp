// hawser trace merge: the traces of a job's ranks in one file.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/core/error.hpp>
#include <hawser/diagnosis/trace.hpp>

#include "core/text_file.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_trace_bytes = std::size_t{256} << 20;

std::vector<std::string> files_in(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failed;
  std::vector<std::string> files;
  for (fs::directory_iterator each(folder, failed), end; !failed && each != end; each.increment(failed))
    if (each->path().filename().string().ends_with(diagnosis::trace_file_ending))
      files.push_back(each->path().string());
  if (failed) fail(errc::io, "cannot read the folder \"" + folder + "\"", failed.message());
  if (files.empty())
    fail(errc::not_found, "there is no trace in \"" + folder + "\"",
         "no file there ends in " + std::string(diagnosis::trace_file_ending), "start the job with HAWSER_TRACE");
  std::sort(files.begin(), files.end());
  return files;
}

ordered_json events_of(const std::string& file) {
  const ordered_json read = ordered_json::parse(read_text_file("trace", file, most_trace_bytes), nullptr, false);
  if (!read.is_object() || !read.contains("traceEvents") || !read["traceEvents"].is_array())
    fail(errc::parse, "cannot read \"" + file + "\"", "it is no JSON object with a list \"traceEvents\"");
  return read["traceEvents"];
}

std::string merged(const std::string& folder) {
  ordered_json events = ordered_json::array();
  for (const std::string& file : files_in(folder))
    for (const ordered_json& each : events_of(file)) events.push_back(each);
  const ordered_json document{{"displayTimeUnit", "ns"}, {"traceEvents", events}};
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

int write_out(const std::string& output, const std::string& text) {
  if (output.empty()) return std::fputs(text.c_str(), stdout) < 0 ? exit_found_wrong : exit_success;
  std::ofstream file(output, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) fail(errc::io, "cannot write \"" + output + "\"");
  return exit_success;
}

}  // namespace

verb add_trace(CLI::App& program, const context&) {
  auto folder = std::make_shared<std::string>(), output = std::make_shared<std::string>();
  CLI::App* const app = program.add_subcommand("trace", "Work with the traces that a job's ranks left (HAWSER_TRACE)");
  app->require_subcommand(1);
  CLI::App* const merge = app->add_subcommand("merge", "Put the traces of all ranks into one file, for Perfetto");
  merge->add_option("folder", *folder, "where the ranks left their traces")->required()->type_name("DIR");
  merge->add_option("--output", *output, "the file to write; else it goes to stdout")->type_name("FILE");
  return {app, [folder, output] { return write_out(*output, merged(*folder)); }};
}

}  // namespace hawser::cli
