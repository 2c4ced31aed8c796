// Trees that are packed by symmetry: how near they come to the bottleneck, what every link then carries, and that what
// runs along them is right; regular machines of up to 1,024 GPUs, and the same with something broken.
#include <hawser/algorithm/pack_symmetric.hpp>
#include <hawser/algorithm/packed_trees.hpp>
#include <hawser/schedule/verify_sampled.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <random>

#include <support/capacity_graphs.hpp>

#include "../schedule/mutants.hpp"

namespace {

using namespace hawser;
using algorithm::capacity_graph;
using schedule::tree_packing;
using test::switched_boxes;

/// The same with a switch for each rail.
capacity_graph railed_boxes(int boxes, int gpus, std::int64_t inside, std::int64_t across) {
  capacity_graph graph(boxes * gpus, boxes + gpus);
  for (int r = 0; r < boxes * gpus; ++r) {
    graph.join(r, graph.ranks() + r / gpus, inside);
    graph.join(r, graph.ranks() + boxes + r % gpus, across);
  }
  return graph;
}

capacity_graph torus(int rows, int columns) {
  capacity_graph graph(rows * columns, 0);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      graph.join(i * columns + j, i * columns + (j + 1) % columns, 1);
      graph.join(i * columns + j, (i + 1) % rows * columns + j, 1);
    }
  return graph;
}

/// DGX-1 meshes, each GPU with a NIC on one switch.
capacity_graph meshed_boxes(int boxes, std::int64_t nvlink, std::int64_t across) {
  capacity_graph graph(8 * boxes, 1);
  const int doubled[][2] = {{0, 3}, {0, 4}, {1, 2}, {1, 5}, {2, 3}, {4, 7}, {5, 6}, {6, 7}};
  const int single[][2] = {{0, 1}, {0, 2}, {1, 3}, {2, 6}, {3, 7}, {4, 5}, {4, 6}, {5, 7}};
  for (int box = 0; box < boxes; ++box) {
    for (const auto& [a, b] : doubled) graph.join(8 * box + a, 8 * box + b, 2 * nvlink);
    for (const auto& [a, b] : single) graph.join(8 * box + a, 8 * box + b, nvlink);
    for (int i = 0; i < 8; ++i) graph.join(8 * box + i, graph.ranks(), across);
  }
  return graph;
}

double bound_of(const capacity_graph& graph) {
  const auto roots = algorithm::detail::representatives_of(algorithm::find_symmetry(graph).rotations);
  const algorithm::bottleneck limit = algorithm::find_bottleneck(graph, roots);
  return static_cast<double>(limit.capacity) / static_cast<double>(limit.blocks);
}

/// Calls f(parent, child, share of a block) for every edge of every tree, those included that rotations make.
template <class F>
void each_edge(const tree_packing& packing, F&& f) {
  for (const auto& tree : packing.trees) {
    const int copies = packing.alike.moves(tree.root) ? packing.alike.size() : 1;
    for (int i = 0; i < copies; ++i)
      for (const auto& [parent, child] : tree.edges)
        f(packing.alike.moved(parent, i), packing.alike.moved(child, i),
          static_cast<double>(tree.parts) / static_cast<double>(packing.parts));
  }
}

/// No link between two ranks carries more than it can; of a network without switches.
void expect_links_suffice(const capacity_graph& graph, const tree_packing& packing) {
  std::vector<double> load(static_cast<std::size_t>(graph.ranks()) * static_cast<std::size_t>(graph.ranks()), 0);
  const auto at = [&](int a, int b) -> double& { return load[static_cast<std::size_t>(a * graph.ranks() + b)]; };
  each_edge(packing, [&](int parent, int child, double blocks) { at(parent, child) += blocks; });
  for (int a = 0; a < graph.ranks(); ++a)
    for (int b = 0; b < graph.ranks(); ++b)
      ASSERT_LE(at(a, b) * packing.bytes_per_second, static_cast<double>(graph.at(a, b)) * (1 + 1e-9)) << a << ">" << b;
}

