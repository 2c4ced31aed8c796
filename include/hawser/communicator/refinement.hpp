// What communicator::refine measures and what it came to.
#pragma once

#include <cstdint>
#include <string>

#include <hawser/core/units.hpp>
#include <hawser/schedule/request.hpp>

namespace hawser {

/// How `communicator::refine` measures. Equal on all ranks.
struct refinement_options {
  /// For all shapes together, in seconds; overrun by a few calls of each.
  seconds budget{0.5};
  /// Algorithms tried for each shape, the current one and the next best by the model; and the current one with more and
  /// with fewer segments. At least 1.
  int algorithms = 4;
  /// Another choice must be that many times faster, by the medians. At least 1.
  double worth = 1.05;
  /// Shapes whose buffers are larger than this are left alone.
  std::int64_t most_bytes = std::int64_t{1} << 28;
  /// Measure those again that were refined before.
  bool again = false;
};

/// What one shape of calls came to; the same on all ranks.
struct refinement {
  /// An algorithm in a number of segments, and the median of the slowest ranks' times.
  struct choice {
    std::string algorithm;
    std::int64_t segments = 1;
    seconds time{};

    /// Whatever time it took.
    bool is_same_as(const choice& other) const { return algorithm == other.algorithm && segments == other.segments; }
  };

  schedule::request what;
  choice before;
  choice after;  ///< `before`, where nothing was worth a change

  /// Whether later calls are served otherwise.
  bool has_changed() const { return !before.is_same_as(after); }
};

}  // namespace hawser
