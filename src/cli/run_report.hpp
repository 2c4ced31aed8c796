// What `hawser run` found, as text and as JSON "hawser.run/1".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hawser/schedule/plan.hpp>

#include "communicator/measure.hpp"
#include "describe.hpp"
#include "run_recovery.hpp"
#include "workload.hpp"
#include "workspace.hpp"

namespace hawser::cli {

struct run_result {
  workload work;
  std::int64_t count = 0;  ///< elements per block
  schedule::plan plan{};
  hawser::detail::timing time{};
  std::int64_t wrong = 0;  ///< elements, over all ranks
  std::vector<transport_use> transports{};
  std::vector<std::string> overrides{};
  std::optional<recovery_report> recovery{};  ///< of a run that has lost a rank on purpose; the rest is of what is left
};

/// Bytes per second by nccl-tests' definition, 0 where nothing was moved.
double algorithm_bandwidth(const workload& work, std::int64_t count, std::int64_t ranks, seconds time);

void print(const run_result& result, format form, bool explains);

}  // namespace hawser::cli
