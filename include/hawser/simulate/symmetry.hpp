// Which ranks play the same role in a schedule: colours of places are split until ranks of one class send and receive
// the same from the same classes. Colour refinement, on the places of each level instead of on ranks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include <hawser/algorithm/generate.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/schedule/program.hpp>
#include <hawser/simulate/partition.hpp>

namespace hawser::simulate {

/// Up to this many ranks every rank's schedule is looked at; above, one per place and kind of parent, and samples.
inline constexpr std::int64_t exhaustive_ranks = 16;
/// Ranks whose schedules are compared with their class's where not all were looked at: a fifth, but no more.
inline constexpr int sampled_ranks = 48;

/// What a rank does, with its peers' positions: enough to compare it with others under any colouring.
class role {
 public:
  role(const topology::hierarchy& tree, schedule::schedule steps, bool has_dependences)
      : position_(tree.position_of(steps.self)) {
    moves_.reserve(steps.steps.size());
    for (const schedule::step& each : steps.steps) {
      const bool is_message = each.sends() || each.receives();
      const double blocks = cost::detail::volume(steps.at(each.sends() ? each.source : each.target));
      // All switches of a level look alike; which one it is follows from where the rank is.
      const bool is_to_rank = is_message && !topology::is_switch(tree, each.peer);
      const std::int64_t peer = is_to_rank ? tree.position_of(each.peer) : position_;
      std::uint64_t what = colouring::mixed(static_cast<std::uint64_t>(each.kind), each.channel);
      const int level = is_message ? topology::crossed_level(tree, steps.self, each.peer) : tree.depth();
      what = colouring::mixed(what, 2 * static_cast<std::uint64_t>(level) + (is_message && !is_to_rank ? 1 : 0));
      // Equal up to rounding: volumes are sums of fractions.
      what = colouring::mixed(what, static_cast<std::uint64_t>(std::llround(blocks * 0x1p32)));
      moves_.push_back({is_to_rank ? peer : -1, colouring::mixed(what, each.phase)});
    }
    if (has_dependences) order_ = schedule::derive_dependences(std::move(steps));
  }

  std::int64_t position() const noexcept { return position_; }
  /// The same for two ranks whose messages go to the same classes, in any order within a phase.
  std::uint64_t signature(const colouring& colours) const {
    std::uint64_t sum = moves_.size();
    std::int64_t last = -1;
    std::uint64_t last_class = 0;
    std::vector<std::uint64_t> before(order_.waits_for.size(), 0);  // per step: what it waits for
    for (std::size_t i = 0; i < moves_.size(); ++i) {
      const move& each = moves_[i];
      if (each.peer >= 0 && each.peer != last) last_class = colours.class_hash(last = each.peer);
      std::uint64_t own = colouring::mixed(each.what, each.peer < 0 ? 0 : last_class);
      if (!before.empty()) {
        own = colouring::mixed(own, before[i]);
        for (std::uint32_t dependent : order_.dependents_of(i)) before[dependent] += own;
      }
      sum += colouring::mixed(own, 1);
    }
    return sum;
  }

 private:
  struct move {
    std::int64_t peer;
    std::uint64_t what;
  };
  std::int64_t position_;
  std::vector<move> moves_;
  schedule::program order_;  // its dependences, where they are compared
};

/// Refines a colouring by an algorithm's schedules.
class symmetry {
 public:
  symmetry(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
           colouring& colours)
      : tree_(tree), what_(what), algorithm_(algorithm), colours_(colours) {
    const bool is_rooted = schedule::has_root(what.what);
    base_ = is_rooted ? tree.position_of(what.root) : 0;
    if (is_rooted) mark_base();
    choose_probes();
  }

  /// From now on ranks are told apart by what waits for what, too: an order of reductions that makes no difference in
  /// time makes one here.
  void compare_dependences() {
    compares_dependences_ = true;
    for (probe& each : probes_) each.does = role_at(each.does.position());
  }

  /// Splits the places' colours by what the ranks there do, until nothing more splits.
  void refine() {
    bool is_finer = true;
    while (is_finer) {
      sum_by_place();
      is_finer = false;
      for (int d = 0; d < tree_.depth(); ++d)
        is_finer |= colours_.split(d, [&](const place& where) {
          const auto& sums = sums_[static_cast<std::size_t>(d)];
          const auto found = sums.find(where);
          return found == sums.end() ? 0 : found->second;
        });
    }
  }

