// Properties of plans on random machines: names of ranks do not matter, bandwidth never hurts, every plan is right.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include <hawser/planner/planner.hpp>
#include <hawser/topology/describe.hpp>

#include "../algorithm/verified.hpp"

namespace hawser::planner {
namespace {

using schedule::collective;
using schedule::request;
using topology::hierarchy;

/// Random machines and requests from one seed, printed by the test that fails.
class dice {
 public:
  explicit dice(unsigned seed) : random_(seed) {}

  int number(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
  bool coin() { return number(0, 1) == 1; }

  /// One to three levels, each even or ragged, of at most `most` ranks, in order or not.
  hierarchy machine(int most) {
    std::vector<topology::level> levels;
    std::vector<std::int64_t> sizes;
    const int depth = number(1, 3);
    std::int64_t units = 1;
    for (int d = depth; d-- > 0;) {
      // Leave at least one unit per parent to the levels inside.
      const int each = d > 0 ? 4 : static_cast<int>(most / units);
      const bool is_ragged = coin();
      const int even = number(1, std::max(1, std::min(each, 6)));
      sizes.assign(static_cast<std::size_t>(units), even);
      if (is_ragged)
        for (auto& size : sizes) size = number(1, even);
      units = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
      static constexpr const char* names[] = {"gpu", "rack", "pod"};
      levels.push_back({names[d],
                        topology::child_counts::listed(sizes),
                        {.rate = {1e9 * number(1, 500)}, .latency = seconds{1e-7 * number(1, 200)}}});
    }
    return coin() ? hierarchy(levels) : hierarchy(levels, shuffled(units));
  }
  std::vector<rank> shuffled(std::int64_t n) {
    std::vector<rank> order;
    for (std::int64_t r = 0; r < n; ++r) order.emplace_back(static_cast<int>(r));
    std::shuffle(order.begin(), order.end(), random_);
    return order;
  }
  request call(const hierarchy& tree) {
    request made{.what = schedule::all_collectives[number(0, std::size(schedule::all_collectives) - 1)]};
    made.count = std::int64_t{1} << number(0, 24);
    if (schedule::has_root(made.what)) made.root = number(0, static_cast<int>(tree.size()) - 1);
    return made;
  }

 private:
  std::mt19937 random_;
};

std::string text_of(const hierarchy& tree, const request& what) {
  return std::string(to_string(what.what)) + " of " + std::to_string(what.count) + ", root " + to_string(what.root) +
         ", on " + topology::describe(tree);
}

const schedule::candidate& named(const schedule::plan& made, const std::string& name) {
  return *std::find_if(made.candidates.begin(), made.candidates.end(),
                       [&](const auto& each) { return each.algorithm == name; });
}

/// Another placement of the same machine, the root moving with its place, costs the same by every algorithm.
TEST(plan_properties, relabelled_ranks_cost_the_same) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  dice random(seed);
  for (int round = 0; round < 200 && !HasFailure(); ++round) {
    // Below and above the size up to which all ranks are counted.
    const hierarchy before = random.machine(round % 2 == 0 ? 40 : 300);
    const request what = random.call(before);
    const hierarchy after(before.levels(), random.shuffled(before.size()));
    request moved = what;
    moved.root = after.rank_at(before.position_of(what.root));
    SCOPED_TRACE(text_of(before, what));
    // Flat gather, scatter and barrier are not offered on a large machine of several levels.
    if (before.size() > most_flat_ranks && !algorithm::detail::has_hierarchical_form(what.what)) continue;
    const schedule::plan first = planner(before).make_plan(what), second = planner(after).make_plan(moved);
    EXPECT_NEAR(first.predicted.count(), second.predicted.count(), 1e-9 * first.predicted.count());
    for (const schedule::candidate& each : first.candidates) {
      const schedule::candidate& other = named(second, each.algorithm);
      EXPECT_EQ(each.rejected, other.rejected) << each.algorithm;
      EXPECT_NEAR(each.predicted.count(), other.predicted.count(), 1e-9 * each.predicted.count()) << each.algorithm;
    }
  }
}

/// Which rank is the root matters only by its place: on an even machine not at all.
TEST(plan_properties, every_root_of_an_even_machine_costs_the_same) {
  for (const auto& [racks, gpus] : {std::pair{4, 6}, std::pair{9, 11}}) {
    const topology::link up{.rate = {1e10}, .latency = seconds{1e-6}};
    const planner p(hierarchy({{"rack", topology::child_counts::uniform(1, racks), up},
                               {"gpu", topology::child_counts::uniform(racks, gpus), up}}));
    for (collective what : {collective::broadcast, collective::reduce}) {
      request call{.what = what};
      call.count = 1 << 20;
      const seconds at_zero = p.make_plan(call).predicted;
      for (int root : {1, gpus - 1, gpus, gpus + 2, racks * gpus - 1}) {
        call.root = root;
        EXPECT_NEAR(p.make_plan(call).predicted.count(), at_zero.count(), 1e-9 * at_zero.count())
            << to_string(what) << " root " << root << " of " << racks << " x " << gpus;
      }
    }
  }
}

TEST(plan_properties, more_bandwidth_never_slows) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  dice random(seed);
  for (int round = 0; round < 200 && !HasFailure(); ++round) {
    const hierarchy before = random.machine(48);
    const request what = random.call(before);
    SCOPED_TRACE(text_of(before, what));
    std::vector<rank> placed;
    for (std::int64_t p = 0; p < before.size(); ++p) placed.push_back(before.rank_at(p));
    // Of links whose rates are assumed, the prediction is not the least one (decision 0011).
    std::vector<topology::level> known = before.levels();
    for (topology::level& each : known) each.up.source = topology::provenance::file;
    const schedule::plan slow = planner(hierarchy(known, placed)).make_plan(what);
    for (int d = 0; d < before.depth(); ++d) {
      std::vector<topology::level> levels = known;
      levels[static_cast<std::size_t>(d)].up.rate.bytes_per_second *= 2;
      const schedule::plan fast = planner(hierarchy(std::move(levels), placed)).make_plan(what);
      EXPECT_LE(fast.lower_bound, slow.lower_bound);
      EXPECT_LE(fast.predicted.count(), slow.predicted.count() * (1 + 1e-12)) << "level " << d;
    }
  }
}

/// Of the plan that is made, whatever the call: roots, ragged blocks, private sizes, in place, in order.
TEST(plan_properties, every_plan_verifies_on_a_thousand_random_machines) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  dice random(seed);
  int hierarchical = 0;
  for (int round = 0; round < 1000 && !HasFailure(); ++round) {
    const hierarchy tree = random.machine(24);
    request what = random.call(tree);
    what.in_place = random.coin();
    what.is_commutative = !schedule::reduces(what.what) || random.coin();
    what.has_ragged_blocks = what.what == collective::all_to_all_v || (tests::has_v_form(what.what) && random.coin());
    what.are_counts_agreed = !what.has_ragged_blocks || what.what != collective::all_to_all_v || random.coin();
    // Small machines seldom pay for phases: every second time where it can be, they are asked for.
    const bool can_be_hierarchical = algorithm::active_levels(tree).size() > 1 && what.is_commutative &&
                                     algorithm::detail::has_hierarchical_form(what.what);
    if (can_be_hierarchical && random.coin()) what.algorithm = "hierarchical";
    SCOPED_TRACE(text_of(tree, what));
    const schedule::plan made = planner(tree).make_plan(what);
    EXPECT_GE(made.predicted, made.lower_bound * (1 - 1e-9)) << made.algorithm;
    tests::expect_verified(tree, what, made.algorithm, made.hierarchy);
    hierarchical += algorithm::parse_name(made.algorithm).is_hierarchical ? 1 : 0;
  }
  EXPECT_GT(hierarchical, 100);
}

}  // namespace
}  // namespace hawser::planner
