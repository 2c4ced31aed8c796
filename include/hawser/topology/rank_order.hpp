// Advice on the order of ranks: what algorithms in which consecutive ranks talk cost in the present order, and a better
// one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <hawser/core/rank.hpp>
#include <hawser/core/units.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// What an algorithm sends through the links of one level.
struct level_load {
  std::string level;
  std::int64_t units = 0;
  std::int64_t crossing = 0;  ///< messages between different units, of all steps that differ
  std::int64_t busiest = 0;   ///< most messages that leave one unit at a time
  friend bool operator==(const level_load&, const level_load&) = default;
};

/// What one algorithm costs in one order of the ranks.
struct order_cost {
  std::vector<level_load> levels;  ///< outermost first
  seconds time{};                  ///< of an all-reduce
};

/// The order as it is and the one advised.
struct order_comparison {
  order_cost present;
  order_cost advised;
  /// How many times as long the present order takes.
  double slowdown() const { return advised.time.count() > 0 ? present.time / advised.time : 1; }
};

/// A better order of the ranks, with what it is better for.
struct rank_order_advice {
  /// Rank r sends to rank r + 1, the last one to rank 0: 2(n - 1) steps of 1/n of the data. No order has fewer crossing
  /// messages than one per unit and level (none where a level has one unit), which the advised one has.
  order_comparison ring;
  /// Ranks r and r xor 2^k exchange all data in step k; ranks beyond the largest power of two are left out of a step
  /// where they have no partner. Orders often cost the same.
  order_comparison recursive_doubling;
  /// The rank that becomes rank r: ranks grouped by unit on every level, units by their lowest rank, in the present
  /// order within a unit. The present order itself where it is as good.
  std::vector<rank> old_rank_of;
  bool is_present = true;  ///< nothing is to be gained
};

namespace detail {

/// Counts the messages of one step through the links of every level.
class load_counter {
 public:
  explicit load_counter(const hierarchy& tree) : tree_(tree), loads_(static_cast<std::size_t>(tree.depth())) {
    for (int depth = 0; depth < tree.depth(); ++depth)
      loads_[static_cast<std::size_t>(depth)].resize(static_cast<std::size_t>(tree.at(depth).units.total()));
  }

  void add(std::int64_t from, std::int64_t to) {
    seconds latency{};  // of the outermost link that the message climbs to, as in the cost model
    for (int depth = tree_.depth() - 1; depth >= 0 && from != to; --depth) {
      ++loads_[static_cast<std::size_t>(depth)][static_cast<std::size_t>(from)];
      latency = tree_.at(depth).up.latency;
      from = tree_.at(depth).units.parent_of(from);
      to = tree_.at(depth).units.parent_of(to);
    }
    slowest_ = std::max(slowest_, latency);
  }

  /// Adds the step to the loads of the algorithm and starts the next; returns the time of this one, in which each
  /// message has `each` bytes.
  seconds finish(std::vector<level_load>& into, double each) {
    seconds longest{};
    for (std::size_t depth = 0; depth < loads_.size(); ++depth) {
      std::int64_t busiest = 0;
      for (std::int64_t& load : loads_[depth]) {
        into[depth].crossing += load;
        busiest = std::max(busiest, std::exchange(load, 0));
      }
      into[depth].busiest = std::max(into[depth].busiest, busiest);
      const double rate = tree_.at(static_cast<int>(depth)).up.rate.bytes_per_second;
      if (busiest > 0 && rate > 0) longest = std::max(longest, seconds{static_cast<double>(busiest) * each / rate});
    }
    return longest + std::exchange(slowest_, seconds{});
  }

