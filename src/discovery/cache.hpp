// What the hardware sources told, kept for the next start on the same boot of the same host.
#pragma once

#include <optional>
#include <string>

#include <hawser/discovery/live.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

class cache {
 public:
  cache(const std::string& folder, const live_environment& environment);

  /// What was kept; nothing where there is none, or none that can be read (a finding in `findings` says why).
  std::optional<topology::graph> read(topology::graph& findings) const;
  /// Keeps a graph: whole or not at all. Where that fails, a finding in it says why.
  void write(topology::graph& machine) const;

 private:
  std::string file_;  // empty: nothing is kept
};

}  // namespace hawser::discovery
