// Every registered algorithm on real data: every rank count up to 24, roots, counts that nothing divides, in place or
// not, and non-commutative operators where the algorithm promises their order.
#include <set>
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

constexpr std::int64_t largest = 24;

void check(const topology::hierarchy& tree, collective what, const std::string& name, operation op, std::int64_t count,
           std::int64_t root) {
  for (const bool in_place : {false, true}) {
    if (what == collective::barrier && in_place) continue;
    collective_run run{{}, op, tree, name};
    run.what.what = what;
    run.what.count = count;
    run.what.root = static_cast<std::int32_t>(root);
    run.what.in_place = in_place;
    run.what.is_commutative = op != operation::compose;
    run.what.has_ragged_blocks = what == collective::all_to_all_v;
    try {
      run.check(static_cast<std::uint64_t>(count * 31 + root));
    } catch (const std::exception& problem) {
      ADD_FAILURE() << run.describe() << ": " << problem.what();
    }
  }
}

/// Elements per block. Many ranks take most of the time: fewer counts there.
std::set<std::int64_t> counts(std::int64_t n) {
  if (n > 12) return {n - 1, 17};
  return {0, 1, 2, n - 1, n, 17, 1000};
}

template <class Algorithms>
void check_flat(collective what, const Algorithms& algorithms) {
  for (std::int64_t n = 1; n <= largest && !testing::Test::HasFailure(); ++n) {
    const topology::hierarchy tree = topology::parse_synthetic("gpu:" + std::to_string(n) + "+reduces");
    for (const auto& each : algorithms) {
      const operation op = what == collective::barrier ? operation::unite
                           : each.keeps_order          ? operation::compose
                                                       : operation::sum;
      for (std::int64_t count : counts(n))
        for (std::int64_t root : std::set<std::int64_t>{0, has_root(what) ? n / 2 : 0, has_root(what) ? n - 1 : 0})
          check(tree, what, std::string(each.name), op, count, root);
      for (std::int64_t root = 1; has_root(what) && root < n; ++root)
        check(tree, what, std::string(each.name), op, 19, root);
    }
  }
}

TEST(numeric, all_reduce) {
  check_flat(collective::all_reduce, algorithm::all_reduce_algorithms);
}
TEST(numeric, reduce_scatter) {
  check_flat(collective::reduce_scatter, algorithm::reduce_scatter_algorithms);
}
TEST(numeric, all_gather) {
  check_flat(collective::all_gather, algorithm::all_gather_algorithms);
}
TEST(numeric, all_to_all) {
  check_flat(collective::all_to_all, algorithm::all_to_all_algorithms);
}
TEST(numeric, all_to_all_v) {
  check_flat(collective::all_to_all_v, algorithm::all_to_all_algorithms);
}
TEST(numeric, broadcast) {
  check_flat(collective::broadcast, algorithm::broadcast_algorithms);
}
TEST(numeric, reduce) {
  check_flat(collective::reduce, algorithm::reduce_algorithms);
}
TEST(numeric, gather) {
  check_flat(collective::gather, algorithm::gather_algorithms);
}
TEST(numeric, scatter) {
  check_flat(collective::scatter, algorithm::scatter_algorithms);
}
TEST(numeric, barrier) {
  check_flat(collective::barrier, algorithm::barrier_algorithms);
}

/// Calls f("hierarchical(a,b,...)", whether all keep the order) for every choice per level, the innermost from `inner`.
template <class Inner, class Outer, class F>
void each_hierarchical(std::size_t levels, const Inner& inner, const Outer& outer, F&& f,
                       const std::string& prefix = {}, bool in_order = true) {
  if (levels == 1) {
    for (const auto& each : outer)
      f("hierarchical(" + prefix + std::string(each.name) + ")", in_order && each.keeps_order);
    return;
  }
  for (const auto& each : inner)
    each_hierarchical(levels - 1, inner, outer, f, prefix + std::string(each.name) + ",", in_order && each.keeps_order);
}

// All switches can reduce, so that every registered name fits every level.
const std::vector<std::string> ragged{"rack:3+reduces gpu:5+reduces",
                                      "rack:3+reduces gpu:[3,2,4]+reduces",
                                      "rack:2+reduces gpu:[1,4]+reduces",
                                      "rack:3+reduces gpu:[8,8,5]+reduces",
                                      "pod:2+reduces rack:3+reduces gpu:2+reduces",
                                      "pod:2+reduces rack:[2,1]+reduces gpu:[3,2,4]+reduces",
                                      "rack:4+reduces gpu:1+reduces",
                                      "rack:1+reduces gpu:4+reduces"};

template <class Inner, class Outer>
void check_hierarchical(collective what, const Inner& inner, const Outer& outer) {
  for (const std::string& text : ragged) {
    const topology::hierarchy tree = topology::parse_synthetic(text);
    const std::int64_t n = tree.size();
    each_hierarchical(algorithm::active_levels(tree).size(), inner, outer, [&](const std::string& name, bool in_order) {
      SCOPED_TRACE(text);
      for (const operation op : {operation::sum, operation::compose}) {
        if (op == operation::compose && !(in_order && reduces(what))) continue;
        for (std::int64_t count : {1, 17})
          for (std::int64_t root : std::set<std::int64_t>{0, has_root(what) ? n / 2 : 0, has_root(what) ? n - 1 : 0})
            check(tree, what, name, op, count, root);
      }
    });
  }
}

TEST(numeric, hierarchical_all_reduce) {
  check_hierarchical(collective::all_reduce, algorithm::reduce_scatter_algorithms, algorithm::all_reduce_algorithms);
}
TEST(numeric, hierarchical_reduce_scatter) {
  check_hierarchical(collective::reduce_scatter, algorithm::reduce_scatter_algorithms,
                     algorithm::reduce_scatter_algorithms);
}
TEST(numeric, hierarchical_all_gather) {
  check_hierarchical(collective::all_gather, algorithm::all_gather_algorithms, algorithm::all_gather_algorithms);
}
TEST(numeric, hierarchical_all_to_all) {
  const std::array pairwise{algorithm::all_to_all_algorithms[0]};
  check_hierarchical(collective::all_to_all, pairwise, pairwise);
  check_hierarchical(collective::all_to_all_v, pairwise, pairwise);
  for (const char* text : {"pod:2 rack:3 gpu:2", "pod:2 rack:[2,1] gpu:[3,2,4]"})  // two phases over three levels
    for (collective what : {collective::all_to_all, collective::all_to_all_v})
      check(topology::parse_synthetic(text), what, "hierarchical(pairwise,pairwise)", operation::sum, 17, 0);
}
TEST(numeric, hierarchical_broadcast) {
  check_hierarchical(collective::broadcast, algorithm::broadcast_algorithms, algorithm::broadcast_algorithms);
}
TEST(numeric, hierarchical_reduce) {
  const std::array some{algorithm::reduce_algorithms[0], algorithm::reduce_algorithms[2]};
  check_hierarchical(collective::reduce, some, algorithm::reduce_algorithms);
}

}  // namespace
