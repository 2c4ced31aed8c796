// What an algorithm moves on a hierarchy: bytes and messages by level, counted in its schedules or in those of its
// phases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/algorithm/properties.hpp>
#include <hawser/cost/compose.hpp>
#include <hawser/cost/network_load.hpp>
#include <hawser/cost/rank_traffic.hpp>
#include <hawser/schedule/window.hpp>

namespace hawser::cost {

/// Volumes are in blocks of the request (its `count` elements), so that one count serves all sizes.
struct traffic {
  std::vector<double> blocks_out;    ///< per level: out of the busiest unit's link
  std::vector<std::int64_t> rounds;  ///< per level: dependent messages whose outermost link is of this level
  std::vector<double> serial;        ///< per level: times that its bytes pass one after the other
  /// The same of what one rank waits for between beginning a segment and being done with it.
  std::vector<std::int64_t> stay_rounds;
  std::vector<double> stay_serial;
  bool hands_on = false;  ///< all phases hand segments on one after the other (flat_algorithm::hands_on)
  /// Per level: the sends or receives of a rank, of each kind of rank that is as busy as any other.
  std::vector<std::vector<double>> messages{};
  /// Per level: messages of all ranks over their number. Of a machine above `exact_ranks`: empty.
  std::vector<double> mean_messages{};
  std::vector<double> blocks_sent{};  ///< per level: by the rank that sends most
  /// Sent by all ranks over what they would if all were as busy as that one. Of a machine above `exact_ranks`: 1.
  double evenness = 1;
  double blocks_reduced = 0;                       ///< reduced or copied by the busiest rank
  busiest_link busiest{};                          ///< of the network, where one is known beside the hierarchy
  std::int64_t window = schedule::default_window;  ///< segments in flight
};

namespace detail {

/// Adds up the ranks of each unit, per level and direction, and remembers the busiest.
class unit_traffic {
 public:
  explicit unit_traffic(const topology::hierarchy& tree)
      : tree_(tree), units_(static_cast<std::size_t>(tree.depth())) {}

  /// `ranks_alike(unit's ranks)`: how many ranks of the unit the counted one stands for.
  template <class RanksAlike>
  void add(std::int64_t position, const rank_traffic& counted, std::vector<double>& busiest, RanksAlike&& ranks_alike) {
    double out = 0, in = 0;
    for (std::size_t d = 0; d < units_.size(); ++d) {
      const int level = static_cast<int>(d);
      const std::int64_t unit = tree_.unit_of(position, level);
      const double ranks = ranks_alike(level, unit);
      auto& [unit_out, unit_in] = units_[d][unit];
      unit_out += ranks * (out += counted.blocks_out[d]);
      unit_in += ranks * (in += counted.blocks_in[d]);
      busiest[d] = std::max({busiest[d], unit_out, unit_in});
    }
  }
  void forget() {
    for (auto& level : units_) level.clear();
  }

 private:
  const topology::hierarchy& tree_;
  std::vector<std::map<std::int64_t, std::pair<double, double>>> units_;  // per level: out and in by unit
};

/// Keeps the counts that no other ones reach or exceed on every level.
inline void keep_busiest(std::vector<std::vector<double>>& kinds, const std::vector<double>& counted) {
  const auto covers = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), [](double more, double less) { return more >= less; });
  };
  for (const std::vector<double>& each : kinds)
    if (covers(each, counted)) return;
  std::erase_if(kinds, [&](const std::vector<double>& each) { return covers(counted, each); });
  kinds.push_back(counted);
}

/// Dependent messages per level, and how often the data passes one after the other, from the closed forms in the
/// registry (tests compare them with the schedules).
struct chains {
  std::vector<std::int64_t> rounds, stay_rounds;
  std::vector<double> serial, stay_serial;
  bool hands_on = true;

  explicit chains(int depth)
      : rounds(static_cast<std::size_t>(depth), 0),
        stay_rounds(rounds),
        serial(rounds.size(), 1.0),
        stay_serial(serial) {}

  /// A phase of n members at a level.
  template <class Algorithm>
  void add(int level, const Algorithm& algorithm, std::int64_t n) {
    // A member that hands on receives and sends.
    constexpr std::int64_t receive_and_send = 2;
    const auto i = static_cast<std::size_t>(level);
    const std::int64_t messages = algorithm.rounds(n);
    const double passes = algorithm.serial != nullptr ? algorithm.serial(n) : 1.0;
    rounds[i] += messages;
    hands_on = hands_on && (algorithm.hands_on || messages == 0);
    serial[i] = std::max(serial[i], passes);
    stay_rounds[i] += algorithm.hands_on ? std::min(messages, receive_and_send) : messages;
    // To a switch and back a segment passes different directions of the links: those behind it need not wait for both.
    const double own_passes = algorithm.needs_switch ? 1.0 : passes;
    stay_serial[i] =
        std::max(stay_serial[i], algorithm.hands_on ? std::min<double>(own_passes, receive_and_send) : own_passes);
  }
};