/// The same of boxes: each rank's link into its box, and its NIC. `nic(rank)`: the NIC's capacity. What stays in a box
/// may take the NICs as well.
template <class Nic>
void expect_boxes_suffice(const tree_packing& packing, int gpus, double inside, Nic&& nic) {
  const auto n = static_cast<std::size_t>(packing.ranks);
  std::vector<double> out[2]{std::vector<double>(n), std::vector<double>(n)}, in[2]{out[0], out[0]};
  each_edge(packing, [&](int parent, int child, double blocks) {
    const int crosses = parent / gpus != child / gpus;
    out[crosses][static_cast<std::size_t>(parent)] += blocks;
    in[crosses][static_cast<std::size_t>(child)] += blocks;
  });
  for (std::size_t r = 0; r < n; ++r) {
    const double across = nic(static_cast<int>(r));
    for (const auto* moved : {out, in}) {
      ASSERT_LE(moved[1][r] * packing.bytes_per_second, across * (1 + 1e-9)) << r;
      ASSERT_LE((moved[0][r] + moved[1][r]) * packing.bytes_per_second, (inside + across) * (1 + 1e-9)) << r;
    }
  }
}

constexpr schedule::collective served[] = {schedule::collective::all_gather, schedule::collective::reduce_scatter,
                                           schedule::collective::all_reduce};

void expect_verified(const tree_packing& packing) {
  for (const auto what : served)
    for (const bool in_place : {false, true}) {
      schedule::request call;
      call.what = what;
      call.in_place = in_place;
      const auto found = schedule::verify(
          call, packing.ranks,
          [&](rank r) { return schedule::derive_dependences(algorithm::generate_packed(packing, call, r)); },
          {.max_violations = 1});
      EXPECT_TRUE(found.empty()) << to_string(what) << ": " << to_string(found.front());
    }
}

struct timed {
  tree_packing packing;
  double seconds = 0;
};
timed pack(const char* name, const capacity_graph& graph) {
  const auto start = std::chrono::steady_clock::now();
  timed made{algorithm::pack_symmetric(graph, 1), 0};
  made.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s: %d ranks, %d alike, %zu trees of %lld parts, %.4g of the bound, %.2f s\n", name, graph.ranks(),
              made.packing.alike.size(), made.packing.trees.size(), static_cast<long long>(made.packing.parts),
              made.packing.bytes_per_second / bound_of(graph), made.seconds);
  return made;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int scale = 8;  // the same code, ten times slower
#else
constexpr int scale = 1;
#endif
constexpr double most_seconds = 10;  // issue 4

TEST(pack_symmetric, a_thousand_gpus_in_boxes) {
  const capacity_graph graph = switched_boxes(128 / scale, 8, 300, 25);
  const auto [packing, seconds] = pack("boxes", graph);
  EXPECT_LE(seconds, most_seconds);
  EXPECT_NEAR(packing.bytes_per_second, bound_of(graph), 1e-9 * bound_of(graph));
  EXPECT_NEAR(packing.bytes_per_second, 200.0 / (graph.ranks() - 8), 1e-9);
  EXPECT_EQ(packing.alike.size(), graph.ranks());
  expect_boxes_suffice(packing, 8, 300, [](int) { return 25.0; });
  EXPECT_EQ(schedule::parse_tree_packing(to_string(packing)), packing);
}

TEST(pack_symmetric, a_thousand_gpus_with_a_broken_nic) {
  capacity_graph graph = switched_boxes(128 / scale, 8, 300, 25);
  const int broken = graph.ranks() / 2 + 3, fabric = graph.nodes() - 1;
  graph.join(broken, fabric, -25);
  const auto [packing, seconds] = pack("boxes, one NIC broken", graph);
  EXPECT_LE(seconds, most_seconds);
  EXPECT_NEAR(packing.bytes_per_second, 175.0 / (graph.ranks() - 8), 1e-9);  // into that box over seven NICs
  expect_boxes_suffice(packing, 8, 300, [&](int r) { return r == broken ? 0.0 : 25.0; });
  EXPECT_EQ(schedule::parse_tree_packing(to_string(packing)), packing);
}

TEST(pack_symmetric, rails_and_a_degraded_rail) {
  capacity_graph graph = railed_boxes(32 / scale, 8, 300, 25);
  const auto whole = pack("rails", graph);
  EXPECT_NEAR(whole.packing.bytes_per_second, bound_of(graph), 1e-9 * bound_of(graph));
  expect_boxes_suffice(whole.packing, 8, 300, [](int) { return 25.0; });
  graph.join(11, graph.nodes() - 8 + 3, -20);
  const auto broken = pack("rails, one NIC at 5", graph);
  EXPECT_GE(broken.packing.bytes_per_second, 0.98 * bound_of(graph));
  EXPECT_EQ(broken.packing.alike.size(), 32 / scale - 1);
  expect_boxes_suffice(broken.packing, 8, 300, [&](int r) { return r == 11 ? 5.0 : 25.0; });
}

