// hawser plan --map: the decision over collectives and sizes, as text, as a decision file and as a drawing.
#pragma once

#include <string>
#include <vector>

#include <hawser/planner/decisions.hpp>

namespace CLI {
class App;
}

namespace hawser::cli {

struct map_options {
  std::string least = "1KiB";
  std::string most = "1GiB";
  bool measures = false;

  void add_to(CLI::App& app);
};

/// Prints the map and returns the exit code. `collectives` by name, none: all.
int print_map(const map_options& options, const std::vector<std::string>& collectives, const std::string& topology,
              const std::string& decisions, const std::string& form);

/// The map as a table: a row per collective, a column per size, a colour per algorithm, with the fraction of the bound.
std::string draw_map(const planner::decision_table& table);

}  // namespace hawser::cli
