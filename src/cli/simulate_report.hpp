// What `hawser simulate` found, as text and as JSON "hawser.simulate/1" (docs/schema/simulate-1.json).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <hawser/simulate/fabric_load.hpp>
#include <hawser/simulate/simulate.hpp>

#include "workload.hpp"

namespace hawser::cli {

inline constexpr const char* simulate_schema = "hawser.simulate/1";

/// One algorithm, simulated.
struct simulated {
  std::string algorithm;
  std::string refused;        ///< why it could not be simulated; empty: it was
  std::int64_t segments = 1;  ///< that the cost model chose, or that were asked for
  seconds predicted{};
  simulate::result ran;                    ///< of the first trial
  std::optional<simulate::spread> trials;  ///< of hashed simulations: seconds
  std::optional<seconds> ideal;            ///< the same without hashing
  seconds took{};                          ///< wall clock

  bool is_coarse() const { return ran.lag.count() > 0 || ran.segments < segments; }
  double time() const { return trials ? trials->mean : ran.time.count(); }
};

/// What was asked.
struct simulation_setting {
  workload work;
  std::int64_t bytes = 0;
  std::int64_t ranks = 1;
  std::string hierarchy;
  std::string fingerprint;
  std::vector<std::string> faults;
  std::vector<std::string> background;
  std::string ecmp;
  std::uint64_t seed = 1;
  int trials = 1;
  bool has_links = false;  ///< beside the hierarchy, from the topology's file
};

std::string text_of(const simulation_setting& asked, const std::vector<simulated>& all);
nlohmann::ordered_json json_of(const simulation_setting& asked, const std::vector<simulated>& all);

}  // namespace hawser::cli
