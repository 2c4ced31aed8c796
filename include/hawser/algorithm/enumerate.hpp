// The names of all algorithms that fit a hierarchy: what the planner ranks, and what the tests verify.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/algorithm/generate.hpp>

namespace hawser::algorithm {

namespace detail {

/// All names, or those only that are worth a candidate on a single level of a hierarchy.
template <class Algorithms>
std::vector<std::string_view> names_of(const Algorithms& algorithms, bool on_one_level) {
  std::vector<std::string_view> names;
  names.reserve(std::size(algorithms));
  for (const auto& each : algorithms)
    if (!on_one_level || !each.is_near_first) names.push_back(each.name);
  return names;
}

inline std::vector<std::string_view> flat_names(collective what, bool on_one_level = false) {
  switch (what) {
    case collective::all_reduce: return names_of(all_reduce_algorithms, on_one_level);
    case collective::reduce_scatter: return names_of(reduce_scatter_algorithms, on_one_level);
    case collective::all_gather: return names_of(all_gather_algorithms, on_one_level);
    case collective::all_to_all:
    case collective::all_to_all_v: return names_of(all_to_all_algorithms, on_one_level);
    case collective::broadcast: return names_of(broadcast_algorithms, on_one_level);
    case collective::reduce: return names_of(reduce_algorithms, on_one_level);
    case collective::gather: return names_of(gather_algorithms, on_one_level);
    case collective::scatter: return names_of(scatter_algorithms, on_one_level);
    case collective::barrier: return names_of(barrier_algorithms, on_one_level);
  }
  return {};
}

/// By a leader only these are worth a candidate: what speaks for one is few messages, one after the other.
inline constexpr std::array<std::string_view, 2> leader_names{"linear", "binomial"};

/// The names that may stand for a level inside: of an all-reduce, those that are both a reduce-scatter and an
/// all-gather, and those that go by a leader; of a barrier, whose token has no parts, only the latter.
inline std::vector<std::string_view> inner_names(collective what) {
  if (what == collective::barrier) return {leader_names.begin(), leader_names.end()};
  if (what != collective::all_reduce) return flat_names(what, true);
  std::vector<std::string_view> names = flat_names(collective::reduce_scatter, true);
  const auto gathers = flat_names(collective::all_gather);
  std::erase_if(names, [&](auto name) { return std::find(gathers.begin(), gathers.end(), name) == gathers.end(); });
  names.insert(names.end(), leader_names.begin(), leader_names.end());
  return names;
}

/// Whether the levels of a hierarchy have the switches that a name's parts need: one flat name, or one per active
/// level, innermost first.
inline bool has_switches_for(const topology::hierarchy& tree, std::string_view name) {
  const parsed_name parsed = parse_name(name);
  const std::vector<int> levels = active_levels(tree);
  for (std::size_t i = 0; i < parsed.parts.size(); ++i) {
    if (!needs_switch(parsed.parts[i])) continue;
    if (parsed.parts.size() != std::max<std::size_t>(levels.size(), 1)) return false;
    if (levels.empty() || !tree.at(levels[levels.size() - 1 - i]).reduces_in_network) return false;
  }
  return true;
}

constexpr bool has_hierarchical_form(collective what) {
  return what != collective::gather && what != collective::scatter;
}

inline std::string join_levels(std::string_view inner, int inner_levels, std::string_view outermost) {
  std::string name(hierarchical_prefix);
  for (int i = 0; i < inner_levels; ++i) name.append(inner).append(",");
  return name.append(outermost).append(")");
}

/// The same with in-network reduction on the inner levels that can; empty where none or all of them can.
inline std::string join_reducing(const topology::hierarchy& tree, std::string_view inner, std::string_view outermost) {
  const std::vector<int> levels = active_levels(tree);
  std::string name(hierarchical_prefix);
  std::size_t reducing = 0;
  for (std::size_t i = levels.size() - 1; i > 0; --i) {
    const bool reduces = tree.at(levels[i]).reduces_in_network;
    name.append(reduces ? "in_network" : inner).append(",");
    reducing += reduces ? 1 : 0;
  }
  if (reducing == 0 || reducing + 1 == levels.size()) return {};
  return name.append(outermost).append(")");
}

template <class Algorithms>
bool part_keeps_order(const Algorithms& algorithms, std::string_view name) {
  return find(algorithms, name, "reduction").keeps_order;
}

inline bool flat_keeps_order(collective what, std::string_view name) {
  switch (what) {
    case collective::all_reduce: return part_keeps_order(all_reduce_algorithms, name);
    case collective::reduce_scatter: return part_keeps_order(reduce_scatter_algorithms, name);
    case collective::reduce: return part_keeps_order(reduce_algorithms, name);
    default: return true;
  }
}

}  // namespace detail

/// Every algorithm of a collective that fits the hierarchy: the flat ones in the order of the registry, then
/// hierarchical(...) combinations where more than one level has groups of several units. Each name is accepted by
/// `generate`. The list does not depend on sizes; what is too long for a machine is the planner's decision.
inline std::vector<std::string> algorithm_names(const topology::hierarchy& tree, schedule::collective what) {
  std::vector<std::string> names;
  for (std::string_view flat : detail::flat_names(what))
    if (detail::has_switches_for(tree, flat)) names.emplace_back(flat);
  const int levels = static_cast<int>(active_levels(tree).size());
  if (levels < 2 || !detail::has_hierarchical_form(what)) return names;
  if (detail::is_exchange(what)) {  // two phases, or three
    for (int inner = 1; inner < std::min(levels, 3); ++inner)
      names.push_back(detail::join_levels("pairwise", inner, "pairwise"));
    return names;
  }
  // All inner levels share one algorithm, but for those that reduce in the network, so that the number of candidates
  // does not grow with the depth.
  for (std::string_view inner : detail::inner_names(what))
    for (std::string_view outermost : detail::flat_names(what, true))
      for (std::string name :
           {detail::join_levels(inner, levels - 1, outermost), detail::join_reducing(tree, inner, outermost)})
        if (!name.empty() && detail::has_switches_for(tree, name)) names.push_back(std::move(name));
  return names;
}

/// Whether an algorithm reduces in rank order on this hierarchy, as non-commutative operators need. A hierarchical one
/// does where its parts do and the ranks are placed in order. True for collectives that do not reduce.
/// Throws errc::not_found for an unknown name.
inline bool keeps_order(const topology::hierarchy& tree, schedule::collective what, std::string_view algorithm) {
  if (!schedule::reduces(what)) return true;
  const parsed_name name = parse_name(algorithm);
  if (!name.is_hierarchical) return detail::flat_keeps_order(what, algorithm);
  if (!tree.is_in_rank_order()) return false;
  const auto keeps = [&](std::string_view part) {
    if (what != schedule::collective::all_reduce) return detail::flat_keeps_order(what, part);
    using schedule::collective;
    return detail::flat_keeps_order(detail::goes_by_leader(part) ? collective::reduce : collective::reduce_scatter,
                                    part);
  };
  return detail::flat_keeps_order(what, name.parts.back()) &&
         std::all_of(name.parts.begin(), name.parts.end() - 1, keeps);
}

}  // namespace hawser::algorithm
