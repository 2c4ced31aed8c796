// Hierarchies, links and the phases of discovery as tables for people.
#pragma once

#include <string>
#include <vector>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/graph.hpp>
#include <hawser/topology/hosted.hpp>

#include "describe.hpp"

namespace hawser::cli {

/// One line per level: units, figures and where they are from.
std::string describe(const topology::hosted_hierarchy& loaded);

/// One line per class of links: what they join, how many there are, figures and where they are from.
std::string describe_links(const topology::graph& machine);

/// One line: "system 1.2 ms, hwloc 8.0 ms, ...".
std::string describe(const std::vector<discovery::phase>& phases);

}  // namespace hawser::cli
