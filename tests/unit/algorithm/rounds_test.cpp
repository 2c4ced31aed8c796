// What the registry promises of each algorithm, counted in its schedules: the longest chain of dependent messages, the
// bound on steps, and the bytes sent where docs/algorithms.md calls an algorithm bandwidth-optimal.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/algorithm/registry.hpp>
#include <hawser/topology/synthetic.hpp>
#include <support/collective_run.hpp>

namespace {

using hawser::schedule::collective;
using hawser::test::collective_run;
using hawser::test::operation;
namespace algorithm = hawser::algorithm;
namespace topology = hawser::topology;

constexpr std::int64_t largest = 33;

struct measured {
  std::int64_t chain = 0, steps = 0;
  std::int64_t most_sent = 0, all_sent = 0;  ///< elements
};

/// The largest of each figure over ranks and roots.
measured measure(collective what, const std::string& name, std::int64_t n, std::int64_t count = 0) {
  const topology::hierarchy tree = topology::parse_synthetic("gpu:" + std::to_string(n) + "+reduces");
  measured most;
  for (std::int64_t root = 0; root < (has_root(what) ? n : 1); ++root) {
    collective_run run{{}, what == collective::barrier ? operation::unite : operation::sum, tree, name};
    run.what.what = what;
    run.what.count = count > 0 ? count : n;
    run.what.root = static_cast<std::int32_t>(root);
    const auto machine = run.check(static_cast<std::uint64_t>(n));
    most.chain = std::max(most.chain, machine.longest_chain());
    std::int64_t sent = 0;
    for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r) {
      most.steps = std::max(most.steps, static_cast<std::int64_t>(machine.steps(r)));
      most.most_sent = std::max(most.most_sent, machine.elements_sent(r));
      sent += machine.elements_sent(r);
    }
    most.all_sent = std::max(most.all_sent, sent);
  }
  return most;
}

template <class Algorithms>
void check_promises(collective what, const Algorithms& algorithms) {
  for (const auto& each : algorithms)
    for (std::int64_t n = 1; n <= largest; ++n) {
      const measured found = measure(what, std::string(each.name), n);
      EXPECT_EQ(found.chain, each.rounds(n)) << to_string(what) << " " << each.name << " of " << n;
      EXPECT_LE(found.steps, each.steps(n)) << to_string(what) << " " << each.name << " of " << n;
    }
}

TEST(promises, all_reduce) {
  check_promises(collective::all_reduce, algorithm::all_reduce_algorithms);
}
TEST(promises, reduce_scatter) {
  check_promises(collective::reduce_scatter, algorithm::reduce_scatter_algorithms);
}
TEST(promises, all_gather) {
  check_promises(collective::all_gather, algorithm::all_gather_algorithms);
}
TEST(promises, all_to_all) {
  check_promises(collective::all_to_all, algorithm::all_to_all_algorithms);
}
TEST(promises, broadcast) {
  check_promises(collective::broadcast, algorithm::broadcast_algorithms);
}
TEST(promises, reduce) {
  check_promises(collective::reduce, algorithm::reduce_algorithms);
}
TEST(promises, gather) {
  check_promises(collective::gather, algorithm::gather_algorithms);
}
TEST(promises, scatter) {
  check_promises(collective::scatter, algorithm::scatter_algorithms);
}
TEST(promises, barrier) {
  check_promises(collective::barrier, algorithm::barrier_algorithms);
}

// One block (the vector of an all-reduce, a rank's block of a reduce-scatter) has n elements where nothing else is
// said.

TEST(bytes, reduce_scatter_and_all_gather_send_n_minus_1_blocks) {
  for (std::int64_t n = 1; n <= largest; ++n) {
    const auto check = [n](collective what, const auto& tried) {
      if (tried.needs_switch) return;
      const std::string_view name = tried.name;
      const std::int64_t most = measure(what, std::string(name), n).most_sent;
      // A butterfly of another number has members that are paired up, and move all blocks once more.
      if (name == "bine_butterfly" && !algorithm::detail::is_power_of_two(n))
        EXPECT_LE(most, n * (2 * n + algorithm::detail::ceil_log2(n))) << name;
      else
        EXPECT_EQ(most, n * (n - 1)) << name;
    };
    for (const auto& each : algorithm::reduce_scatter_algorithms) check(collective::reduce_scatter, each);
    for (const auto& each : algorithm::all_gather_algorithms) check(collective::all_gather, each);
  }
}

