// See plan_map.hpp.
#include "plan_map.hpp"

#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>

#include <hawser/core/units.hpp>
#include <hawser/planner/decision_file.hpp>
#include <hawser/planner/decision_map.hpp>

#include "decisions_option.hpp"
#include "describe.hpp"
#include "topology_option.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

using clock = std::chrono::steady_clock;

/// Consecutive sizes with one algorithm are one line.
std::string text_of(const planner::decision_table& table) {
  std::string text = "decisions for " + table.hierarchy + " (" + std::to_string(table.ranks) + " ranks), fingerprint " +
                     table.fingerprint + "\n";
  const auto size = [](std::int64_t bytes) { return to_string(hawser::bytes{static_cast<std::uint64_t>(bytes)}); };
  const std::vector<planner::decision>& all = table.decisions;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i + 1;
    while (end < all.size() && all[end].what == all[i].what && all[end].algorithm == all[i].algorithm) ++end;
    const planner::decision &first = all[i], &last = all[end - 1];
    const auto share = [](const planner::decision& each) {
      return each.predicted.count() > 0 ? 100 * (each.lower_bound / each.predicted) : 0;
    };
    text += formatted("%-15s %9s .. %-9s %-52s %5.0f%% .. %.0f%% of the bound, %lld .. %lld segments\n",
                      std::string(to_string(first.what)).c_str(), size(first.least_bytes).c_str(),
                      size(last.least_bytes).c_str(), first.algorithm.c_str(), share(first), share(last),
                      static_cast<long long>(first.segments), static_cast<long long>(last.segments));
    i = end;
  }
  return text;
}

std::vector<schedule::collective> collectives_of(const std::vector<std::string>& names) {
  std::vector<schedule::collective> all;
  all.reserve(names.size());
  for (const std::string& each : names) all.push_back(schedule::parse_collective(each));
  if (names.empty()) all.assign(std::begin(schedule::all_collectives), std::end(schedule::all_collectives));
  return all;
}

/// Decides anew each time, so that nothing is remembered, and tells the shortest time: what others do on the machine
/// only adds to it.
void measure(const topology::hierarchy& tree, const std::vector<schedule::collective>& collectives,
             const std::vector<std::int64_t>& sizes) {
  constexpr int repetitions = 11;
  const auto timed = [&](std::string_view name, const std::vector<schedule::collective>& some) {
    std::size_t decisions = 0;
    seconds least = seconds::max();
    for (int i = 0; i < repetitions; ++i) {
      const auto begin = clock::now();
      decisions = decide(planner::planner(tree), some, sizes).decisions.size();
      least = std::min<seconds>(least, clock::now() - begin);
    }
    std::fprintf(stderr, "%-15s %zu decisions in %s\n", std::string(name).c_str(), decisions, to_string(least).c_str());
  };
  for (const schedule::collective each : collectives) timed(to_string(each), {each});
  timed("together", collectives);
}

}  // namespace

void map_options::add_to(CLI::App& app) {
  app.add_option("--min", least, "Smallest size of --map")->capture_default_str()->type_name("SIZE");
  app.add_option("--max", most, "Largest size of --map; each is twice the one before")
      ->capture_default_str()
      ->type_name("SIZE");
}

int print_map(const map_options& options, const std::vector<std::string>& collectives, const std::string& topology,
              const std::string& decisions, const std::string& form) {
  const bool draws = form == "svg";
  const format written = draws ? format::text : parse_format(form);
  const std::vector<schedule::collective> asked = collectives_of(collectives);
  const auto sizes = planner::doubling_sizes(static_cast<std::int64_t>(parse_bytes(options.least).value),
                                             static_cast<std::int64_t>(parse_bytes(options.most).value));
  const topology::hierarchy tree = topology_of(topology, "plan for");
  const planner::planner chooser(tree, {}, decisions_of(decisions, tree));
  const planner::decision_table table = decide(chooser, asked, sizes);
  if (options.measures) measure(tree, asked, sizes);
  const std::string text = draws ? draw_map(table) : written == format::json ? to_json(table) : text_of(table);
  std::fputs(text.c_str(), stdout);
  return exit_success;
}

}  // namespace hawser::cli