inline chains chains_by_level(const topology::hierarchy& tree, const schedule::request& what, std::string_view name) {
  using schedule::collective;
  const std::vector<int> active = algorithm::active_levels(tree);
  const algorithm::parsed_name parsed = algorithm::parse_name(name);
  chains result(tree.depth());
  if (active.empty()) return result;
  const auto add = [&](int level, collective of, std::string_view part, std::int64_t n) {
    algorithm::detail::with_flat(of, part, [&](const auto& each) { result.add(level, each, n); });
  };
  if (!parsed.is_hierarchical) {
    add(active.front(), what.what, name, tree.size());
    return result;
  }
  if (algorithm::detail::is_exchange(what.what)) {
    // One message per phase: the innermost levels' links, then those of the outermost.
    const std::size_t phases = parsed.parts.size();
    for (std::size_t k = 0; k < phases; ++k)
      ++result.rounds[static_cast<std::size_t>(active[k == 0 ? 0 : active.size() - k])];
    result.stay_rounds = result.rounds;
    result.hands_on = false;
    return result;
  }
  for (std::size_t k = 0; k < active.size(); ++k) {
    const std::string_view part = parsed.parts[active.size() - 1 - k];
    const std::int64_t n = tree.at(active[k]).units.distinct_sizes().back();
    if (algorithm::detail::is_all_reduce(what.what) && k > 0 && algorithm::detail::goes_by_leader(part)) {
      add(active[k], collective::reduce, part, n);
      add(active[k], collective::broadcast, part, n);
    } else if (algorithm::detail::is_all_reduce(what.what) && k > 0) {
      add(active[k], collective::reduce_scatter, part, n);
      add(active[k], collective::all_gather, part, n);
    } else {
      add(active[k], what.what, part, n);
    }
  }
  return result;
}

inline double ranks_in(const topology::hierarchy& tree, int level, std::int64_t unit) {
  const bool is_last = unit + 1 == tree.at(level).units.total();
  return static_cast<double>((is_last ? tree.size() : tree.first_position(unit + 1, level)) -
                             tree.first_position(unit, level));
}

/// Members of a group whose roles differ from each other's in trees, and where a number of members that is no power of
/// two is folded.
inline std::set<std::int64_t> telling_offsets(std::int64_t members) {
  std::set<std::int64_t> offsets;
  for (const std::int64_t each :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, members / 2, members - 2, members - 1})
    if (each >= 0 && each < members) offsets.insert(each);
  return offsets;
}

/// On each level, those members of one group of each size.
inline void add_telling(const topology::hierarchy& tree, std::vector<std::int64_t>& positions) {
  for (int d = 0; d < tree.depth(); ++d) {
    const topology::child_counts& units = tree.at(d).units;
    std::set<std::int64_t> seen;
    for (std::int64_t parent = 0; parent < units.parents(); ++parent) {
      if (!seen.insert(units.size(parent)).second) continue;
      for (const std::int64_t offset : telling_offsets(units.size(parent)))
        positions.push_back(tree.first_position(units.first(parent) + offset, d));
      if (units.is_uniform()) break;
    }
  }
}

/// The busiest of a large rooted collective are found among these, whichever rank is the root: on every level, in the
/// group of the root and in one without it, those that stand for the units at the offsets where trees branch.
inline void add_rooted(const topology::hierarchy& tree, std::int64_t root, std::vector<std::int64_t>& positions) {
  for (int d = 0; d < tree.depth(); ++d) {
    const topology::child_counts& units = tree.at(d).units;
    const std::int64_t root_unit = tree.unit_of(root, d), home = units.parent_of(root_unit);
    for (const std::int64_t parent : {home, (home + 1) % units.parents()}) {
      const std::int64_t n = units.size(parent), zero = parent == home ? root_unit - units.first(parent) : 0;
      const auto add = [&](std::int64_t offset) {
        const std::int64_t unit = units.first(parent) + (zero + offset) % n;
        positions.push_back(unit == root_unit ? root : tree.first_position(unit, d));
      };
      add(0);
      for (std::int64_t offset = 1; offset < n; offset *= 2) add(offset);
      add(n - 1);
    }
  }
}

/// The positions to look at: all of a small machine; of a large one, whose groups of one size are alike, the members of
/// one group of each size that can play different roles.
inline std::vector<std::int64_t> representatives(const topology::hierarchy& tree, const schedule::request& what,
                                                 std::int64_t exact_up_to) {
  std::vector<std::int64_t> positions;
  if (tree.size() <= exact_up_to) {
    for (std::int64_t p = 0; p < tree.size(); ++p) positions.push_back(p);
    return positions;
  }
  const topology::child_counts& groups = tree.levels().back().units;
  std::set<std::int64_t> seen;
  for (std::int64_t parent = 0; parent < groups.parents(); ++parent) {
    if (!seen.insert(groups.size(parent)).second) continue;
    positions.push_back(groups.first(parent));
    positions.push_back(groups.first(parent) + groups.size(parent) - 1);
    if (groups.is_uniform()) break;
  }
  if (!algorithm::detail::is_exchange(what.what)) add_telling(tree, positions);
  if (schedule::has_root(what.what)) add_rooted(tree, tree.position_of(what.root), positions);
  const bool is_even = std::all_of(tree.levels().begin(), tree.levels().end(),
                                   [](const topology::level& each) { return each.units.is_uniform(); });
  if (is_even && algorithm::detail::is_exchange(what.what)) positions.resize(1);  // all ranks do the same
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return positions;
}

