// A plan in words: what was chosen, what it costs and where, on which figures that rests, why every other candidate
// lost, and what would change the choice.
#pragma once

#include <cstdio>
#include <string>

#include <hawser/schedule/plan.hpp>

namespace hawser::planner {

namespace detail {

inline std::string padded(std::string text, std::size_t width) {
  text.append(text.size() < width ? width - text.size() : 1, ' ');
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
  text += "    " + padded("own work", 14) + to_string(c.reduction) + " reducing and copying, " + to_string(c.overhead) +
          " for messages\n";
  if (c.window.count() > 0)
    text += "    " + padded("window", 14) + to_string(c.window) + " waiting for segments in flight\n";
  return text;
}

/// What a candidate spends most on, by its largest part: "rack bytes", "gpu latency", "own work".
inline std::string largest_part(const schedule::candidate& c) {
  std::string name = "own work";
  seconds most = std::max(c.reduction, c.overhead);
  for (const schedule::cost_part& part : c.parts) {
    if (part.latency > most) most = part.latency, name = part.level + " latency";
    if (const seconds bytes = std::max(part.transfer, part.serial); bytes > most)
      most = bytes, name = part.level + " bytes";
  }
  return name + " " + to_string(most);
}

inline std::string explain_figure(const schedule::parameter& each) {
  if (each.unit == "B/s") return to_string(bandwidth{each.value});
  if (each.unit == "s") return to_string(seconds{each.value});
  return std::to_string(static_cast<long long>(each.value)) + " " + each.unit;
}

inline std::string explain_parameters(const schedule::plan& p) {
  std::string text;
  for (const schedule::parameter& each : p.parameters)
    text += (text.empty() ? "figures     " : "            ") + padded(each.name, 24) +
            padded(explain_figure(each), 12) + each.source + "\n";
  return text;
}

/// Nothing in mode fast.
inline std::string explain_mode(const schedule::plan& p) {
  const schedule::request& what = p.what;
  if (what.reproducibility == schedule::mode::fast) return {};
  std::string text = "mode        " + std::string(to_string(what.reproducibility));
  if (what.needs_integer_sums())
    text += ", " + to_string(p.scales) + " of the prediction agree on scales first, then " +
            std::to_string(what.element_bytes) + " B per element travel as integers";
  else if (what.reproducibility == schedule::mode::order_invariant && schedule::reduces(what.what))
    text += ", as everything that does not round is";
  return text + "\n";
}

inline std::string explain_turning_points(const schedule::plan& p) {
  if (!p.is_searched) return {};
  const auto one = [&](const char* name, const char* none, const auto& point) {
    if (!point) return std::string("            ") + none + "\n";
    const auto block = static_cast<std::uint64_t>(point->count) * p.what.element_bytes;
    const std::uint64_t whole = block * static_cast<std::uint64_t>(schedule::buffer_blocks(p.what.what, p.ranks));
    return "            " + std::string(name) + " " + std::to_string(whole) + " B: " + point->algorithm + "\n";
  };
  std::string text =
      one("down to", "no smaller size changes it", p.smaller) + one("from", "no larger size changes it", p.larger);
  return "flips       " + text.substr(12);
}

inline std::string explain_candidate(const schedule::plan& p, const schedule::candidate& c) {
  const bool is_chosen = c.algorithm == p.algorithm;
  const std::string name = (is_chosen ? "* " : "  ") + padded(c.algorithm, 44);
  if (!c.is_possible()) return name + "rejected: " + c.rejected + "\n";
  const std::string cost = padded(to_string(c.predicted), 10);
  if (is_chosen) return name + cost + "\n" + explain_parts(c);
  return name + cost + times(c.predicted / p.predicted) + " of the chosen, " + std::to_string(c.segments) +
         " segments, most of it " + largest_part(c) + "\n";
}

}  // namespace detail

/// Several lines of text, ending in a newline. `at_most` candidates are listed.
inline std::string explain(const schedule::plan& p, std::size_t at_most = 100) {
  const schedule::request& what = p.what;
  std::string text = std::string(to_string(what.what)) + " of " + std::to_string(what.count) + " " +
                     std::string(to_string(what.type)) + " (" +
                     to_string(bytes{static_cast<std::uint64_t>(what.block_bytes())}) + " per block) over " +
                     std::to_string(p.ranks) + " ranks\n";
  text += "hierarchy   " + p.hierarchy + "  fingerprint " + p.fingerprint + "\n";
  if (!p.figures.empty()) text += "figures     " + p.figures + "\n";
  text += "chosen      " + p.algorithm + ", " + std::to_string(p.segments) + " segments, by " + p.chosen_by + "\n";
  if (!p.prepared.empty())
    text += "prepared    " + p.prepared.substr(0, p.prepared.find(' ')) + ", " + std::to_string(p.prepared.size()) +
            " B of text\n";
  text += "predicted   " + to_string(p.predicted);
  if (p.predicted.count() > 0) {
    char share[64];
    std::snprintf(share, sizeof share, " (%.0f %% of the bound %s)", 100 * p.lower_bound / p.predicted,
                  to_string(p.lower_bound).c_str());
    text += share;
  }
  text += "\n" + detail::explain_mode(p);
  for (const std::string& each : p.notes) text += "override    " + each + "\n";
  text += detail::explain_turning_points(p) + detail::explain_parameters(p);
  std::size_t listed = 0;
  for (const schedule::candidate& c : p.candidates) {
    if (listed++ == at_most) {
      text += "  ... and " + std::to_string(p.candidates.size() - at_most) + " more\n";
      break;
    }
    text += detail::explain_candidate(p, c);
  }
  return text;
}

}  // namespace hawser::planner

inline std::string hawser::schedule::plan::explain(std::size_t at_most) const {
  return planner::explain(*this, at_most);
}
