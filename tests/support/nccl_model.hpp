// NCCL's published model of latency and bandwidth, as a cross-check of hawser's own: the figures and formulas of NCCL
// 2.30.7, src/graph/tuning.cc, for all-reduce. Time in us = latency + bytes / (1000 * GB/s).
#pragma once

#include <algorithm>
#include <cmath>

namespace hawser::test::nccl {

enum class protocol { ll, ll128, simple };
enum class link { nvlink, pcie };

/// Latencies in us: of a call, of a hop inside a node, of a hop between nodes.
struct latencies {
  double base, nvlink, pcie, network;
  double inside(link kind) const { return kind == link::nvlink ? nvlink : pcie; }
};

constexpr latencies tree_latencies(protocol p) {
  switch (p) {
    case protocol::ll: return {6.8, 0.6, 1.0, 5.0};
    case protocol::ll128: return {14, 1.25, 1.9, 8.5};
    case protocol::simple: break;
  }
  return {8.4, 4.0, 4.0, 14};
}
constexpr latencies ring_latencies(protocol p) {
  switch (p) {
    case protocol::ll: return {6.6, 0.6, 1.0, 2.7};
    case protocol::ll128: return {14, 1.9, 2.5, 4.0};
    case protocol::simple: break;
  }
  return {8.4, 3.4, 5.7, 14};
}

/// `ranks_per_node` ranks on each of `nodes` nodes; microseconds.
inline double tree_latency(protocol p, link kind, int ranks_per_node, int nodes) {
  const latencies of = tree_latencies(p);
  const double between = nodes > 1 ? std::floor(std::log2(nodes)) : 0;
  return of.base + 2 * ((ranks_per_node - 1) * of.inside(kind) + between * of.network);
}

/// `overhead`: of a step through the network on the host; inside a node a step takes at least as long.
inline double ring_latency(protocol p, link kind, int ranks_per_node, int nodes, double overhead = 0) {
  const latencies of = ring_latencies(p);
  const int steps = 2 * (ranks_per_node * nodes - 1), between = 2 * (nodes - 1);
  return of.base + (steps - between) * std::max(of.inside(kind), nodes > 1 ? overhead : 0.0) + between * of.network;
}

/// Microseconds; `gigabytes_per_second` of the algorithm, not of the bus.
inline double time(double latency, double bytes, double gigabytes_per_second) {
  return latency + bytes / (1000 * gigabytes_per_second);
}

}  // namespace hawser::test::nccl
