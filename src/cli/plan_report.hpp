// A plan, and one rank's part of it, as text and as JSON "hawser.plan/1" (docs/schema/plan-1.json).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <hawser/schedule/plan.hpp>
#include <hawser/schedule/step.hpp>
#include <hawser/topology/hierarchy.hpp>

#include "workload.hpp"

namespace hawser::cli {

inline constexpr const char* plan_schema = "hawser.plan/1";

/// What it takes to prepare one algorithm for one rank: generating its steps and deriving their dependences.
struct preparation {
  std::string algorithm;
  std::int64_t steps = 0;
  std::int64_t schedule_bytes = 0;         ///< that the steps themselves take
  std::int64_t generating_peak_bytes = 0;  ///< allocated at one time while generating, the steps included
  std::int64_t deriving_peak_bytes = 0;    ///< the same until the dependences are there
  seconds generating{};                    ///< medians
  seconds deriving{};
};

/// Measures it.
preparation prepare(const topology::hierarchy& tree, const schedule::request& what, const std::string& algorithm,
                    rank self);

/// One step per line, with its phase.
std::string describe_steps(const schedule::schedule& steps);
std::string describe(const std::vector<preparation>& prepared, rank self);

nlohmann::ordered_json to_json(const schedule::plan& made, const workload& work);
nlohmann::ordered_json to_json(const preparation& prepared);
/// Steps with peers, buffers and intervals, fractions as text.
nlohmann::ordered_json to_json(const schedule::schedule& steps);

}  // namespace hawser::cli