 private:
  const hierarchy& tree_;
  std::vector<std::vector<std::int64_t>> loads_;  // messages out of each unit, by level
  seconds slowest_{};
};

inline order_cost empty_cost(const hierarchy& tree) {
  order_cost cost;
  for (const level& each : tree.levels()) cost.levels.push_back({each.name, each.units.total(), 0, 0});
  return cost;
}

/// `position_of[r]` is the position of rank r.
inline order_cost ring_cost(const hierarchy& tree, const std::vector<std::int64_t>& position_of, bytes data) {
  order_cost cost = empty_cost(tree);
  load_counter counter(tree);
  const std::size_t size = position_of.size();
  for (std::size_t r = 0; r < size; ++r) counter.add(position_of[r], position_of[(r + 1) % size]);
  const auto ranks = static_cast<double>(size);
  cost.time = counter.finish(cost.levels, static_cast<double>(data.value) / ranks) * 2.0 * (ranks - 1);
  return cost;
}

inline order_cost doubling_cost(const hierarchy& tree, const std::vector<std::int64_t>& position_of, bytes data) {
  order_cost cost = empty_cost(tree);
  load_counter counter(tree);
  for (std::size_t distance = 1; distance < position_of.size(); distance *= 2) {
    for (std::size_t r = 0; r < position_of.size(); ++r)
      if (const std::size_t partner = r ^ distance; partner < position_of.size())
        counter.add(position_of[r], position_of[partner]);
    cost.time += counter.finish(cost.levels, static_cast<double>(data.value));
  }
  return cost;
}

/// Ranks sorted by the lowest rank of their unit on each level, outermost first, then by themselves.
inline std::vector<rank> grouped_by_unit(const hierarchy& tree) {
  const auto depth = static_cast<std::size_t>(tree.depth());
  std::vector<std::vector<std::int32_t>> lowest_below(depth);  // by unit
  std::vector<std::int32_t> lowest(static_cast<std::size_t>(tree.size()));
  for (std::size_t p = 0; p < lowest.size(); ++p) lowest[p] = tree.rank_at(static_cast<std::int64_t>(p)).value;
  for (std::size_t d = depth; d-- > 0;) {
    lowest_below[d] = lowest;
    const child_counts& units = tree.at(static_cast<int>(d)).units;
    lowest.assign(static_cast<std::size_t>(units.parents()), INT32_MAX);
    for (std::int64_t parent = 0, unit = 0; parent < units.parents(); ++parent)
      for (const std::int64_t end = unit + units.size(parent); unit < end; ++unit)
        lowest[static_cast<std::size_t>(parent)] =
            std::min(lowest[static_cast<std::size_t>(parent)], lowest_below[d][static_cast<std::size_t>(unit)]);
  }
  // Children of each unit in the order of their lowest ranks, from the root down.
  std::vector<std::int64_t> units{0};
  for (std::size_t d = 0; d < depth; ++d) {
    const child_counts& counts = tree.at(static_cast<int>(d)).units;
    std::vector<std::int64_t> children;
    children.reserve(static_cast<std::size_t>(counts.total()));
    for (const std::int64_t parent : units) {
      const auto first = static_cast<std::ptrdiff_t>(children.size());
      for (std::int64_t each = 0; each < counts.size(parent); ++each) children.push_back(counts.first(parent) + each);
      std::sort(children.begin() + first, children.end(), [&](std::int64_t a, std::int64_t b) {
        return lowest_below[d][static_cast<std::size_t>(a)] < lowest_below[d][static_cast<std::size_t>(b)];
      });
    }
    units = std::move(children);
  }
  std::vector<rank> order;
  order.reserve(units.size());
  for (const std::int64_t position : units) order.push_back(tree.rank_at(position));
  return order;
}

}  // namespace detail

/// Compares the order of ranks that `tree` has with one that keeps each unit together; `data` is what each rank
/// contributes to the all-reduce whose time is estimated. O(n log n) time for n ranks, O(n) memory per level.
inline rank_order_advice advise_rank_order(const hierarchy& tree, bytes data) {
  std::vector<std::int64_t> present, advised;
  for (std::int64_t r = 0; r < tree.size(); ++r) present.push_back(tree.position_of(rank(static_cast<int>(r))));
  rank_order_advice advice;
  advice.old_rank_of = detail::grouped_by_unit(tree);
  for (const rank each : advice.old_rank_of) advised.push_back(tree.position_of(each));
  const auto compare = [&] {
    advice.ring = {detail::ring_cost(tree, present, data), detail::ring_cost(tree, advised, data)};
    advice.recursive_doubling = {detail::doubling_cost(tree, present, data),
                                 detail::doubling_cost(tree, advised, data)};
  };
  compare();
  const auto& before = advice.ring.present.levels;
  const auto& after = advice.ring.advised.levels;
  for (std::size_t depth = 0; depth < before.size(); ++depth)
    if (before[depth].crossing > after[depth].crossing) advice.is_present = false;
  if (!advice.is_present) return advice;
  for (std::size_t r = 0; r < present.size(); ++r) advice.old_rank_of[r] = rank(static_cast<int>(r));
  advised = present;
  compare();
  return advice;
}

/// Where each rank goes: `new_rank_of[old]`, what MPI_Comm_split takes as key.
inline std::vector<rank> new_ranks(const std::vector<rank>& old_rank_of) {
  std::vector<rank> inverse(old_rank_of.size());
  for (std::size_t r = 0; r < old_rank_of.size(); ++r)
    inverse[static_cast<std::size_t>(old_rank_of[r].value)] = rank(static_cast<int>(r));
  return inverse;
}

/// The order in which a scheduler that deals ranks out one by one to the parents of the positions (Slurm's
/// "cyclic", Open MPI's "--map-by node") places them: the rank of each position.
inline std::vector<rank> cyclic_order(const hierarchy& tree) {
  const child_counts& groups = tree.levels().back().units;
  std::vector<rank> rank_at(static_cast<std::size_t>(tree.size()));
  std::vector<std::int64_t> open(static_cast<std::size_t>(groups.parents()));
  std::iota(open.begin(), open.end(), std::int64_t{0});
  int next = 0;
  for (std::int64_t turn = 0; !open.empty(); ++turn) {
    std::erase_if(open, [&](std::int64_t group) { return groups.size(group) <= turn; });
    for (const std::int64_t group : open) rank_at[static_cast<std::size_t>(groups.first(group) + turn)] = rank(next++);
  }
  return rank_at;
}

}  // namespace hawser::topology
