// Measures a hierarchy level by level: alpha, beta and gamma of the cost model.
#pragma once

#include <cstdint>
#include <vector>

#include <hawser/topology/hierarchy.hpp>
#include <hawser/tune/instruments.hpp>
#include <hawser/tune/tuning.hpp>

namespace hawser::tune {

/// How thoroughly. Figures are medians over repetitions and pairs of units; a bound of time is kept by fewer of both.
struct effort {
  int pairs = 4;                 ///< of units per level whose latency is measured, one after the other
  int repetitions = 5;           ///< of every round of streams
  double stream_seconds = 0.02;  ///< that one stream is to take
  std::int64_t least_bytes = 256 * 1024;
  std::int64_t most_bytes = 16 << 20;
  int pings = 30;              ///< round trips of a pair
  double ping_seconds = 0.05;  ///< no further one begins after this
  double seconds = 5;          ///< no further repetition begins after this

  /// For the start of a job: under 200 ms where a link carries 60 MB/s or more.
  static effort quick() { return {2, 1, 0.004, 128 * 1024, 1 << 20, 10, 0.004, 0.1}; }
};

/// Of one level: pairs of units under a common parent, one rank of each after the other; the first of a unit, then the
/// first of its neighbour, ... Units are paired with their neighbours; one that is left over is in none.
struct unit_pair {
  std::vector<int> from, to;  ///< as many ranks of either
};
/// The pairs of all units of a level, 0 the outermost.
std::vector<unit_pair> unit_pairs(const topology::hierarchy& tree, int level);

/// Date, host and transports of the result are empty. Throws as the instruments do.
tuning calibrate(const instruments& with, const topology::hierarchy& tree, const effort& how = {});

}  // namespace hawser::tune
