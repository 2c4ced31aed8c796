// Which algorithms, hierarchical ones included, associate sums as mode canonical has it: over rank numbers, whatever
// the machine.
#pragma once

#include <string_view>
#include <vector>

#include <hawser/algorithm/properties.hpp>
#include <hawser/schedule/canonical_tree.hpp>

namespace hawser::algorithm {

namespace detail {

/// Ranks inside each unit of an active level, outermost level first; of the innermost one, 1 each, they are left out.
inline std::vector<std::vector<std::int64_t>> ranks_in_units(const ladder& levels) {
  std::vector<std::vector<std::int64_t>> inside(static_cast<std::size_t>(levels.size() - 1));
  for (std::size_t k = inside.size(); k-- > 0;) {
    const topology::child_counts& below = levels.units(static_cast<int>(k) + 1);
    inside[k].assign(static_cast<std::size_t>(below.parents()), 0);
    for (std::int64_t unit = 0; unit < below.parents(); ++unit) {
      std::int64_t ranks = below.size(unit);
      if (k + 1 < inside.size()) {
        ranks = 0;
        for (std::int64_t i = 0; i < below.size(unit); ++i)
          ranks += inside[k + 1][static_cast<std::size_t>(below.first(unit) + i)];
      }
      inside[k][static_cast<std::size_t>(unit)] = ranks;
    }
  }
  return inside;
}

/// Whether summing unit by unit, each level canonically, is the canonical sum over the ranks.
inline bool units_sum_canonically(const ladder& levels) {
  const auto inside = ranks_in_units(levels);
  for (std::size_t k = 0; k < inside.size(); ++k) {
    const topology::child_counts& units = levels.units(static_cast<int>(k));
    for (std::int64_t parent = 0; parent < units.parents(); ++parent) {
      const auto group = std::span(inside[k]).subspan(static_cast<std::size_t>(units.first(parent)),
                                                      static_cast<std::size_t>(units.size(parent)));
      if (!schedule::groups_sum_canonically(group)) return false;
    }
  }
  return true;
}

/// Whether an algorithm is canonical in all groups of a level. Roots of groups are their first unit, but for the one
/// group that has the root of the call.
inline bool part_sums_canonically(collective what, std::string_view part, const ladder& levels, int k,
                                  std::int64_t root_unit) {
  const topology::child_counts& units = levels.units(k);
  const std::int64_t parent = units.parent_of(root_unit), root = root_unit - units.first(parent);
  return with_flat(what, part, [&](const auto& each) {
    const auto is_canonical = [&](std::int64_t n, std::int64_t from) {
      return n == 1 || (each.sums_canonically && each.sums_canonically(n, from));
    };
    const auto sizes = units.distinct_sizes();
    return is_canonical(units.size(parent), root) &&
           std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t n) { return is_canonical(n, 0); });
  });
}

}  // namespace detail

/// Whether every sum of this call is associated as in the canonical tree over rank numbers
/// (schedule/canonical_tree.hpp) when this algorithm serves it. True for collectives that do not reduce. Does not look
/// at the request's mode or type. Throws errc::not_found for an unknown name.
inline bool sums_canonically(const topology::hierarchy& tree, const schedule::request& what,
                             std::string_view algorithm) {
  using schedule::collective;
  if (!schedule::reduces(what.what) || tree.size() == 1) return true;
  const parsed_name name = parse_name(algorithm);
  const std::int64_t root = schedule::has_root(what.what) ? what.root.value : 0;
  if (!name.is_hierarchical)
    return detail::with_flat(what.what, algorithm, [&](const auto& each) {
      return each.sums_canonically && each.sums_canonically(tree.size(), root);
    });
  if (!tree.is_in_rank_order()) return false;
  const ladder levels(tree);
  if (static_cast<int>(name.parts.size()) != levels.size() || !detail::units_sum_canonically(levels)) return false;
  std::int64_t unit = root;
  for (int k = levels.size() - 1; k >= 0; --k) {
    const std::string_view part = name.parts[static_cast<std::size_t>(levels.size() - 1 - k)];
    collective sums = what.what;
    if (what.what == collective::all_reduce && k > 0)
      sums = detail::goes_by_leader(part) ? collective::reduce : collective::reduce_scatter;
    if (!detail::part_sums_canonically(sums, part, levels, k, unit)) return false;
    unit = levels.parent(k, unit);
  }
  return true;
}

}  // namespace hawser::algorithm