/// Whether an all-reduce or a barrier goes by leaders on all levels inside.
inline bool is_led(schedule::collective what, std::string_view name) {
  const algorithm::parsed_name parsed = algorithm::parse_name(name);
  return algorithm::detail::is_all_reduce(what) && parsed.is_hierarchical &&
         std::all_of(parsed.parts.begin(), parsed.parts.end() - 1, algorithm::detail::goes_by_leader);
}

}  // namespace detail

/// Machines up to this size are counted rank by rank; above it, ranks of equal role stand for each other.
inline constexpr std::int64_t exact_ranks = 64;

/// Adds up what `count_position` says of the machine's ranks.
template <class CountPosition>
traffic add_up(const topology::hierarchy& tree, const schedule::request& what, std::string_view name,
               CountPosition&& count_position) {
  const auto depth = static_cast<std::size_t>(tree.depth());
  const detail::chains along = detail::chains_by_level(tree, what, name);
  traffic total{.blocks_out = std::vector<double>(depth, 0.0),
                .rounds = along.rounds,
                .serial = along.serial,
                .stay_rounds = along.stay_rounds,
                .stay_serial = along.stay_serial,
                .hands_on = along.hands_on};
  const bool is_exact = tree.size() <= exact_ranks;
  const bool only_leaders_cross = schedule::has_root(what.what) || detail::is_led(what.what, name);
  if (is_exact) total.mean_messages.assign(depth, 0.0);
  detail::unit_traffic units(tree);
  double most_sent = -1, all_sent = 0;
  for (std::int64_t position : detail::representatives(tree, what, exact_ranks)) {
    const detail::rank_traffic counted = count_position(position);
    detail::keep_busiest(total.messages, counted.messages());
    for (std::size_t d = 0; d < total.mean_messages.size(); ++d)
      total.mean_messages[d] += counted.sent[d] / static_cast<double>(tree.size());
    total.blocks_reduced = std::max(total.blocks_reduced, counted.blocks_reduced);
    const double sent = std::accumulate(counted.blocks_out.begin(), counted.blocks_out.end(), 0.0);
    all_sent += sent;
    if (sent > most_sent) most_sent = sent, total.blocks_sent = counted.blocks_out;
    units.add(position, counted, total.blocks_out, [&](int level, std::int64_t unit) {
      // Of a rooted collective, only the unit's leader talks across; of the others, all ranks alike.
      return is_exact || only_leaders_cross ? 1.0 : detail::ranks_in(tree, level, unit);
    });
    if (!is_exact) units.forget();
  }
  if (is_exact && most_sent > 0) total.evenness = all_sent / (most_sent * static_cast<double>(tree.size()));
  return total;
}

/// Counts an algorithm's traffic in the schedules of whole ranks. Throws as `generate` does.
inline traffic count_schedules(const topology::hierarchy& tree, const schedule::request& what, std::string_view name) {
  return add_up(tree, what, name, [&](std::int64_t position) {
    return detail::count_rank(tree, algorithm::generate(tree, what, name, tree.rank_at(position)));
  });
}

/// Counts an algorithm's traffic, out of place, each phase of a hierarchical one once. Throws as `generate` does.
inline traffic count_traffic(const topology::hierarchy& tree, const schedule::request& what, std::string_view name,
                             phase_counts& counts) {
  const algorithm::parsed_name parsed = algorithm::parse_name(name);
  schedule::request counted = what;
  counted.in_place = false;
  if (!parsed.is_hierarchical || tree.size() == 1) return count_schedules(tree, counted, name);
  if (!detail::composition::has(what.what)) {
    // Who sits where does not change what moves, and a machine in order has the shorter schedules.
    if (tree.is_in_rank_order()) return count_schedules(tree, counted, name);
    return count_schedules(topology::hierarchy(tree.levels()), counted, name);
  }
  const algorithm::ladder levels(tree);
  algorithm::detail::check_levels(levels, parsed);
  detail::composition composed(levels, parsed.parts, counts);
  const std::int64_t root = tree.position_of(what.root);
  return add_up(tree, counted, name, [&](std::int64_t position) { return composed.of(what.what, position, root); });
}

/// The same, with nothing remembered between calls.
inline traffic count_traffic(const topology::hierarchy& tree, const schedule::request& what, std::string_view name) {
  phase_counts counts;
  return count_traffic(tree, what, name, counts);
}

}  // namespace hawser::cost
