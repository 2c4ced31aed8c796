// The host's own figures in the cost model: what a message and a byte cost beside the links.
#pragma once

#include <string>

#include <hawser/core/units.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::cost {

/// Built-in starting values, all `assumed`; a probe or a tuning file replaces them (docs/tuning.md).
struct parameters {
  /// A rank's own work per message (LogGP's o): 0.5 us, the order of a message through shared memory or UCX on a
  /// current server core.
  seconds per_message{0.5e-6};
  /// Bytes of result per second that one rank reduces or copies: 10 GB/s, memory bandwidth of one core.
  bandwidth reduction{10e9};
  /// So many of the innermost levels lie inside a host whose ranks' own cores move the bytes, so that moving and
  /// reducing add up instead of overlapping. 0 where the links move them (NVLink, a NIC).
  int memory_levels = 0;
  topology::provenance source = topology::provenance::assumed;
  /// For people: what replaced the built-in figures, the links' included; empty: nothing did.
  std::string origin{};
};

}  // namespace hawser::cost
