// See decisions_option.hpp.
#include "decisions_option.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/planner/decision_file.hpp>
#include <hawser/topology/describe.hpp>

namespace hawser::cli {

void add_decisions_option(CLI::App& app, std::string& decisions) {
  app.add_option("--decisions", decisions,
                 "Decision file (hawser plan --map --format json) that comes before the cost model; default: "
                 "HAWSER_DECISIONS")
      ->type_name("FILE");
}

std::shared_ptr<const planner::decision_table> decisions_of(const std::string& given, const topology::hierarchy& tree) {
  const std::string file = given.empty() ? bootstrap::read_launch().decisions : given;
  if (file.empty()) return nullptr;
  auto table = std::make_shared<const planner::decision_table>(planner::read_decisions(file));
  const std::string own = topology::fingerprint_text(tree);
  if (table->fingerprint == own) return table;
  const std::string reason = "it is for " + table->hierarchy + ", fingerprint " + table->fingerprint + "; this is " +
                             describe(tree) + ", fingerprint " + own;
  if (!given.empty())
    fail(errc::invalid_argument, "the decision file \"" + file + "\" is for another machine", reason,
         "write one for it with hawser plan --map --format json");
  std::fprintf(stderr, "hawser: the decision file \"%s\" of HAWSER_DECISIONS is ignored (%s); the cost model decides\n",
               file.c_str(), reason.c_str());
  return table;
}

}  // namespace hawser::cli
