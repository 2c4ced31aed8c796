// --decisions of the verbs that plan: the option, else HAWSER_DECISIONS.
#pragma once

#include <memory>
#include <string>

#include <hawser/planner/decisions.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace CLI {
class App;
}

namespace hawser::cli {

void add_decisions_option(CLI::App& app, std::string& decisions);

/// The decision file of the option or of the environment; null where neither names one. One for another hierarchy is
/// errc::invalid_argument where the option names it, and is said on stderr and ignored where the environment does.
/// Throws as `planner::read_decisions`.
std::shared_ptr<const planner::decision_table> decisions_of(const std::string& given, const topology::hierarchy& tree);

}  // namespace hawser::cli
