// What the registry says of an algorithm by its full name, hierarchical ones included.
#pragma once

#include <cstdint>
#include <string_view>

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

/// An upper bound of one rank's steps.
inline std::int64_t steps_bound(const topology::hierarchy& tree, schedule::collective what, std::string_view name) {
  const parsed_name parsed = parse_name(name);
  const auto steps = [](const auto& each, std::int64_t n) { return each.steps(n); };
  if (!parsed.is_hierarchical)
    return detail::with_flat(what, name, [&](const auto& each) { return steps(each, tree.size()); });
  const ladder levels(tree);
  std::int64_t bound = 0, rails = 1;
  for (int k = levels.size() - 1; k >= 0; --k) {
    const std::string_view part = parsed.parts[static_cast<std::size_t>(levels.size() - 1 - k)];
    const auto sizes = levels.units(k).distinct_sizes();
    const std::int64_t n = sizes.back();
    if (what == schedule::collective::all_reduce && k > 0)
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
