// Ranks every algorithm that fits a request by predicted cost, and says why each of the others lost.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/algorithm/canonical.hpp>
#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/core/integer_sum.hpp>
#include <hawser/cost/estimate.hpp>
#include <hawser/cost/prepared_traffic.hpp>
#include <hawser/planner/decisions.hpp>
#include <hawser/planner/known_network.hpp>
#include <hawser/schedule/plan.hpp>
#include <hawser/topology/describe.hpp>
#include <hawser/topology/fingerprint.hpp>

namespace hawser::planner {

/// Flat algorithms over several levels are considered up to this many ranks: above, their uplink traffic or their
/// number of steps rules them out against the hierarchical forms.
inline constexpr std::int64_t most_flat_ranks = cost::exact_ranks;

/// Schedules of more steps per rank than this are not considered: preparing a rank stays within a few milliseconds and
/// 4 MiB, and where there are so many messages their number makes them slow anyway.
inline constexpr std::int64_t most_steps = 12'000;

/// `schedule::plan::chosen_by` where nobody has said more.
inline constexpr std::string_view chosen_by_model = "cost model";

/// Makes plans for one hierarchy. Equal inputs give equal plans on every rank. Thread-safe; counts are remembered.
class planner {
 public:
  /// `pinned` come before the cost model where they are for this hierarchy; where they are for another one, every plan
  /// notes that they are ignored.
  explicit planner(topology::hierarchy tree, cost::parameters host = {},
                   std::shared_ptr<const decision_table> pinned = nullptr)
      : tree_(std::move(tree)),
        host_(std::move(host)),
        name_(topology::describe(tree_)),
        fingerprint_(topology::fingerprint_text(tree_)),
        pinned_(std::move(pinned)) {}

  const topology::hierarchy& tree() const noexcept { return tree_; }
  const cost::parameters& host() const noexcept { return host_; }
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  const decision_table* pinned() const noexcept { return pinned_.get(); }

  /// Says, per level and outermost first, whether somebody serves the switches that reduce there; where nothing is
  /// said, all are taken to serve. Before the first plan is made.
  void set_served(std::vector<bool> levels) { served_ = std::move(levels); }

  /// Replaces what is pinned; before the first plan is made.
  void pin(std::shared_ptr<const decision_table> pinned) noexcept { pinned_ = std::move(pinned); }

  /// From now on, of up to `cost::exact_ranks` ranks, candidates are charged what they put on the links of the network
  /// that the hierarchy is the outline of, and trees packed into it are one of them; while no plan is being made. Null:
  /// no network is known any more. Node r is rank r. A network that does not join all ranks is forgotten again. Throws
  /// errc::mismatch where it is of others.
  void know(std::shared_ptr<const cost::network> links) {
    if (links)
      network_.know(tree_, std::move(links));
    else
      network_.forget();
    counted_.clear();
  }

  /// Whether it does, with no more than `cost::exact_ranks` ranks.
  bool knows_links() const noexcept { return network_.load() != nullptr; }

  /// Takes the forced algorithm, else the pinned one, else the fastest possible one by the model. Throws
  /// errc::not_found for an unknown forced algorithm, errc::unsupported where the forced one, or any, cannot serve the
  /// request.
  schedule::plan make_plan(const schedule::request& what) const {
    check_mode(what);
    schedule::plan made{.what = what, .ranks = tree_.size(), .hierarchy = name_, .fingerprint = fingerprint_};
    made.figures = host_.origin;
    made.lower_bound = cost::lower_bound(tree_, what);
    for (const std::string& name : names_for(what)) made.candidates.push_back(consider(what, name));
    admit_fewest_steps(what, made.candidates);
    put_best_first(made.candidates);
    const schedule::candidate chosen = choose(what, made);
    made.algorithm = chosen.algorithm;
    made.segments = chosen.segments;
    made.predicted = chosen.predicted;
    if (made.algorithm == packed_trees_name) {
      made.prepared = to_string(network_.packed(tree_, true).packing);
      made.window = schedule::packed_window;
    }
    if (made.algorithm == multi_rail_name) made.prepared = to_string(network_.rails(tree_, true).shares);
    if (what.needs_integer_sums()) add_scales(made);
    return made;
  }

  /// The name of the fastest possible algorithm by the model, whatever is pinned; empty where none is possible.
  std::string model_choice(const schedule::request& what) const {
    std::vector<schedule::candidate> candidates;
    for (const std::string& name : names_for(what)) candidates.push_back(consider(what, name));
    put_best_first(candidates);
    return !candidates.empty() && candidates.front().is_possible() ? candidates.front().algorithm : std::string();
  }