TEST(pack_symmetric, tori_of_direct_links) {
  for (const auto& [rows, columns] : {std::pair(32 / scale, 32 / scale), std::pair(8, 12), std::pair(1, 64)}) {
    const capacity_graph graph = torus(rows, columns);
    const auto made = pack("torus", graph);
    EXPECT_LE(made.seconds, most_seconds);
    EXPECT_NEAR(made.packing.bytes_per_second, bound_of(graph), 1e-9);
    expect_links_suffice(graph, made.packing);
  }
}

TEST(pack_symmetric, meshes_of_eight) {
  const capacity_graph graph = meshed_boxes(128 / scale, 25, 12);
  const auto [packing, seconds] = pack("DGX-1 boxes", graph);
  EXPECT_LE(seconds, most_seconds);
  EXPECT_GE(packing.bytes_per_second, 0.98 * bound_of(graph));
  EXPECT_EQ(packing.alike.size() % (128 / scale), 0);
}

TEST(pack_symmetric, reaches_what_the_exact_packing_reaches) {
  for (const capacity_graph& graph : {switched_boxes(2, 8, 300, 25), switched_boxes(4, 4, 300, 25), torus(4, 4),
                                      railed_boxes(3, 4, 100, 50), meshed_boxes(2, 25, 25)}) {
    const tree_packing packing = pack("small", graph).packing;
    EXPECT_NEAR(packing.bytes_per_second, algorithm::pack_trees(graph, 1).bytes_per_second, 1e-9);
    expect_verified(packing);
  }
}

TEST(pack_symmetric, what_runs_along_them_is_right) {
  capacity_graph broken = switched_boxes(6, 8, 300, 25);
  broken.join(17, 48 + 6, -25);
  expect_verified(pack("48 ranks, one NIC broken", broken).packing);
  expect_verified(pack("64 ranks", railed_boxes(8, 8, 300, 25)).packing);
}

TEST(pack_symmetric, samples_of_256_ranks_are_right) {
  capacity_graph graph = switched_boxes(32 / scale, 8, 300, 25);
  graph.join(3, graph.nodes() - 1, -25);
  const tree_packing packing = algorithm::pack_symmetric(graph, 1);
  for (const auto what : served) {
    schedule::request call;
    call.what = what;
    const auto report = schedule::verify_sampled(
        call, packing.ranks,
        [&](rank r) { return schedule::derive_dependences(algorithm::generate_packed(packing, call, r)); },
        {.seed = 20261130, .ranks = {0, 3}, .drawn_ranks = 1, .traced_points = 2, .generated_programs = 300});
    EXPECT_TRUE(report.found.empty()) << to_string(what) << ": " << to_string(report.found.front());
    EXPECT_GT(report.matched_messages, 0);
    EXPECT_EQ(report.unfinished_traces, 0);
  }
}

/// Every step of every rank left out or changed is seen by the verifier, or changes nothing.
TEST(pack_symmetric, broken_steps_are_caught) {
  capacity_graph odd = switched_boxes(2, 3, 30, 10);
  odd.join(4, odd.nodes() - 1, -10);
  for (const capacity_graph& graph : {switched_boxes(2, 2, 30, 10), odd}) {
    const tree_packing packing = algorithm::pack_symmetric(graph, 1);
    int made = 0, equivalent = 0;
    for (const auto what : served) {
      schedule::request call;
      call.what = what;
      tests::schedules right;
      for (int r = 0; r < packing.ranks; ++r) right.push_back(algorithm::generate_packed(packing, call, r));
      const tests::oracle runs(call, packing.ranks);
      ASSERT_TRUE(runs.is_right(right)) << to_string(what);
      for (const tests::mutation how : tests::all_mutations)
        for (int r = 0; r < packing.ranks; ++r)
          tests::each_mutant(right[static_cast<std::size_t>(r)], how, packing.ranks,
                             [&](const schedule::schedule& mutant, const std::string& change) {
                               ++made;
                               tests::schedules all = right;
                               all[static_cast<std::size_t>(r)] = mutant;
                               const auto program_of = [&](rank each) {
                                 return schedule::derive_dependences(all[static_cast<std::size_t>(each.value)]);
                               };
                               if (!schedule::verify(call, packing.ranks, program_of, {.max_violations = 1}).empty())
                                 return;
                               ++equivalent;
                               EXPECT_TRUE(runs.is_right(all)) << to_string(what) << ": not caught: " << change;
                             });
    }
    std::printf("%d mutants, %d of them equivalent\n", made, equivalent);
    EXPECT_LT(equivalent, made / 4);
  }
}

