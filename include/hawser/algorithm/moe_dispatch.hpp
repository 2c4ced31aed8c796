// Mixture-of-experts dispatch with one copy per destination rack: a token goes to one rank of each rack that has any of
// its experts, on the sender's rail, and is fanned out inside; combine sums on the way back. As DeepSeek's DeepEP does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <hawser/algorithm/rack_view.hpp>

namespace hawser::algorithm {

/// Which rows go to which target, targets ascending and rows ascending for each: a row goes to a target at most once.
struct row_routes {
  std::vector<std::int64_t> counts;  ///< per target
  std::vector<std::int64_t> rows;    ///< the rows of target 0, then those of target 1, ...
};

/// Routes rows of `top_k` experts each. `target_of(expert)` is a target below `targets`, or negative: none. An expert
/// below 0 is none, too. O(entries log top_k + targets).
template <class TargetOf>
row_routes route_rows(std::span<const std::int32_t> experts, std::int64_t top_k, std::int64_t targets,
                      TargetOf&& target_of) {
  const std::int64_t rows = top_k > 0 ? static_cast<std::int64_t>(experts.size()) / top_k : 0;
  std::vector<std::int64_t> distinct;
  const auto each_target = [&](std::int64_t row, auto&& f) {
    distinct.clear();
    for (std::int32_t expert : experts.subspan(static_cast<std::size_t>(row * top_k), static_cast<std::size_t>(top_k)))
      if (const std::int64_t target = expert < 0 ? -1 : target_of(expert); target >= 0) distinct.push_back(target);
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (std::int64_t target : distinct) f(static_cast<std::size_t>(target));
  };
  row_routes routes{std::vector<std::int64_t>(static_cast<std::size_t>(targets), 0), {}};
  for (std::int64_t row = 0; row < rows; ++row) each_target(row, [&](std::size_t target) { ++routes.counts[target]; });
  std::vector<std::int64_t> next(routes.counts.size(), 0);
  for (std::size_t t = 1; t < next.size(); ++t) next[t] = next[t - 1] + routes.counts[t - 1];
  routes.rows.resize(next.empty() ? 0 : static_cast<std::size_t>(next.back() + routes.counts.back()));
  for (std::int64_t row = 0; row < rows; ++row)
    each_target(row, [&](std::size_t target) { routes.rows[static_cast<std::size_t>(next[target]++)] = row; });
  return routes;
}

/// Where experts are, and who takes tokens into a rack. Every rank has `experts_per_rank` of them: expert e is on rank
/// e / experts_per_rank.
class moe_dispatch {
 public:
  /// The hierarchy must outlive this. Throws errc::invalid_argument where experts_per_rank is not positive.
  moe_dispatch(const topology::hierarchy& tree, std::int64_t experts_per_rank)
      : racks_(tree), experts_per_rank_(experts_per_rank) {
    if (experts_per_rank < 1)
      fail(errc::invalid_argument, "a rank has no experts", std::to_string(experts_per_rank) + " per rank",
           "pass at least 1");
  }

  const rack_view& racks() const noexcept { return racks_; }
  /// Experts of all ranks together, and the rank that has one: rank r has those from r * experts_per_rank on.
  std::int64_t experts() const { return racks_.ranks() * experts_per_rank_; }
  rank owner_of(std::int32_t expert) const { return rank(static_cast<std::int32_t>(expert / experts_per_rank_)); }

  /// The rank of a rack that takes tokens of `source` in: of the same rail; member r of g is relayed by member
  /// floor(r G / g) of G, so that no member has more than ceil(g / G) of them. In its own rack, the source itself.
  rank relay(rank source, std::int64_t rack) const {
    const std::int64_t home = racks_.rack_of(source);
    if (rack == home) return source;
    return racks_.at(rack, racks_.member_of(source) * racks_.size(rack) / racks_.size(home));
  }

  /// The first hop: tokens of `source` to a relay in each rack with any of their experts; targets are ranks.
  row_routes to_relays(rank source, std::span<const std::int32_t> experts, std::int64_t top_k) const {
    return route_rows(experts, top_k, racks_.ranks(), [&](std::int32_t expert) -> std::int64_t {
      return relay(source, racks_.rack_of(owner_of(expert))).value;
    });
  }
  /// The second hop: rows that are in a rack to the members that have any of their experts; targets are members.
  row_routes to_members(std::int64_t rack, std::span<const std::int32_t> experts, std::int64_t top_k) const {
    return route_rows(experts, top_k, racks_.size(rack), [&](std::int32_t expert) -> std::int64_t {
      const rank owner = owner_of(expert);
      return racks_.rack_of(owner) == rack ? racks_.member_of(owner) : -1;
    });
  }
  /// The number of an expert among those of this rank, or -1 where it is another's.
  std::int32_t local_number(rank self, std::int32_t expert) const {
    if (expert < 0 || owner_of(expert) != self) return -1;
    return static_cast<std::int32_t>(expert - self.value * experts_per_rank_);
  }

 private:
  rack_view racks_;
  std::int64_t experts_per_rank_;
};

}  // namespace hawser::algorithm
