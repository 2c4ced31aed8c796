// A plan in words: what was chosen, what it costs and where, and why every other candidate lost.
#pragma once

#include <cstdio>
#include <string>

#include <hawser/schedule/plan.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::planner {

namespace detail {

inline std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

inline std::string times(double factor) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2fx", factor);
  return text;
}

inline std::string explain_parts(const schedule::candidate& c) {
  std::string text;
  for (const schedule::cost_part& part : c.parts)
    text += "    " + padded(part.level, 14) + to_string(part.latency) + " latency (" +
            std::to_string(static_cast<long long>(part.messages)) + " rounds), " + to_string(part.transfer) + " for " +
            std::to_string(static_cast<long long>(part.crossing_bytes)) + " B out of the busiest link\n";
  return text + "    " + padded("own work", 14) + to_string(c.reduction) + " reducing and copying\n";
}

}  // namespace detail

/// Several lines of text, ending in a newline. `at_most` candidates are listed.
inline std::string explain(const schedule::plan& p, std::size_t at_most = 100) {
  using detail::padded;
  const schedule::request& what = p.what;
  std::string text = std::string(to_string(what.what)) + " of " + std::to_string(what.count) + " " +
                     std::string(to_string(what.type)) + " (" +
                     to_string(bytes{static_cast<std::uint64_t>(what.block_bytes())}) + " per block) over " +
                     std::to_string(p.ranks) + " ranks\n";
  text += "hierarchy   " + p.hierarchy + "  fingerprint " + p.fingerprint + "\n";
  if (!p.figures.empty()) text += "figures     " + p.figures + "\n";
  text += "chosen      " + p.algorithm + ", " + std::to_string(p.segments) + " segments, by " + p.chosen_by + "\n";
  text += "predicted   " + to_string(p.predicted);
  if (p.predicted.count() > 0) {
    char share[64];
    std::snprintf(share, sizeof share, " (%.0f %% of the bound %s)", 100 * p.lower_bound / p.predicted,
                  to_string(p.lower_bound).c_str());
    text += share;
  }
  text += "\n";
  std::size_t listed = 0;
  for (const schedule::candidate& c : p.candidates) {
    if (listed++ == at_most) {
      text += "  ... and " + std::to_string(p.candidates.size() - at_most) + " more\n";
      break;
    }
    const bool is_chosen = c.algorithm == p.algorithm;
    text += (is_chosen ? "* " : "  ") + padded(c.algorithm, 44);
    if (!c.is_possible()) {
      text += "rejected: " + c.rejected + "\n";
      continue;
    }
    text += padded(to_string(c.predicted), 10);
    if (is_chosen)
      text += "\n" + detail::explain_parts(c);
    else
      text +=
          detail::times(c.predicted / p.predicted) + " of the chosen, " + std::to_string(c.segments) + " segments\n";
  }
  return text;
}

}  // namespace hawser::planner