TEST(pack_symmetric, random_networks_stay_below_the_bound_and_within_their_links) {
  const unsigned seed = 20261130;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  double worst = 1, sum = 0;
  constexpr int trials = 100;
  for (int trial = 0; trial < trials; ++trial) {
    const int ranks = 2 + static_cast<int>(random() % 9);
    capacity_graph graph(ranks, 0);
    for (int a = 1; a < ranks; ++a)
      graph.join(a, static_cast<int>(random() % static_cast<unsigned>(a)), 1 + random() % 9);
    for (unsigned more = random() % 12; more > 0; --more) {
      const int a = static_cast<int>(random() % static_cast<unsigned>(ranks));
      const int b = static_cast<int>(random() % static_cast<unsigned>(ranks));
      if (a != b) graph.join(a, b, 1 + random() % 9);
    }
    const tree_packing packing = algorithm::pack_symmetric(graph, 1);
    const double share = packing.bytes_per_second / bound_of(graph);
    EXPECT_LE(share, 1 + 1e-9) << "trial " << trial;
    worst = std::min(worst, share), sum += share / trials;
    expect_links_suffice(graph, packing);
    expect_verified(packing);
  }
  std::printf("of the bound: %.3f on average, %.3f at worst\n", sum, worst);
  EXPECT_GE(sum, 0.9);
}

TEST(pack_symmetric, symmetries_are_what_the_network_has) {
  const auto turns = [](const capacity_graph& graph) { return algorithm::find_symmetry(graph).rotations; };
  EXPECT_EQ(turns(torus(4, 6)).digits, (std::vector<schedule::rotation>{{24, 6}, {6, 1}}));
  EXPECT_EQ(turns(switched_boxes(3, 4, 2, 1)).size(), 12);
  capacity_graph path = torus(1, 8);
  path.join(3, 4, -1);
  EXPECT_EQ(turns(path).size(), 1);  // what is left is its mirror image, no rotation
  capacity_graph one_slower = switched_boxes(3, 4, 2, 2);
  one_slower.join(5, 12 + 3, -1);
  const auto left = turns(one_slower);
  EXPECT_EQ(left.size(), 8);  // two boxes of four
  EXPECT_EQ(left.fixed, (std::vector<int>{4, 5, 6, 7}));
  for (int element = 1; element < left.size(); ++element)
    for (int r = 0; r < left.ranks; ++r) {
      EXPECT_EQ(left.moved_back(left.moved(r, element), element), r);
      EXPECT_EQ(left.moved(r, element) == r, r >= 4 && r < 8);
    }
}

TEST(pack_symmetric, what_cannot_be_packed_is_said) {
  capacity_graph irregular(algorithm::most_unlike_ranks + 1, 0);
  for (int r = 1; r < irregular.ranks(); ++r) irregular.join(r - 1, r, r);
  EXPECT_THROW((void)algorithm::pack_symmetric(irregular, 1), error);
  EXPECT_THROW((void)algorithm::pack_symmetric(capacity_graph(4, 0), 1), error);
  for (const char* text :
       {"hawser.tree_packing/1 2 1 5\nalike 3/1\n0 1 0>1\n", "hawser.tree_packing/1 2 1 5\nalike x\n0 1 0>1\n",
        "hawser.tree_packing/1 2 1 5\nalike 2/1 1\n0 1 0>1\n",
        "hawser.tree_packing/1 4 1 5\nalike 4/3\n0 1 0>1 1>2 2>3\n"})
    EXPECT_THROW((void)schedule::parse_tree_packing(text), error) << text;
  EXPECT_EQ(schedule::parse_tree_packing("hawser.tree_packing/1 2 1 5\nalike 2/1\n0 1 0>1\n").alike.size(), 2);
}

}  // namespace
