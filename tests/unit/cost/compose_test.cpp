// Traffic put together from phases equals that counted in whole schedules, over every algorithm and hierarchy shape.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::cost {
namespace {

using schedule::collective;
using schedule::request;
using topology::hierarchy;
using topology::parse_synthetic;

void expect_equal(const traffic& composed, const traffic& counted) {
  for (std::size_t d = 0; d < counted.blocks_out.size(); ++d) {
    EXPECT_NEAR(composed.blocks_out[d], counted.blocks_out[d], 1e-9 * (1 + counted.blocks_out[d])) << "level " << d;
    EXPECT_EQ(composed.rounds[d], counted.rounds[d]);
    EXPECT_EQ(composed.serial[d], counted.serial[d]);
  }
  EXPECT_EQ(composed.messages, counted.messages);
  ASSERT_EQ(composed.mean_messages.size(), counted.mean_messages.size());
  for (std::size_t d = 0; d < counted.mean_messages.size(); ++d)
    EXPECT_NEAR(composed.mean_messages[d], counted.mean_messages[d], 1e-9 * (1 + counted.mean_messages[d]));
  EXPECT_NEAR(composed.blocks_reduced, counted.blocks_reduced, 1e-9 * (1 + counted.blocks_reduced));
}

/// Returns how many algorithms were compared.
int compare(const hierarchy& tree, collective what, rank root, phase_counts& counts) {
  request call{.what = what};
  call.root = root;
  int compared = 0;
  for (const std::string& name : algorithm::algorithm_names(tree, what)) {
    if (!algorithm::parse_name(name).is_hierarchical) continue;
    SCOPED_TRACE(std::string(to_string(what)) + " " + name + " root " + to_string(root));
    expect_equal(count_traffic(tree, call, name, counts), count_schedules(tree, call, name));
    // Every rank, not only the busiest.
    if (detail::composition::has(what)) {
      const algorithm::ladder levels(tree);
      const algorithm::parsed_name parsed = algorithm::parse_name(name);
      detail::composition composed(levels, parsed.parts, counts);
      for (std::int64_t p = 0; p < tree.size() && tree.size() <= 32; ++p) {
        const auto one = composed.of(what, p, tree.position_of(root));
        const auto all = detail::count_rank(tree, algorithm::generate(tree, call, name, tree.rank_at(p)));
        for (std::size_t d = 0; d < all.blocks_out.size(); ++d) {
          EXPECT_NEAR(one.blocks_out[d], all.blocks_out[d], 1e-9 * (1 + all.blocks_out[d])) << p << " level " << d;
          EXPECT_NEAR(one.blocks_in[d], all.blocks_in[d], 1e-9 * (1 + all.blocks_in[d])) << p << " level " << d;
        }
        EXPECT_EQ(one.messages(), all.messages()) << "position " << p;
        EXPECT_NEAR(one.blocks_reduced, all.blocks_reduced, 1e-9 * (1 + all.blocks_reduced)) << "position " << p;
      }
    }
    ++compared;
    if (testing::Test::HasFailure()) return compared;
  }
  return compared;
}

TEST(composition, moves_what_the_schedules_move) {
  int compared = 0;
  for (const char* text :
       {"rack:2 gpu:2", "rack:4 gpu:3", "rack:[3,3,2]", "rack:[5,1,4]", "rack:1 gpu:5", "rack:7 gpu:1", "rack:[1,9]",
        "pod:2 rack:3 gpu:4", "pod:3 rack:[2,1,2] gpu:2", "pod:2 rack:[2,1] gpu:[3,4,5]", "pod:2 rack:[3,2] gpu:1",
        "pod:1 rack:4 gpu:3", "pod:2 rack:[1,3] gpu:[2,5,1,3]", "zone:2 pod:[2,1] rack:[2,1,2] gpu:[2,3,1,2,2]",
        "rack:6 gpu:11", "rack:3+reduces gpu:2+reduces", "pod:2+reduces rack:[2,1] gpu:[3,4,5]+reduces",
        "pod:3 rack:[4,1,3] gpu:[9,9,7,7,9,12,9,9]"}) {
    SCOPED_TRACE(text);
    const hierarchy tree = parse_synthetic(text);
    phase_counts counts;  // shared by all, as the planner does
    for (collective what : schedule::all_collectives)
      for (std::int64_t root = 0; root < (schedule::has_root(what) ? tree.size() : 1); root += 3)
        compared += compare(tree, what, rank(static_cast<int>(root)), counts);
    if (HasFailure()) break;
  }
  EXPECT_GT(compared, 1000);
}

TEST(composition, does_not_depend_on_who_sits_where) {
  const hierarchy tree = parse_synthetic("rack:[2,3]"), cyclic(tree.levels(), {0, 2, 4, 1, 3});
  phase_counts counts;
  for (collective what : schedule::all_collectives)
    for (int root = 0; root < 5; ++root) EXPECT_GE(compare(cyclic, what, root, counts), 0);
}

TEST(composition, refuses_what_generate_refuses) {
  const hierarchy tree = parse_synthetic("rack:2 gpu:2");
  for (const char* name : {"hierarchical(ring,magic)", "hierarchical(two_shot,ring)"})
    EXPECT_THROW((void)count_traffic(tree, {}, name), error) << name;
  EXPECT_THROW((void)count_traffic(tree, {}, "hierarchical(ring,ring,ring)"), error);
}

/// A phase is written down once, however many candidates have it, and by one member where all move the same.
TEST(composition, counts_each_phase_once) {
  const hierarchy tree = parse_synthetic("rack:1820 gpu:72");
  phase_counts counts;
  const auto first = count_traffic(tree, {}, "hierarchical(ring,two_shot)", counts);
  const std::size_t known = counts.size();
  EXPECT_EQ(count_traffic(tree, {}, "hierarchical(ring,two_shot)", counts).blocks_out, first.blocks_out);
  EXPECT_EQ(counts.size(), known);
  (void)count_traffic(tree, {}, "hierarchical(ring,ring)", counts);
  EXPECT_EQ(counts.size(), known + 1);
  // One per member of a rail that can play a role of its own.
  (void)count_traffic(tree, {}, "hierarchical(ring,recursive_doubling)", counts);
  EXPECT_EQ(counts.size(), known + 1 + detail::telling_offsets(1820).size());
}

/// Whether all members move the same as the first one.
bool members_move_the_same(flat_phase phase) {
  phase.self = 0;
  const phase_traffic first = detail::count_phase(phase);
  for (phase.self = 1; phase.self < phase.members; ++phase.self) {
    const phase_traffic other = detail::count_phase(phase);
    const double apart = std::max(
        {std::abs(other.out - first.out), std::abs(other.in - first.in), std::abs(other.reduced - first.reduced)});
    if (apart > 1e-9 || other.sends != first.sends || other.receives != first.receives) return false;
  }
  return true;
}

template <class Algorithms>
void expect_flags(collective what, const Algorithms& algorithms) {
  for (const auto& each : algorithms) {
    bool same = true;
    for (std::int64_t n = 1; n <= 33; ++n)
      for (const bool in_place : {false, true})
        for (const bool apart : {false, what == collective::reduce_scatter})
          same =
              same &&
              members_move_the_same(
                  {.what = what, .algorithm = each.name, .members = n, .is_in_place = in_place, .is_own_apart = apart});
    EXPECT_EQ(same, each.is_symmetric) << to_string(what) << " " << each.name;
  }
}

TEST(registry, says_which_algorithms_are_symmetric) {
  expect_flags(collective::all_reduce, algorithm::all_reduce_algorithms);
  expect_flags(collective::reduce_scatter, algorithm::reduce_scatter_algorithms);
  expect_flags(collective::all_gather, algorithm::all_gather_algorithms);
}

/// What the planner relies on: it counts an all_to_all_v of an even machine as an all_to_all.
TEST(traffic, blocks_of_different_sizes_travel_as_equal_ones_where_racks_are_even) {
  request plain{.what = collective::all_to_all}, ragged{.what = collective::all_to_all_v, .has_ragged_blocks = true};
  for (const char* machine :
       {"gpu:7", "gpu:16", "rack:3 gpu:4", "rack:12 gpu:8", "pod:2 rack:3 gpu:2", "pod:3 rack:9 gpu:4"}) {
    const hierarchy tree = parse_synthetic(machine);
    for (const std::string& name : algorithm::algorithm_names(tree, collective::all_to_all_v)) {
      SCOPED_TRACE(name + " on " + machine);
      const traffic equal = count_traffic(tree, plain, name), different = count_traffic(tree, ragged, name);
      expect_equal(different, equal);
      EXPECT_EQ(different.stay_rounds, equal.stay_rounds);
      EXPECT_EQ(different.blocks_sent, equal.blocks_sent);
      EXPECT_EQ(different.evenness, equal.evenness);
    }
  }
}

}  // namespace
}  // namespace hawser::cost
