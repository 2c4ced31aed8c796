// Every algorithm that hawser has, in one place. To add one: write its header, add its line here and its row in
// docs/algorithms.md; the verifier, the planner, explain, the tests and the benchmarks pick it up from here.
#pragma once

#include <array>
#include <cstdint>

#include <hawser/algorithm/bine_butterfly.hpp>
#include <hawser/algorithm/bine_tree.hpp>
#include <hawser/algorithm/binomial_tree.hpp>
#include <hawser/algorithm/bruck.hpp>
#include <hawser/algorithm/chain.hpp>
#include <hawser/algorithm/circulant.hpp>
#include <hawser/algorithm/direct.hpp>
#include <hawser/algorithm/dissemination.hpp>
#include <hawser/algorithm/double_binary_tree.hpp>
#include <hawser/algorithm/flat.hpp>
#include <hawser/algorithm/halving_doubling.hpp>
#include <hawser/algorithm/in_network.hpp>
#include <hawser/algorithm/linear.hpp>
#include <hawser/algorithm/multi_ring.hpp>
#include <hawser/algorithm/n_block.hpp>
#include <hawser/algorithm/one_shot.hpp>
#include <hawser/algorithm/pairwise.hpp>
#include <hawser/algorithm/pat.hpp>
#include <hawser/algorithm/recursive_doubling.hpp>
#include <hawser/algorithm/ring.hpp>
#include <hawser/algorithm/scatter_all_gather.hpp>
#include <hawser/algorithm/swing.hpp>

