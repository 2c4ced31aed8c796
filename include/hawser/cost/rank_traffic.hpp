// What one rank's schedule moves, by level.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <hawser/schedule/step.hpp>
#include <hawser/topology/switches.hpp>

namespace hawser::cost::detail {

/// One rank's own part.
struct rank_traffic {
  std::vector<double> blocks_out;  // by outermost level crossed
  std::vector<double> blocks_in;
  std::vector<double> sent, received;  // messages, likewise
  double blocks_reduced = 0;

  /// Those sent or those received, whichever are more: a rank's own work is counted once per exchange.
  const std::vector<double>& messages() const {
    return std::accumulate(sent.begin(), sent.end(), 0.0) >= std::accumulate(received.begin(), received.end(), 0.0)
               ? sent
               : received;
  }
};

inline double volume(std::span<const schedule::region> regions) {
  double blocks = 0;
  for (const schedule::region& each : regions) {
    const schedule::fraction length = each.first.length();
    blocks += static_cast<double>(each.count) * static_cast<double>(length.num()) / static_cast<double>(length.den());
  }
  return blocks;
}

inline rank_traffic count_rank(const topology::hierarchy& tree, const schedule::schedule& steps) {
  const std::vector<double> none(static_cast<std::size_t>(tree.depth()), 0.0);
  rank_traffic counted{none, none, none, none};
  for (const schedule::step& each : steps.steps) {
    if (each.sends() || each.receives()) {
      const auto level = static_cast<std::size_t>(topology::crossed_level(tree, steps.self, each.peer));
      auto& moved = each.sends() ? counted.blocks_out : counted.blocks_in;
      moved[level] += volume(steps.at(each.sends() ? each.source : each.target));
      ++(each.sends() ? counted.sent : counted.received)[level];
    }
    if (!each.sends() && each.kind != schedule::step_kind::recv)
      counted.blocks_reduced += volume(steps.at(each.target));
  }
  return counted;
}

}  // namespace hawser::cost::detail
