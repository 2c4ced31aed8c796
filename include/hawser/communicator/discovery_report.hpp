// How a job came to know its machine.
#pragma once

#include <vector>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/finding.hpp>

namespace hawser {

/// What discovery came to at the start of a job.
struct discovery_report {
  std::vector<topology::finding> findings;  ///< of all hosts, the same on all ranks
  std::vector<discovery::phase> phases;     ///< of this rank where it asked for its host, and of the agreement
};

}  // namespace hawser
