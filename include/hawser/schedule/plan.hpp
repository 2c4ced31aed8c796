// All that was decided for one request: a value that can be printed, compared, stored and executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hawser/core/units.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/schedule/window.hpp>

namespace hawser::schedule {

/// What one level of the hierarchy contributes to a predicted time.
struct cost_part {
  std::string level{};        ///< the links that are crossed: "rack" are the racks' uplinks
  double messages = 0;        ///< dependent messages on the longest chain
  double crossing_bytes = 0;  ///< bytes out of the busiest unit's link, per direction
  seconds latency{};
  seconds transfer{};  ///< the bytes through that link
  seconds serial{};    ///< the same bytes one after the other along the longest chain, without segments
};

/// One algorithm that was considered, with its predicted cost or the reason why it cannot serve.
struct candidate {
  std::string algorithm{};
  std::string rejected{};  ///< empty: possible
  seconds predicted{};
  seconds reduction{};  ///< of it: applying the operator and copying
  seconds overhead{};   ///< of it: the busiest rank's work per message, over all segments
  seconds window{};     ///< of it: waiting until one of the segments in flight is through
  std::int64_t segments = 1;
  std::vector<cost_part> parts{};

  bool is_possible() const noexcept { return rejected.empty(); }
};

/// A figure that predictions rest on, and where it is from.
struct parameter {
  std::string name{};  ///< "rack bandwidth"
  double value = 0;
  std::string unit{};    ///< "B/s", "s"
  std::string source{};  ///< "assumed", "reported", "probed", "file", "built in"
};

/// The nearest size at which the cost model chooses another algorithm.
struct turning_point {
  std::int64_t count = 0;  ///< elements per block
  std::string algorithm{};
};

/// The decision for one request on one hierarchy. The same on every rank.
struct plan {
  request what{};
  std::int64_t ranks = 1;
  std::string hierarchy{};    ///< in one line, for people
  std::string fingerprint{};  ///< of the hierarchy that it was made for
  std::string figures{};      ///< what replaced the built-in figures (cost::parameters::origin); empty: nothing
  std::string algorithm{};
  std::string chosen_by{};  ///< "cost model", "forced by ..."
  std::string prepared{};   ///< what its schedules are generated from beside the name, as text; empty: nothing
  std::int64_t segments = 1;
  std::int64_t window = default_window;  ///< segments in flight at a time
  seconds predicted{};
  seconds scales{};       ///< of it, and of every candidate: agreeing on scales first (mode order_invariant)
  seconds lower_bound{};  ///< no algorithm can be faster by this model
  std::vector<candidate> candidates{};  ///< all of them, fastest first, then the rejected
  std::vector<std::string> notes{};     ///< overrides that are in effect, or that could not be

  // Filled in by planner::make_explained_plan only.
  std::vector<parameter> parameters{};
  bool is_searched = false;                ///< the two below were looked for
  std::optional<turning_point> smaller{};  ///< none: no smaller size changes the choice
  std::optional<turning_point> larger{};

  /// The plan in words, several lines; `at_most` candidates. Defined in <hawser/planner/explain.hpp>.
  std::string explain(std::size_t at_most = 100) const;
};

}  // namespace hawser::schedule