  /// True where every rank that was looked at (all of a small machine, samples of a large one) plays its class's role.
  bool holds(const partition& classes) {
    std::vector<std::uint64_t> expected(classes.classes.size(), 0);
    std::vector<bool> is_known(classes.classes.size(), false);
    const auto agrees = [&](const role& each) {
      const auto c = static_cast<std::size_t>(classes.of.back()[static_cast<std::size_t>(each.position())]);
      const std::uint64_t own = each.signature(colours_);
      if (!is_known[c]) expected[c] = own, is_known[c] = true;
      return expected[c] == own;
    };
    for (const probe& each : probes_)
      if (!agrees(each.does)) return false;
    if (tree_.size() <= exhaustive_ranks) return true;
    std::mt19937_64 random(static_cast<std::uint64_t>(tree_.size()));  // the same samples in every run
    for (std::int64_t i = std::min<std::int64_t>(sampled_ranks, tree_.size() / 5); i > 0; --i) {
      const auto position = std::uniform_int_distribution<std::int64_t>(0, tree_.size() - 1)(random);
      const auto c = static_cast<std::size_t>(classes.of.back()[static_cast<std::size_t>(position)]);
      if (!is_known[c] && !agrees(role_at(classes.classes[c].representative))) return false;
      if (!agrees(role_at(position))) return false;
    }
    return true;
  }

 private:
  static constexpr int parents_per_place = 3;

  /// One rank that is looked at, and the levels (a bit each) whose places it stands for.
  struct probe {
    role does;
    unsigned levels;
  };

  role role_at(std::int64_t position) const {
    return {tree_, algorithm::generate(tree_, what_, algorithm_, tree_.rank_at(position)), compares_dependences_};
  }

  /// The root's places are like no others.
  void mark_base() {
    for (int d = 0; d < tree_.depth(); ++d) {
      const place root = colours_.place_of(d, tree_.unit_of(base_, d));
      colours_.split(d, [&](const place& where) { return static_cast<std::uint64_t>(where == root); });
    }
  }

  void choose_probes() {
    if (tree_.size() <= exhaustive_ranks) {
      for (std::int64_t p = 0; p < tree_.size(); ++p) probes_.push_back({role_at(p), ~0U});
      return;
    }
    std::map<std::int64_t, unsigned> chosen;  // position -> levels that it is a probe of
    for (int d = 0; d < tree_.depth(); ++d) {
      const topology::child_counts& units = tree_.at(d).units;
      const bool is_plain = units.is_uniform() && units.parents() * units.size(0) > exhaustive_ranks;
      std::map<std::pair<std::int64_t, std::int32_t>, int> seen;  // group size and shape of the parent -> how often
      const auto probe_children = [&](std::int64_t parent) {
        const std::int32_t shape = d == 0 ? 0 : colours_.shapes().at(d - 1, parent);
        if (++seen[{units.size(parent), shape}] > (is_plain ? 1 : parents_per_place)) return;
        for (std::int64_t i = 0; i < units.size(parent); ++i)
          chosen[tree_.first_position(units.first(parent) + i, d)] |= 1U << d;
      };
      const std::int64_t first = d == 0 ? 0 : tree_.unit_of(base_, d - 1);
      probe_children(first);
      for (std::int64_t parent = 0; parent < units.parents(); ++parent)
        if (parent != first) probe_children(parent);
    }
    for (const auto& [position, levels] : chosen) probes_.push_back({role_at(position), levels});
  }

  void sum_by_place() {
    sums_.assign(static_cast<std::size_t>(tree_.depth()), {});
    for (const auto& [does, levels] : probes_) {
      const std::uint64_t own = colouring::mixed(does.signature(colours_), colours_.class_hash(does.position()));
      std::int64_t unit = does.position();
      for (int d = tree_.depth() - 1; d >= 0; --d) {
        if ((levels >> d & 1U) != 0) sums_[static_cast<std::size_t>(d)][colours_.place_of(d, unit)] += own;
        unit = tree_.at(d).units.parent_of(unit);
      }
    }
  }

  const topology::hierarchy& tree_;
  const schedule::request& what_;
  std::string_view algorithm_;
  colouring& colours_;
  std::int64_t base_ = 0;
  bool compares_dependences_ = false;
  std::vector<probe> probes_;
  std::vector<std::map<place, std::uint64_t>> sums_;
};

}  // namespace hawser::simulate