namespace hawser::algorithm {

namespace detail {

using count = std::int64_t;

/// Shapes that closed forms of `rounds` and `steps` share.
constexpr count linear(count n) {
  return n - 1;
}
constexpr count one_round(count n) {
  return n > 1 ? 1 : 0;
}
template <count (*Rounds)(count)>
constexpr count twice(count n) {
  return 2 * Rounds(n);
}
template <count (*First)(count), count (*Second)(count)>
constexpr count both(count n) {
  return First(n) + Second(n);
}
/// Each n steps, and at least one: a copy where there is one member only.
template <count Each>
constexpr count steps_per_peer(count n) {
  return Each * n;
}
/// Each ceil(log2 n) steps, and at most `More` before, between and after.
template <count Each, count More>
constexpr count steps_per_round(count n) {
  return Each * ceil_log2(n) + More;
}
/// For which members and roots sums are canonical.
constexpr bool always(count, count) {
  return true;
}
constexpr bool from_first(count, count root) {
  return root == 0;
}
/// Few enough members that no other association is left.
template <count Most>
constexpr bool from_first_up_to(count n, count root) {
  return root == 0 && n <= Most;
}
constexpr count constant_steps(count) {
  return 3;
}
/// Along a chain every member hands everything on.
constexpr double chain_serial(count n) {
  return n > 2 ? static_cast<double>(n - 1) : 1.0;
}
/// Scattered or reduced first, then gathered: what passes the busiest link, twice.
constexpr double two_passes(count n) {
  return n > 2 ? 2.0 : 1.0;
}
/// An inner node sends twice the data in all; half of it climbs and descends ceil(log2 n) edges each.
constexpr double double_tree_serial(count n) {
  return n > 4 ? static_cast<double>(ceil_log2(n)) / 2 : 1.0;
}
/// To a switch and back: all that a member sends passes on the way up, then on the way down.
constexpr double up_and_down(count n) {
  return n > 1 ? 2.0 : 1.0;
}
/// Two trees: up to three messages each on the way up and on the way down.
constexpr count double_tree_steps(count) {
  return 12;
}

}  // namespace detail

inline constexpr std::array reduce_scatter_algorithms{
    flat_algorithm<reduce_scatter_phase>{.name = "ring",
                                         .generate = ring_reduce_scatter,
                                         .rounds = detail::linear,
                                         .steps = detail::steps_per_peer<2>,
                                         .is_symmetric = true},
    flat_algorithm<reduce_scatter_phase>{.name = "direct",
                                         .generate = direct_reduce_scatter,
                                         .rounds = detail::one_round,
                                         .steps = detail::steps_per_peer<3>,
                                         .keeps_order = true,
                                         .is_symmetric = true,
                                         .pairs_members = true,
                                         .sums_canonically = detail::always,
                                         .needs_accumulator = false},
    flat_algorithm<reduce_scatter_phase>{.name = "circulant",
                                         .generate = circulant_reduce_scatter,
                                         .rounds = detail::overlapping_log2,
                                         .steps = detail::steps_per_round<2, 1>,
                                         .is_symmetric = true},
    flat_algorithm<reduce_scatter_phase>{.name = "pat",
                                         .generate = pat_reduce_scatter,
                                         .rounds = detail::overlapping_log2,
                                         .steps = detail::steps_per_round<2, 1>,
                                         .is_symmetric = true},
    flat_algorithm<reduce_scatter_phase>{.name = "bine_butterfly",
                                         .generate = bine_reduce_scatter,
                                         .rounds = detail::bine_butterfly_rounds,
                                         .steps = detail::steps_per_round<2, 2>,
                                         .sums_canonically = detail::bine_sums_canonically,
                                         .is_near_first = true},
    flat_algorithm<reduce_scatter_phase>{.name = "in_network",
                                         .generate = in_network_reduce_scatter,
                                         .rounds = detail::twice<detail::one_round>,
                                         .steps = detail::constant_steps,
                                         .keeps_order = true,
                                         .is_symmetric = true,
                                         .sums_canonically = detail::always,
                                         .needs_accumulator = false,
                                         .needs_switch = true},
};

inline constexpr std::array all_gather_algorithms{
    flat_algorithm<all_gather_phase>{.name = "ring",
                                     .generate = ring_all_gather,
                                     .rounds = detail::linear,
                                     .steps = detail::steps_per_peer<2>,
                                     .is_symmetric = true},
    flat_algorithm<all_gather_phase>{.name = "direct",
                                     .generate = direct_all_gather,
                                     .rounds = detail::one_round,
                                     .steps = detail::steps_per_peer<2>,
                                     .is_symmetric = true},
    flat_algorithm<all_gather_phase>{.name = "circulant",
                                     .generate = circulant_all_gather,
                                     .rounds = detail::overlapping_log2,
                                     .steps = detail::steps_per_round<2, 1>,
                                     .is_symmetric = true},
    flat_algorithm<all_gather_phase>{.name = "pat",
                                     .generate = pat_all_gather,
                                     .rounds = detail::overlapping_log2,
                                     .steps = detail::steps_per_round<2, 1>,
                                     .is_symmetric = true},
    flat_algorithm<all_gather_phase>{.name = "bine_butterfly",
                                     .generate = bine_all_gather,
                                     .rounds = detail::bine_butterfly_rounds,
                                     .steps = detail::steps_per_round<2, 3>,
                                     .is_near_first = true},
    flat_algorithm<all_gather_phase>{.name = "in_network",
                                     .generate = in_network_all_gather,
                                     .rounds = detail::twice<detail::one_round>,
                                     .steps = detail::constant_steps,
                                     .is_symmetric = true,
                                     .needs_switch = true},
};

inline constexpr std::array all_reduce_algorithms{
    flat_algorithm<all_reduce_phase>{.name = "ring",
                                     .generate = reduce_scatter_all_gather<ring_reduce_scatter, ring_all_gather>,
                                     .rounds = detail::twice<detail::linear>,
                                     .steps = detail::steps_per_peer<4>,
                                     .is_symmetric = true},
    flat_algorithm<all_reduce_phase>{.name = "multi_ring",
                                     .generate = multi_ring_all_reduce,
                                     .rounds = detail::twice<detail::linear>,
                                     .steps = detail::steps_per_peer<8>,
                                     .is_symmetric = true},
    flat_algorithm<all_reduce_phase>{.name = "recursive_doubling",
                                     .generate = recursive_doubling_all_reduce,
                                     .rounds = detail::recursive_doubling_rounds,
                                     .steps = detail::steps_per_round<2, 3>,
                                     .keeps_order = true,
                                     .sums_canonically = detail::core_sums_canonically},
    flat_algorithm<all_reduce_phase>{.name = "bine_doubling",
                                     .generate = bine_doubling_all_reduce,
                                     .rounds = detail::bine_butterfly_rounds,
                                     .steps = detail::steps_per_round<2, 3>,
                                     .pairs_members = true,
                                     .sums_canonically = detail::bine_sums_canonically,
                                     .is_near_first = true},
    flat_algorithm<all_reduce_phase>{.name = "halving_doubling",
                                     .generate = halving_doubling_all_reduce,
                                     .rounds = detail::halving_doubling_rounds,
                                     .steps = detail::steps_per_round<4, 2>,
                                     .keeps_order = true,
                                     .sums_canonically = detail::core_sums_canonically},
    flat_algorithm<all_reduce_phase>{.name = "swing",
                                     .generate = swing_all_reduce,
                                     .rounds = detail::halving_doubling_rounds,
                                     .steps = detail::steps_per_round<4, 2>,
                                     .sums_canonically = detail::from_first_up_to<3>},
    flat_algorithm<all_reduce_phase>{
        .name = "circulant",
        .generate = reduce_scatter_all_gather<circulant_reduce_scatter, circulant_all_gather>,
        .rounds = detail::twice<detail::overlapping_log2>,
        .steps = detail::steps_per_round<4, 2>,
        .is_symmetric = true},
    flat_algorithm<all_reduce_phase>{.name = "pat",
                                     .generate = reduce_scatter_all_gather<pat_reduce_scatter, pat_all_gather>,
                                     .rounds = detail::twice<detail::overlapping_log2>,
                                     .steps = detail::steps_per_round<4, 2>,
                                     .is_symmetric = true},
    flat_algorithm<all_reduce_phase>{.name = "double_binary_tree",
                                     .generate = double_binary_tree_all_reduce,
                                     .rounds = detail::twice<detail::ceil_log2>,
                                     .serial = detail::double_tree_serial,
                                     .steps = detail::double_tree_steps},
    flat_algorithm<all_reduce_phase>{.name = "binomial",
                                     .generate = binomial_all_reduce,
                                     .rounds = detail::twice<detail::floor_log2>,
                                     .serial = detail::two_passes,
                                     .steps = detail::steps_per_round<2, 2>,
                                     .keeps_order = true,
                                     .sums_canonically = detail::always},
    flat_algorithm<all_reduce_phase>{.name = "linear",
                                     .generate = linear_all_reduce,
                                     .rounds = detail::twice<detail::one_round>,
                                     .serial = detail::two_passes,
                                     .steps = detail::steps_per_peer<4>,
                                     .keeps_order = true,
                                     .sums_canonically = detail::always},
    flat_algorithm<all_reduce_phase>{.name = "one_shot",
                                     .generate = one_shot_all_reduce,
                                     .rounds = detail::one_round,
                                     .steps = detail::steps_per_peer<3>,
                                     .keeps_order = true,
                                     .is_symmetric = true,
                                     .sums_canonically = detail::always},
    flat_algorithm<all_reduce_phase>{.name = "two_shot",
                                     .generate = reduce_scatter_all_gather<direct_reduce_scatter, direct_all_gather>,
                                     .rounds = detail::twice<detail::one_round>,
                                     .steps = detail::steps_per_peer<5>,
                                     .keeps_order = true,
                                     .is_symmetric = true,
                                     .pairs_members = true,
                                     .sums_canonically = detail::always},
    flat_algorithm<all_reduce_phase>{.name = "in_network",
                                     .generate = in_network_all_reduce,
                                     .rounds = detail::twice<detail::one_round>,
                                     .serial = detail::up_and_down,
                                     .steps = detail::constant_steps,
                                     .keeps_order = true,
                                     .is_symmetric = true,
                                     .sums_canonically = detail::always,
                                     .needs_switch = true},
};

inline constexpr std::array all_to_all_algorithms{
    flat_algorithm<all_to_all_phase>{.name = "pairwise",
                                     .generate = pairwise_all_to_all,
                                     .rounds = detail::one_round,
                                     .steps = detail::steps_per_peer<2>,
                                     .works_with_private_counts = true},
    // Sizes that only their owners know travel the same way first.
    flat_algorithm<all_to_all_phase>{.name = "bruck",
                                     .generate = bruck_all_to_all<2>,
                                     .rounds = detail::bruck_rounds<2>,
                                     .steps = detail::bruck_steps<2>,
                                     .works_with_private_counts = true},
    flat_algorithm<all_to_all_phase>{.name = "bruck_4",
                                     .generate = bruck_all_to_all<4>,
                                     .rounds = detail::bruck_rounds<4>,
                                     .steps = detail::bruck_steps<4>,
                                     .works_with_private_counts = true},
    flat_algorithm<all_to_all_phase>{.name = "bruck_8",
                                     .generate = bruck_all_to_all<8>,
                                     .rounds = detail::bruck_rounds<8>,
                                     .steps = detail::bruck_steps<8>,
                                     .works_with_private_counts = true},
    flat_algorithm<all_to_all_phase>{.name = "bruck_sqrt",
                                     .generate = bruck_sqrt_all_to_all,
                                     .rounds = detail::bruck_sqrt_rounds,
                                     .steps = detail::bruck_sqrt_steps,
                                     .works_with_private_counts = true},
};

inline constexpr std::array broadcast_algorithms{
    flat_algorithm<rooted_phase>{.name = "binomial",
                                 .generate = binomial_broadcast,
                                 .rounds = detail::floor_log2,
                                 .steps = detail::steps_per_round<1, 1>,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "linear",
                                 .generate = linear_broadcast,
                                 .rounds = detail::one_round,
                                 .steps = detail::steps_per_peer<1>,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "scatter_all_gather",
                                 .generate = scatter_all_gather_broadcast,
                                 .rounds = detail::both<detail::floor_log2, detail::overlapping_log2>,
                                 .serial = detail::two_passes,
                                 .steps = detail::steps_per_round<3, 1>},
    flat_algorithm<rooted_phase>{.name = "chain",
                                 .generate = chain_broadcast,
                                 .rounds = detail::linear,
                                 .serial = detail::chain_serial,
                                 .steps = detail::constant_steps,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "bine",
                                 .generate = bine_broadcast,
                                 .rounds = detail::bine_rounds,
                                 .steps = detail::steps_per_round<1, 2>,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "n_block",
                                 .generate = n_block_broadcast,
                                 .rounds = detail::n_block_rounds_of,
                                 .steps = detail::n_block_steps},
    flat_algorithm<rooted_phase>{.name = "in_network",
                                 .generate = in_network_broadcast,
                                 .rounds = detail::twice<detail::one_round>,
                                 .serial = detail::up_and_down,
                                 .steps = detail::constant_steps,
                                 .hands_on = true,
                                 .needs_switch = true},
};

inline constexpr std::array reduce_algorithms{
    flat_algorithm<rooted_phase>{.name = "binomial",
                                 .generate = binomial_reduce,
                                 .rounds = detail::floor_log2,
                                 .steps = detail::steps_per_round<1, 1>,
                                 .sums_canonically = detail::from_first,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "binomial_ordered",
                                 .generate = binomial_ordered_reduce,
                                 .rounds = detail::ceil_log2,
                                 .steps = detail::steps_per_round<1, 2>,
                                 .keeps_order = true,
                                 .sums_canonically = detail::always,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "linear",
                                 .generate = linear_reduce,
                                 .rounds = detail::one_round,
                                 .steps = detail::steps_per_peer<2>,
                                 .keeps_order = true,
                                 .sums_canonically = detail::always,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "reduce_scatter_gather",
                                 .generate = reduce_scatter_gather_reduce,
                                 .rounds = detail::both<detail::floor_log2, detail::overlapping_log2>,
                                 .steps = detail::steps_per_round<3, 1>},
    flat_algorithm<rooted_phase>{.name = "chain",
                                 .generate = chain_reduce,
                                 .rounds = detail::linear,
                                 .serial = detail::chain_serial,
                                 .steps = detail::constant_steps,
                                 .sums_canonically = detail::from_first_up_to<2>,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "bine",
                                 .generate = bine_reduce,
                                 .rounds = detail::bine_rounds,
                                 .steps = detail::steps_per_round<1, 2>,
                                 .sums_canonically = detail::from_first_up_to<3>,
                                 .hands_on = true},
    flat_algorithm<rooted_phase>{.name = "n_block",
                                 .generate = n_block_reduce,
                                 .rounds = detail::n_block_rounds_of,
                                 .steps = detail::n_block_steps,
                                 .sums_canonically = detail::from_first_up_to<2>},
    flat_algorithm<rooted_phase>{.name = "in_network",
                                 .generate = in_network_reduce,
                                 .rounds = detail::twice<detail::one_round>,
                                 .serial = detail::up_and_down,
                                 .steps = detail::constant_steps,
                                 .keeps_order = true,
                                 .sums_canonically = detail::always,
                                 .hands_on = true,
                                 .needs_switch = true},
};

inline constexpr std::array gather_algorithms{
    flat_algorithm<gather_phase>{.name = "binomial",
                                 .generate = binomial_gather,
                                 .rounds = detail::floor_log2,
                                 .steps = detail::steps_per_round<1, 1>,
                                 .hands_on = true},
    flat_algorithm<gather_phase>{.name = "linear",
                                 .generate = linear_gather,
                                 .rounds = detail::one_round,
                                 .steps = detail::steps_per_peer<1>,
                                 .hands_on = true,
                                 .works_with_private_counts = true},
};

inline constexpr std::array scatter_algorithms{
    flat_algorithm<scatter_phase>{.name = "binomial",
                                  .generate = binomial_scatter,
                                  .rounds = detail::floor_log2,
                                  .steps = detail::steps_per_round<1, 1>,
                                  .hands_on = true},
    flat_algorithm<scatter_phase>{.name = "linear",
                                  .generate = linear_scatter,
                                  .rounds = detail::one_round,
                                  .steps = detail::steps_per_peer<1>,
                                  .hands_on = true,
                                  .works_with_private_counts = true},
};

/// A barrier is an all-reduce of a token; contributions may meet twice.
inline constexpr std::array barrier_algorithms{
    flat_algorithm<all_reduce_phase>{.name = "dissemination",
                                     .generate = dissemination_barrier,
                                     .rounds = detail::ceil_log2,
                                     .steps = detail::steps_per_round<2, 1>,
                                     .keeps_order = true},
    flat_algorithm<all_reduce_phase>{.name = "tree",
                                     .generate = binomial_all_reduce,
                                     .rounds = detail::twice<detail::floor_log2>,
                                     .steps = detail::steps_per_round<2, 2>,
                                     .keeps_order = true},
    flat_algorithm<all_reduce_phase>{.name = "linear",
                                     .generate = linear_all_reduce,
                                     .rounds = detail::twice<detail::one_round>,
                                     .steps = detail::steps_per_peer<4>,
                                     .keeps_order = true},
};

}  // namespace hawser::algorithm
