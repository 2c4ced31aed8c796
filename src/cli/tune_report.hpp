// What `hawser tune` measured, as text and as JSON "hawser.tune/1" (docs/schema/tune-1.json).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hawser/tune/infer.hpp>
#include <hawser/tune/tuning.hpp>

namespace hawser::cli {

struct tune_report {
  tune::tuning measured{};
  std::optional<tune::inferred> racks{};  ///< where they were asked for
  std::vector<std::string> hosts{};       ///< by their number in `racks`
  std::string output{};                   ///< the file; empty: none
  std::vector<std::string> overrides{};
};

std::string to_text(const tune_report& report);
std::string to_json(const tune_report& report);

}  // namespace hawser::cli
