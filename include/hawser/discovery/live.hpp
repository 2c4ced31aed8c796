// Topology sources that look at the machine they run on.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// The value of an environment variable; empty where it is not set.
std::optional<std::string> process_variable(const char* name);

/// What a live source may look at; tests put something else in its place.
struct live_environment {
  std::string host;        ///< the name of this host
  std::string root = "/";  ///< where /sys, /proc and /etc are
  std::string nvml = "libnvidia-ml.so.1";
  std::function<std::optional<std::string>(const char*)> variable = process_variable;
};

/// What a live source tells of, which says who has to ask it and how long the answer holds.
enum class scope {
  hardware,   ///< this host's parts; the same until it boots again, so it may be kept in a cache
  placement,  ///< where this host stands in the network, as the job's environment tells
  network     ///< the whole network; one host asks for all
};

/// One source is one file in src/discovery/live and one line in src/discovery/registry.cpp.
struct live_source {
  std::string_view name;  ///< "nvml"
  std::string_view what;  ///< "NVIDIA's management library: GPUs, NVLink, NVSwitch, multi-node fabric"
  /// What is there, provenance `reported`. Does not throw where something is absent or refused: a finding says so
  /// (severity info where the machine simply has none of it).
  topology::graph (*discover)(const live_environment& environment);
  scope tells = scope::hardware;
};

/// All live sources, in the order in which they are asked and merged.
std::span<const live_source> live_sources();

}  // namespace hawser::discovery
