// A collective's schedules as GOAL text, which LogGOPSim and htsim's front ends read.
// Hoefler, Siebert, Lumsdaine: Group Operation Assembly Language (ICPP 2009).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/algorithm/properties.hpp>
#include <hawser/cost/parameters.hpp>
#include <hawser/schedule/program.hpp>

namespace hawser::simulate {

/// Larger machines would make files that no reader wants.
inline constexpr std::int64_t most_exported_ranks = 1024;

namespace detail {

/// Bytes of a step in the executor's rounding: interval ends are floor(count * fraction).
inline std::int64_t exact_bytes(const schedule::request& what, std::span<const schedule::region> regions) {
  std::int64_t elements = 0;
  for (const schedule::region& r : regions)
    for (std::uint32_t k = 0; k < r.count; ++k) elements += r.at(k).end.of(what.count) - r.at(k).begin.of(what.count);
  return elements * static_cast<std::int64_t>(what.element_bytes);
}

inline std::string goal_rank(const schedule::program& code, const schedule::request& what,
                             const cost::parameters& host) {
  std::string text = "rank " + std::to_string(code.source.self.value) + " {\n";
  const auto label = [](std::size_t step) { return "l" + std::to_string(step + 1); };
  std::string requires_text;
  for (std::size_t i = 0; i < code.source.steps.size(); ++i) {
    const schedule::step& s = code.source.steps[i];
    const std::int64_t bytes = exact_bytes(what, code.source.at(s.sends() ? s.source : s.target));
    const auto work = std::to_string(std::llround(static_cast<double>(bytes) / host.reduction.bytes_per_second * 1e9));
    const std::string peer = std::to_string(s.peer.value) + " tag " + std::to_string(s.channel);
    const std::string own = label(i);
    if (s.sends())
      text += own + ": send " + std::to_string(bytes) + "b to " + peer + "\n";
    else if (s.receives())
      text += own + ": recv " + std::to_string(bytes) + "b from " + peer + "\n";
    else
      text += own + ": calc " + work + "\n";
    std::string done = own;
    if (s.kind == schedule::step_kind::recv_reduce) {  // the reduction is a calculation of its own
      done = own + "r";
      text += done + ": calc " + work + "\n";
      requires_text += done + " requires " + own + "\n";
    }
    for (std::uint32_t next : code.dependents_of(i)) requires_text += label(next) + " requires " + done + "\n";
  }
  return text + requires_text + "}\n";
}

}  // namespace detail

/// Throws errc::unsupported above `most_exported_ranks`.
inline void check_exported(const topology::hierarchy& tree) {
  if (tree.size() > most_exported_ranks)
    fail(errc::unsupported, "cannot export " + std::to_string(tree.size()) + " ranks",
         "the limit is " + std::to_string(most_exported_ranks), "export a smaller machine of the same shape");
}

/// Throws errc::unsupported for an algorithm in which switches take part.
inline void check_among_ranks(std::string_view name) {
  if (algorithm::needs_switch(name))
    fail(errc::unsupported, "cannot export " + std::string(name), "its switches are no ranks",
         "choose an algorithm among ranks");
}

/// All ranks' schedules, one segment, with reductions and copies as calculations in nanoseconds. Messages between two
/// ranks match in order, per channel (the tag). Throws errc::unsupported above `most_exported_ranks`, and as
/// `generate`.
inline std::string to_goal(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
                           const cost::parameters& host = {}) {
  check_exported(tree);
  check_among_ranks(algorithm);
  std::string text = "num_ranks " + std::to_string(tree.size()) + "\n";
  for (int r = 0; r < static_cast<int>(tree.size()); ++r)
    text += "\n" +
            detail::goal_rank(schedule::derive_dependences(algorithm::generate(tree, what, algorithm, r)), what, host);
  return text;
}

}  // namespace hawser::simulate
