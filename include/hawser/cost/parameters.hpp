// The host's own figures in the cost model: what a message and a byte cost beside the links.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/units.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::cost {

/// What a message between units of one level costs the ranks, by what carries it.
struct message_work {
  std::string level{};
  seconds each{};
  std::string source{};  ///< for people: "default for TCP sockets", "probed", "file"
  /// What a rank's core pushes through, where it and not a link moves the bytes.
  bandwidth bytes{std::numeric_limits<double>::infinity()};
  /// No link that this carries is taken to be faster unless somebody has said so.
  bandwidth fastest_assumed_link{std::numeric_limits<double>::infinity()};
};

/// The built-in figure for a transport (docs/transports.md), in what a message of a few bytes costs its two ends: a
/// write and a read of a ring; two system calls, an epoll_wait and the kernel's protocol for sockets (5 us on a server
/// core; two to five times that in virtual machines), which also copies each byte on both sides (about 1 GB/s of a
/// core); an MPI's matching. Nothing of other transports.
inline std::optional<message_work> default_message_work(std::string_view level, std::string_view transport) {
  const auto said = [&](double each, const char* what) {
    return message_work{std::string(level), seconds{each}, std::string("default for ") + what};
  };
  if (transport == "in_process") return said(0.3e-6, "threads of one process");
  if (transport == "shared_memory") return said(0.5e-6, "shared memory");
  if (transport == "tcp") {
    message_work sockets = said(10e-6, "TCP sockets");
    sockets.bytes = bandwidth{1e9};
    sockets.fastest_assumed_link = bandwidth{1.25e9};  // 10 Gbit/s Ethernet
    return sockets;
  }
  if (transport == "ucx") return said(1e-6, "UCX");
  if (transport == "mpi") return said(1e-6, "MPI");
  return std::nullopt;
}

/// Built-in starting values, all `assumed`; a probe or a tuning file replaces them (docs/tuning.md).
struct parameters {
  /// A rank's own work per message (LogGP's o): 0.5 us, the order of a message through shared memory or UCX on a
  /// current server core.
  seconds per_message{0.5e-6};
  /// The same by level of the hierarchy; levels that are not named have `per_message`.
  std::vector<message_work> message_work_by_level{};
  /// Ranks that share a core, at least 1: their own work adds up, and a message waits for the others before its
  /// receiver has the core.
  double ranks_per_core = 1;
  /// Bytes of result per second that one rank reduces or copies: 10 GB/s, memory bandwidth of one core.
  bandwidth reduction{10e9};
  /// So many of the innermost levels lie inside a host whose ranks' own cores move the bytes, so that moving and
  /// reducing add up instead of overlapping. 0 where the links move them (NVLink, a NIC).
  int memory_levels = 0;
  topology::provenance source = topology::provenance::assumed;
  /// For people: what replaced the built-in figures, the links' included; empty: nothing did.
  std::string origin{};

  /// A rank's work per message between units of a level; null: nothing is said of it.
  const message_work* find_message_work(std::string_view level) const {
    const auto found = std::find_if(message_work_by_level.begin(), message_work_by_level.end(),
                                    [&](const message_work& known) { return known.level == level; });
    return found == message_work_by_level.end() ? nullptr : &*found;
  }
  /// The same, or `per_message`.
  seconds message_work_at(std::string_view level) const {
    const message_work* const known = find_message_work(level);
    return known ? known->each : per_message;
  }
  /// Whether a level lies inside hosts, see `memory_levels`.
  bool is_memory(const topology::hierarchy& tree, int level) const { return level >= tree.depth() - memory_levels; }
};

}  // namespace hawser::cost
