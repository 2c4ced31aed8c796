// Ranks every algorithm that fits a request by predicted cost, and says why each of the others lost.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/cost/estimate.hpp>
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

/// Makes plans for one hierarchy. Equal inputs give equal plans on every rank. Thread-safe; counts are remembered.
class planner {
 public:
  explicit planner(topology::hierarchy tree, cost::parameters host = {})
      : tree_(std::move(tree)),
        host_(host),
        name_(topology::describe(tree_)),
        fingerprint_(topology::fingerprint_text(tree_)) {}

  const topology::hierarchy& tree() const noexcept { return tree_; }
  const cost::parameters& host() const noexcept { return host_; }
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  /// Chooses the fastest possible algorithm by the model, or takes the forced one. Throws errc::not_found for an
  /// unknown forced algorithm, errc::unsupported where the forced one, or any, cannot serve the request.
  schedule::plan make_plan(const schedule::request& what) const {
    schedule::plan made{.what = what, .ranks = tree_.size(), .hierarchy = name_, .fingerprint = fingerprint_};
    made.figures = host_.origin;
    made.lower_bound = cost::lower_bound(tree_, what);
    for (const std::string& name : names_for(what)) made.candidates.push_back(consider(what, name));
    std::stable_sort(made.candidates.begin(), made.candidates.end(), [](const auto& a, const auto& b) {
      return std::tuple(!a.is_possible(), a.predicted) < std::tuple(!b.is_possible(), b.predicted);
    });
    const schedule::candidate& chosen = choose(what, made);
    made.algorithm = chosen.algorithm;
    made.segments = chosen.segments;
    made.predicted = chosen.predicted;
    return made;
  }

 private:
  std::vector<std::string> names_for(const schedule::request& what) const {
    std::vector<std::string> names = algorithm::algorithm_names(tree_, what.what);
    const bool is_listed = std::find(names.begin(), names.end(), what.algorithm) != names.end();
    if (!what.algorithm.empty() && what.algorithm != "hierarchical" && !is_listed) {
      (void)algorithm::generate(tree_, what, what.algorithm, tree_.rank_at(0));  // an unknown name throws here
      names.push_back(what.algorithm);
    }
    return names;
  }

  const schedule::candidate& choose(const schedule::request& what, schedule::plan& made) const {
    made.chosen_by = "cost model";
    if (what.algorithm.empty()) {
      if (!made.candidates.empty() && made.candidates.front().is_possible()) return made.candidates.front();
      fail(errc::unsupported, "no algorithm can serve this " + std::string(to_string(what.what)),
           made.candidates.empty() ? "none is registered" : made.candidates.front().rejected);
    }
    made.chosen_by = "forced by the request";
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

  static constexpr std::string_view not_considered = "not considered: ";
  static bool is_only_slow(const schedule::candidate& c) { return c.rejected.starts_with(not_considered); }

  schedule::candidate consider(const schedule::request& what, const std::string& name) const {
    schedule::candidate c{.algorithm = name};
    const bool is_hierarchical = algorithm::parse_name(name).is_hierarchical;
    if (reduces(what.what) && !what.is_commutative && !algorithm::keeps_order(tree_, what.what, name))
      c.rejected = "does not keep the order of a non-commutative operator";
    else if (!what.are_counts_agreed && !algorithm::works_with_private_counts(what.what, name))
      c.rejected = "needs block sizes that all ranks know";
    else if (!is_hierarchical && tree_.size() > most_flat_ranks && algorithm::active_levels(tree_).size() > 1)
      c.rejected = std::string(not_considered) + "flat over more than " + std::to_string(most_flat_ranks) + " ranks";
    else if (const auto steps = algorithm::steps_bound(tree_, what.what, name); steps > most_steps)
      c.rejected = std::string(not_considered) + std::to_string(steps) + " steps per rank";
    if (!c.is_possible()) return c;
    cost::estimate(tree_, what, traffic_of(what, name), host_, c);
    if (algorithm::sends_sizes_first(what.what, name)) c.predicted += sizes_pass(what, name);
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

  cost::traffic traffic_of(const schedule::request& what, const std::string& name) const {
    const auto key = std::tuple(what.what, what.root.value, what.has_ragged_blocks, what.is_commutative, name);
    std::lock_guard lock(mutex_);
    const auto [found, is_new] = counted_.try_emplace(key);
    // Out of place: the choice must not depend on one rank's buffers.
    if (is_new) found->second = cost::count_traffic(tree_, what, name, phases_);
    return found->second;
  }

  topology::hierarchy tree_;
  cost::parameters host_;
  std::string name_;
  std::string fingerprint_;
  mutable std::mutex mutex_;
  mutable cost::phase_counts phases_;
  mutable std::map<std::tuple<schedule::collective, std::int32_t, bool, bool, std::string>, cost::traffic> counted_;
};

}  // namespace hawser::planner
