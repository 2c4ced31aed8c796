// Discovery: what the live sources tell of this machine, merged, timed, and kept in a cache as long as it holds.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <hawser/core/units.hpp>
#include <hawser/discovery/live.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// How long a source took.
struct phase {
  std::string name;
  seconds time{};
};

/// A machine and how long it took to find it.
struct discovery {
  topology::graph machine;
  std::vector<phase> phases;  ///< in the order in which they ran
};

/// What to ask, and what may be remembered.
struct discover_options {
  /// By `scope`: which sources are asked.
  std::array<bool, 3> asks{true, true, true};
  /// Where what `scope::hardware` tells is kept from one start to the next; empty: nowhere. A file holds for one boot
  /// of one host and one view of it (mount namespace); one that cannot be read or written is a finding, nothing more.
  std::string cache_folder{};
};

/// The environment of this process: the host's name as the system gives it.
live_environment this_host();

/// Asks the live sources and merges what they tell. Never fails for what a machine lacks: findings say it.
discovery discover(const live_environment& environment = this_host(), const discover_options& options = {});

}  // namespace hawser::discovery
