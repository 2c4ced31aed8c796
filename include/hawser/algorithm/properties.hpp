// What the registry says of an algorithm by its full name, hierarchical ones included.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <hawser/algorithm/generate.hpp>

namespace hawser::algorithm {

namespace detail {

/// Calls f with the registered flat algorithm of a collective.
template <class F>
auto with_flat(collective what, std::string_view name, F&& f) {
  switch (what) {
    case collective::all_reduce: return f(find(all_reduce_algorithms, name, "all_reduce"));
    case collective::reduce_scatter: return f(find(reduce_scatter_algorithms, name, "reduce_scatter"));
    case collective::all_gather: return f(find(all_gather_algorithms, name, "all_gather"));
    case collective::broadcast: return f(find(broadcast_algorithms, name, "broadcast"));
    case collective::reduce: return f(find(reduce_algorithms, name, "reduce"));
    case collective::gather: return f(find(gather_algorithms, name, "gather"));
    case collective::scatter: return f(find(scatter_algorithms, name, "scatter"));
    case collective::barrier: return f(find(barrier_algorithms, name, "barrier"));
    case collective::all_to_all:
    case collective::all_to_all_v: break;
  }
  return f(find(all_to_all_algorithms, name, "all_to_all"));
}

/// A hierarchical all-to-all sends one message and receives one per rack neighbour, per rack of the pod where it has
/// that phase, and per unit beyond: one for each rail, of which ragged groups have more.
inline std::int64_t exchange_steps(const topology::hierarchy& tree, std::size_t phases) {
  const std::vector<int> levels = active_levels(tree);
  std::int64_t bound = 2, rails = 1, beyond = 1;
  for (std::size_t k = 0; k < levels.size() && (k == 0 || k + 1 < phases); ++k) {
    const topology::child_counts& units = tree.at(levels[levels.size() - 1 - k]).units;
    const auto sizes = units.distinct_sizes();
    bound += 2 * rails * sizes.back();
    if (sizes.size() > 1) rails *= (sizes.back() + sizes.front() - 1) / sizes.front() + 1;
    beyond = units.parents();
  }
  return bound + 2 * rails * beyond;
}

}  // namespace detail

/// Whether an algorithm is right where each rank knows only its own block sizes. The hierarchical exchange is: it
/// carries whole blocks, and their sizes go ahead through the same schedule.
inline bool works_with_private_counts(schedule::collective what, std::string_view name) {
  const parsed_name parsed = parse_name(name);
  if (parsed.is_hierarchical) return what == schedule::collective::all_to_all_v;
  return detail::with_flat(what, name, [](const auto& each) { return each.works_with_private_counts; });
}

/// Whether blocks pass through ranks that are neither their source nor their destination.
inline bool forwards_blocks(schedule::collective what, std::string_view name) {
  if (parse_name(name).is_hierarchical) return true;
  constexpr std::int64_t many = 64;  // enough that only an algorithm without forwarding needs one round
  return detail::with_flat(what, name, [](const auto& each) { return each.rounds(many) > 1; });
}

/// Whether the sizes of blocks travel through the same schedule first, one 64-bit count per block: those that forward
/// blocks whose sizes only their owners know (docs/decisions/0004). Two-phase, as Fan et al. call it (HPDC 2022).
inline bool sends_sizes_first(schedule::collective what, std::string_view name) {
  return what == schedule::collective::all_to_all_v && forwards_blocks(what, name);
}

/// Whether an algorithm sends to switches that reduce, at any level.
inline bool needs_switch(std::string_view name) {
  const parsed_name parsed = parse_name(name);
  return std::any_of(parsed.parts.begin(), parsed.parts.end(), [](auto part) { return detail::needs_switch(part); });
}

/// Whether an algorithm sends to the switches over the units of a level.
inline bool uses_switches(const topology::hierarchy& tree, std::string_view name, int level) {
  const parsed_name parsed = parse_name(name);
  const std::vector<int> levels = active_levels(tree);
  if (!tree.at(level).reduces_in_network || parsed.parts.size() != levels.size()) return false;
  const auto at = std::find(levels.begin(), levels.end(), level);
  return at != levels.end() && detail::needs_switch(parsed.parts[static_cast<std::size_t>(levels.end() - at) - 1]);
}

/// The levels on which an algorithm pairs members (flat_algorithm::pairs_members).
inline std::vector<int> paired_levels(const topology::hierarchy& tree, schedule::collective what,
                                      std::string_view name) {
  using schedule::collective;
  const parsed_name parsed = parse_name(name);
  std::vector<int> levels = active_levels(tree), paired;
  const auto pairs = [](collective of, std::string_view part) {
    return detail::with_flat(of, part, [](const auto& each) { return each.pairs_members; });
  };
  if (!parsed.is_hierarchical) return pairs(what, name) ? levels : paired;
  for (std::size_t k = 0; k < parsed.parts.size() && !detail::is_exchange(what); ++k) {
    const std::string_view part = parsed.parts[k];
    const bool is_inside = detail::is_all_reduce(what) && k + 1 < parsed.parts.size();
    if (is_inside && detail::goes_by_leader(part)) continue;
    if (pairs(is_inside ? collective::reduce_scatter : what, part)) paired.push_back(levels[levels.size() - 1 - k]);
  }
  return paired;
}

/// An upper bound of one rank's steps.
inline std::int64_t steps_bound(const topology::hierarchy& tree, schedule::collective what, std::string_view name) {
  const parsed_name parsed = parse_name(name);
  const auto steps = [](const auto& each, std::int64_t n) { return each.steps(n); };
  if (!parsed.is_hierarchical)
    return detail::with_flat(what, name, [&](const auto& each) { return steps(each, tree.size()); });
  if (detail::is_exchange(what)) return detail::exchange_steps(tree, parsed.parts.size());
  const ladder levels(tree);
  std::int64_t bound = 0, rails = 1;
  for (int k = levels.size() - 1; k >= 0; --k) {
    const std::string_view part = parsed.parts[static_cast<std::size_t>(levels.size() - 1 - k)];
    const auto sizes = levels.units(k).distinct_sizes();
    const std::int64_t n = sizes.back();
    if (detail::is_all_reduce(what) && k > 0 && detail::goes_by_leader(part))
      bound += rails * (steps(find(reduce_algorithms, part, "reduce"), n) +
                        steps(find(broadcast_algorithms, part, "broadcast"), n));
    else if (detail::is_all_reduce(what) && k > 0)
      bound += rails * (steps(find(reduce_scatter_algorithms, part, "reduce_scatter"), n) +
                        steps(find(all_gather_algorithms, part, "all_gather"), n));
    else
      bound += rails * detail::with_flat(what, part, [&](const auto& each) { return steps(each, n); });
    // Ragged groups cut a shard at each other's boundaries; a rail for each part.
    rails *= static_cast<std::int64_t>(sizes.size());
  }
  return bound;
}

}  // namespace hawser::algorithm
