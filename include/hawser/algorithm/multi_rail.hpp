// All-reduce over racks whose rails differ: each rail carries an interval as long as it is fast, so that a degraded or
// broken NIC shifts its share to the others. The hierarchical all-reduce by shares (Mamidala et al., and NCCL's rail
// trees) with uneven shards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <hawser/algorithm/capacity_graph.hpp>
#include <hawser/algorithm/circulant.hpp>
#include <hawser/algorithm/direct.hpp>
#include <hawser/algorithm/levels.hpp>
#include <hawser/algorithm/max_flow.hpp>
#include <hawser/schedule/rail_shares.hpp>

namespace hawser::algorithm {

namespace detail {

/// What passes between two ranks while all other ranks keep to themselves.
inline std::int64_t passes_between(const capacity_graph& links, int from, int to) {
  max_flow flow(links.nodes());
  const auto is_other = [&](int node) { return node < links.ranks() && node != from && node != to; };
  for (int a = 0; a < links.nodes(); ++a)
    for (int b = 0; b < links.nodes(); ++b)
      if (!is_other(a) && !is_other(b)) flow.add(a, b, links.at(a, b));
  return flow.run(from, to);
}

}  // namespace detail

/// Whether a hierarchy has rails: racks of equally many ranks below one level.
inline bool has_rails(const topology::hierarchy& tree) {
  const std::vector<int> active = active_levels(tree);
  return active.size() == 2 && tree.at(active[1]).units.is_uniform();
}

/// The shares that suit a network, node r of which is rank r: a rail is as fast as the slowest of its ways from a rack
/// to the next. Needs `has_rails`.
inline schedule::rail_shares shares_of_rails(const topology::hierarchy& tree, const capacity_graph& links) {
  const topology::child_counts& units = tree.at(active_levels(tree)[1]).units;
  schedule::rail_shares shares;
  std::int64_t divisor = 0;
  for (std::int64_t rail = 0; rail < units.size(0); ++rail) {
    std::int64_t slowest = INT64_MAX;
    for (std::int64_t rack = 0; rack < units.parents(); ++rack) {
      const std::int64_t next = (rack + 1) % units.parents();
      slowest = std::min(slowest, detail::passes_between(links, tree.rank_at(units.first(rack) + rail).value,
                                                         tree.rank_at(units.first(next) + rail).value));
    }
    shares.weight.push_back(slowest);
    divisor = std::gcd(divisor, slowest);
  }
  for (std::int64_t& each : shares.weight) each /= std::max<std::int64_t>(divisor, 1);
  return shares;
}

/// One rank's schedule of an all-reduce: reduce-scatter inside the rack, each rail's interval along it, all-gather
/// inside. Commutative operators only. Throws errc::unsupported for a hierarchy without rails or with other ones, and
/// for another collective.
inline schedule::schedule generate_multi_rail(const topology::hierarchy& tree, const schedule::request& what,
                                              const schedule::rail_shares& shares, rank self) {
  if (what.what != schedule::collective::all_reduce || (schedule::reduces(what.what) && !what.is_commutative))
    fail(errc::unsupported, "shares of rails serve commutative all-reduces only");
  if (!has_rails(tree) ||
      tree.at(active_levels(tree)[1]).units.size(0) != static_cast<std::int64_t>(shares.weight.size()))
    fail(errc::unsupported, "the hierarchy has not " + std::to_string(shares.weight.size()) + " rails",
         "its racks must have as many ranks each", "use hierarchical(...)");
  const ladder levels(tree);
  const std::int64_t position = tree.position_of(self), rack = levels.parent(1, position);
  const group inside = levels.members(1, position, [&](std::int64_t p) { return tree.rank_at(p); });
  const auto shares_in = [&shares](buffer where) -> locator {
    return [&shares, where](int first, int last) {
      region_list list;
      append(list, where, shares.of({0, 1}, first, last));
      return list;
    };
  };
  builder out(what, self, tree.size());
  const locator result = shares_in(buffer::output);
  out.begin_phase("reduce_scatter direct over " + levels.name(1) + ", by rails");
  direct_reduce_scatter({inside, shares_in(buffer::input), result}, out);
  if (shares.weight[static_cast<std::size_t>(inside.self)] > 0) {
    out.begin_phase("all_reduce circulant over " + levels.name(0));
    const int rail = inside.self;
    const group along =
        levels.members(0, rack, [&](std::int64_t other) { return tree.rank_at(levels.units(1).first(other) + rail); });
    reduce_scatter_all_gather<circulant_reduce_scatter, circulant_all_gather>(
        {along, shares.of({0, 1}, rail, rail + 1), buffer::output}, out);
  }
  out.begin_phase("all_gather direct over " + levels.name(1) + ", by rails");
  direct_all_gather({inside, result(inside.self, inside.self + 1), result}, out);
  return std::move(out).finish();
}

}  // namespace hawser::algorithm