TEST(bytes, all_reduce) {
  for (std::int64_t n = 1; n <= largest; ++n) {
    for (const char* optimal : {"ring", "circulant", "pat", "two_shot"})
      EXPECT_EQ(measure(collective::all_reduce, optimal, n).most_sent, 2 * (n - 1)) << optimal;
    EXPECT_EQ(measure(collective::all_reduce, "multi_ring", n, 2 * n).most_sent, 2 * 2 * (n - 1));
    EXPECT_EQ(measure(collective::all_reduce, "one_shot", n).most_sent, n * (n - 1));
    // Inner in one tree (to its parent and two children), leaf in the other (to its parent): 2 vectors.
    EXPECT_LE(measure(collective::all_reduce, "double_binary_tree", n, 2 * n).most_sent, 2 * (2 * n));
    if (!algorithm::detail::is_power_of_two(n)) continue;
    for (const char* optimal : {"halving_doubling", "swing"})
      EXPECT_EQ(measure(collective::all_reduce, optimal, n).most_sent, 2 * (n - 1)) << optimal;
    for (const char* whole : {"recursive_doubling", "bine_doubling"})
      EXPECT_EQ(measure(collective::all_reduce, whole, n).most_sent, n * algorithm::detail::floor_log2(n)) << whole;
  }
}

TEST(bytes, in_network_sends_what_each_member_has_once) {
  for (std::int64_t n = 2; n <= largest; ++n) {
    EXPECT_EQ(measure(collective::all_reduce, "in_network", n).most_sent, n);
    EXPECT_EQ(measure(collective::reduce_scatter, "in_network", n).most_sent, n * n);
    EXPECT_EQ(measure(collective::all_gather, "in_network", n).most_sent, n);
    EXPECT_EQ(measure(collective::broadcast, "in_network", n).all_sent, n);
    EXPECT_EQ(measure(collective::reduce, "in_network", n).most_sent, n);
  }
}

TEST(bytes, double_binary_tree_moves_each_half_up_and_down_once) {
  for (std::int64_t n = 1; n <= largest; ++n)
    EXPECT_EQ(measure(collective::all_reduce, "double_binary_tree", n).all_sent, 2 * n * (n - 1));
}

TEST(bytes, all_to_all) {
  for (std::int64_t n = 1; n <= largest; ++n) {
    EXPECT_EQ(measure(collective::all_to_all, "pairwise", n).most_sent, n * (n - 1));
    const std::pair<const char*, std::int64_t> radices[] = {
        {"bruck", 2}, {"bruck_4", 4}, {"bruck_8", 8}, {"bruck_sqrt", algorithm::detail::square_root(n)}};
    for (const auto& [name, radix] : radices) {
      std::int64_t hops = 0;  // a block travels once per digit of its distance that is not 0
      for (std::int64_t distance = 1; distance < n; ++distance)
        for (std::int64_t rest = distance; rest > 0; rest /= radix) hops += rest % radix != 0;
      EXPECT_EQ(measure(collective::all_to_all, name, n).most_sent, n * hops) << name << " of " << n;
    }
  }
}

TEST(bytes, rooted) {
  for (std::int64_t n = 1; n <= largest; ++n) {
    // Every member but the root receives (sends) the data once.
    for (const char* once : {"binomial", "linear", "chain", "n_block", "bine"}) {
      EXPECT_EQ(measure(collective::broadcast, once, n).all_sent, n * (n - 1)) << once;
      EXPECT_EQ(measure(collective::reduce, once, n).all_sent, n * (n - 1)) << once;
    }
    EXPECT_LE(measure(collective::broadcast, "chain", n).most_sent, n);
    EXPECT_LT(measure(collective::broadcast, "scatter_all_gather", n).most_sent, 2 * n);
    EXPECT_LT(measure(collective::reduce, "reduce_scatter_gather", n).most_sent, 2 * n);
    EXPECT_EQ(measure(collective::gather, "linear", n).all_sent, n * (n - 1));
    EXPECT_EQ(measure(collective::scatter, "linear", n).all_sent, n * (n - 1));
  }
}

}  // namespace