 private:
  std::vector<std::string> names_for(const schedule::request& what) const {
    std::vector<std::string> names = algorithm::algorithm_names(tree_, what.what);
    for (std::string& prepared : network_.names_for(tree_, what)) names.push_back(std::move(prepared));
    const bool is_listed = std::find(names.begin(), names.end(), what.algorithm) != names.end();
    if (!what.algorithm.empty() && what.algorithm != "hierarchical" && !is_listed) {
      (void)algorithm::generate(tree_, what, what.algorithm, tree_.rank_at(0));  // an unknown name throws here
      names.push_back(what.algorithm);
    }
    return names;
  }

  /// The fastest first, but for one that is nearly as fast by assumed figures and sends less over the links of which
  /// least is known, or as much in more segments.
  void put_best_first(std::vector<schedule::candidate>& candidates) const {
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
      return std::tuple(!a.is_possible(), a.predicted) < std::tuple(!b.is_possible(), b.predicted);
    });
    const int level = cost::outermost_assumed(tree_);
    if (level < 0 || candidates.empty() || !candidates.front().is_possible()) return;
    const seconds most = cost::price_of_not_knowing * candidates.front().predicted;
    const auto crossing = [&](const schedule::candidate& each) {
      return each.parts[static_cast<std::size_t>(level)].crossing_bytes;
    };
    constexpr double same = 1e-9;
    const auto is_safer = [&](const schedule::candidate& a, const schedule::candidate& b) {
      if (crossing(a) < (1 - same) * crossing(b)) return true;
      return crossing(a) <= (1 + same) * crossing(b) && a.segments > b.segments;
    };
    auto best = candidates.begin();
    for (auto each = best; each != candidates.end() && each->is_possible() && each->predicted <= most; ++each)
      if (is_safer(*each, *best)) best = each;
    std::rotate(candidates.begin(), best, best + 1);
  }

  void check_mode(const schedule::request& what) const {
    if (!what.needs_integer_sums()) return;
    if (!schedule::is_order_invariant(what.type, what.op))
      fail(errc::unsupported,
           "mode order_invariant cannot serve " + std::string(to_string(what.op)) + " of " +
               std::string(to_string(what.type)),
           "it sums float32, float16 and bfloat16, and serves what does not round",
           "use mode canonical, or another type");
    if (tree_.size() > most_integer_summands)
      fail(errc::unsupported, "mode order_invariant cannot sum over " + std::to_string(tree_.size()) + " ranks",
           "its integers have room for " + std::to_string(most_integer_summands) + " contributions",
           "use mode canonical");
  }

  /// The agreement on scales comes before every candidate alike.
  void add_scales(schedule::plan& made) const {
    made.scales = make_plan(schedule::scales_of(made.what, tree_.size())).predicted;
    made.predicted += made.scales;
    for (schedule::candidate& each : made.candidates)
      if (each.is_possible()) each.predicted += made.scales;
  }

  schedule::candidate choose(const schedule::request& what, schedule::plan& made) const {
    made.chosen_by = chosen_by_model;
    if (what.algorithm.empty()) {
      if (const auto pinned = choose_pinned(what, made)) return *pinned;
      if (!made.candidates.empty() && made.candidates.front().is_possible()) return made.candidates.front();
      fail(errc::unsupported, "no algorithm can serve this " + std::string(to_string(what.what)),
           made.candidates.empty() ? "none is registered" : made.candidates.front().rejected);
    }
    made.chosen_by = "forced by the request";
    if (pinned_ && pinned_->fingerprint == fingerprint_ && pinned_->find(what.what, bytes_of(what, tree_.size())))
      made.notes.push_back("the request's algorithm comes before " + name_of(*pinned_));
    const auto found = std::find_if(made.candidates.begin(), made.candidates.end(), [&](const auto& each) {
      if (what.algorithm == "hierarchical")
        return each.is_possible() && algorithm::parse_name(each.algorithm).is_hierarchical;
      return each.algorithm == what.algorithm;
    });
    if (found == made.candidates.end())
      fail(errc::unsupported, "no hierarchical algorithm fits", "the hierarchy has fewer than two levels",
           "use a flat algorithm");
    if (!found->is_possible() && !is_only_slow(*found))
      fail(errc::unsupported, "the algorithm \"" + found->algorithm + "\" cannot serve this request", found->rejected);
    return *found;
  }

  static std::string name_of(const decision_table& table) { return "decision file \"" + table.source + "\""; }

  /// What the decision file says for this size, with the cost of its number of segments; nothing where it says nothing
  /// that can be done.
  std::optional<schedule::candidate> choose_pinned(const schedule::request& what, schedule::plan& made) const {
    if (!pinned_) return std::nullopt;
    if (pinned_->fingerprint != fingerprint_) {
      made.notes.push_back(name_of(*pinned_) + " is ignored (it is for " + pinned_->hierarchy + ", fingerprint " +
                           pinned_->fingerprint + ")");
      return std::nullopt;
    }
    const std::int64_t bytes = bytes_of(what, tree_.size());
    const decision* const said = pinned_->find(what.what, bytes);
    if (said == nullptr) {
      made.notes.push_back(name_of(*pinned_) + " does not cover " + std::to_string(bytes) + " B of " +
                           std::string(to_string(what.what)));
      return std::nullopt;
    }
    const auto found = std::find_if(made.candidates.begin(), made.candidates.end(),
                                    [&](const auto& each) { return each.algorithm == said->algorithm; });
    schedule::candidate chosen = found != made.candidates.end() ? *found : consider_any(what, said->algorithm);
    if (!chosen.is_possible() && !is_only_slow(chosen)) {
      made.notes.push_back(name_of(*pinned_) + " says " + said->algorithm + ", which cannot serve this request (" +
                           chosen.rejected + ")");
      return std::nullopt;
    }
    if (chosen.is_possible() && chosen.segments != said->segments) {
      chosen.parts.clear();
      cost::estimate(tree_, what, traffic_of(what, said->algorithm), host_, chosen, said->segments);
      if (algorithm::sends_sizes_first(what.what, said->algorithm))
        chosen.predicted += sizes_pass(what, said->algorithm);
    }
    made.chosen_by = name_of(*pinned_);
    return chosen;
  }

  /// As `consider`, of a name that may be none of this hierarchy's.
  schedule::candidate consider_any(const schedule::request& what, const std::string& name) const {
    try {
      (void)algorithm::generate(tree_, what, name, tree_.rank_at(0));
    } catch (const error& refused) {
      return {.algorithm = name, .rejected = refused.what()};
    }
    return consider(what, name);
  }

  /// Where no form is fit for a machine of this size (gather and scatter have flat ones only), the one of the
  /// fewest steps serves it.
  void admit_fewest_steps(const schedule::request& what, std::vector<schedule::candidate>& candidates) const {
    schedule::candidate* fewest = nullptr;
    for (schedule::candidate& each : candidates) {
      if (each.is_possible()) return;
      if (is_only_slow(each) && (!fewest || steps_of(what, each) < steps_of(what, *fewest))) fewest = &each;
    }
    if (!fewest) return;
    fewest->rejected.clear();
    price(what, *fewest);
  }

  std::int64_t steps_of(const schedule::request& what, const schedule::candidate& c) const {
    return algorithm::steps_bound(tree_, what.what, c.algorithm);
  }

  void price(const schedule::request& what, schedule::candidate& c) const {
    cost::estimate(tree_, what, traffic_of(what, c.algorithm), host_, c);
    if (algorithm::sends_sizes_first(what.what, c.algorithm)) c.predicted += sizes_pass(what, c.algorithm);
  }

  static constexpr std::string_view not_considered = "not considered: ";
  static bool is_only_slow(const schedule::candidate& c) { return c.rejected.starts_with(not_considered); }

  schedule::candidate consider(const schedule::request& what, const std::string& name) const {
    if (is_prepared(name)) return consider_prepared(what, name);
    schedule::candidate c{.algorithm = name};
    const bool is_hierarchical = algorithm::parse_name(name).is_hierarchical;
    if (reduces(what.what) && !what.is_commutative && !algorithm::keeps_order(tree_, what.what, name))
      c.rejected = "does not keep the order of a non-commutative operator";
    else if (what.needs_canonical_sums() && !algorithm::sums_canonically(tree_, what, name))
      c.rejected = "does not preserve the canonical order";
    else if (const int level = unserved_level(name); level >= 0)
      c.rejected = "no aggregator serves the switch over level " + tree_.at(level).name;
    else if (what.op == reduce_kind::user && algorithm::needs_switch(name))
      c.rejected = "a switch does not know a user's operator";
    else if (what.has_ragged_blocks && algorithm::needs_switch(name))
      c.rejected = "a switch does not know the sizes of the blocks";
    else if (!what.are_counts_agreed && !algorithm::works_with_private_counts(what.what, name))
      c.rejected = "needs block sizes that all ranks know";
    else if (!is_hierarchical && tree_.size() > most_flat_ranks && algorithm::active_levels(tree_).size() > 1)
      c.rejected = std::string(not_considered) + "flat over more than " + std::to_string(most_flat_ranks) + " ranks";
    else if (const auto steps = algorithm::steps_bound(tree_, what.what, name); steps > most_steps)
      c.rejected = std::string(not_considered) + std::to_string(steps) + " steps per rank";
    if (c.is_possible()) price(what, c);
    return c;
  }

  /// A level whose switches an algorithm needs and nobody serves; -1: none.
  int unserved_level(std::string_view name) const {
    for (int d = 0; served_ && d < tree_.depth(); ++d)
      if (!(*served_)[static_cast<std::size_t>(d)] && algorithm::uses_switches(tree_, name, d)) return d;
    return -1;
  }

  /// Without a network, of the one that the hierarchy says there is.
  schedule::candidate consider_prepared(const schedule::request& what, const std::string& name) const {
    schedule::candidate c{.algorithm = name};
    const bool is_asked = what.algorithm == name;
    if (reduces(what.what) && !what.is_commutative)
      c.rejected = "does not keep the order of a non-commutative operator";
    else if (what.needs_canonical_sums())
      c.rejected = "does not preserve the canonical order";
    else if (!what.are_counts_agreed)
      c.rejected = "needs block sizes that all ranks know";
    else
      c.rejected = name == packed_trees_name ? network_.packed(tree_, is_asked).refused
                                             : network_.rails(tree_, is_asked).refused;
    if (c.is_possible()) price(what, c);
    return c;
  }

  /// The time in which the sizes of blocks travel ahead of them, the same way.
  seconds sizes_pass(const schedule::request& what, const std::string& name) const {
    schedule::request sizes = what;
    sizes.count = 1;
    sizes.element_bytes = sizeof(std::int64_t);
    schedule::candidate pass{.algorithm = name};
    cost::estimate(tree_, sizes, traffic_of(what, name), host_, pass);
    return pass.predicted;
  }

  /// Out of place: the choice must not depend on one rank's buffers. Where racks are even, blocks of different sizes
  /// travel as equal ones do (a test compares them), and are not counted again.
  schedule::request counted_as(const schedule::request& what) const {
    schedule::request counted = what;
    counted.in_place = false;
    const bool is_even = std::all_of(tree_.levels().begin(), tree_.levels().end(),
                                     [](const topology::level& each) { return each.units.is_uniform(); });
    if (is_even && what.what == schedule::collective::all_to_all_v) {
      counted.what = schedule::collective::all_to_all;
      counted.has_ragged_blocks = false;
    }
    return counted;
  }

  cost::traffic traffic_of(const schedule::request& what, const std::string& name) const {
    const schedule::request counted = counted_as(what);
    const auto key =
        std::tuple(counted.what, counted.root.value, counted.has_ragged_blocks, counted.needs_order(), name);
    const cost::network_load* const load = network_.load();
    std::lock_guard lock(mutex_);
    const auto [found, is_new] = counted_.try_emplace(key);
    if (is_new && name == packed_trees_name) {
      found->second = cost::packed_traffic(tree_, counted, network_.packed(tree_, true).packing);
    } else if (is_new && name == multi_rail_name) {
      found->second = cost::multi_rail_traffic(tree_, counted, network_.rails(tree_, true).shares, load);
    } else if (is_new) {
      found->second = cost::count_traffic(tree_, counted, name, phases_);
      // The network does not say which of its nodes the switches are that the hierarchy reduces in.
      if (load && !algorithm::needs_switch(name)) found->second.busiest = load->of(tree_, counted, name);
    }
    return found->second;
  }

  topology::hierarchy tree_;
  cost::parameters host_;
  std::string name_;
  std::string fingerprint_;
  std::shared_ptr<const decision_table> pinned_;
  std::optional<std::vector<bool>> served_;
  known_network network_;
  mutable std::mutex mutex_;
  mutable cost::phase_counts phases_;
  mutable std::map<std::tuple<schedule::collective, std::int32_t, bool, bool, std::string>, cost::traffic> counted_;
};

}  // namespace hawser::planner
