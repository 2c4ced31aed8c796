// Packed trees reach the bottleneck of regular, odd and broken networks, and what runs along them is proved right.
#include <hawser/algorithm/pack_trees.hpp>
#include <hawser/algorithm/packed_trees.hpp>
#include <hawser/schedule/verify.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <random>

#include <support/capacity_graphs.hpp>

namespace {

using namespace hawser;
using algorithm::capacity_graph;
using schedule::tree_packing;
using test::dgx1;
using test::switched_boxes;

capacity_graph ring(int n, std::int64_t capacity) {
  capacity_graph graph(n, 0);
  for (int r = 0; r < n; ++r) graph.join(r, (r + 1) % n, capacity);
  return graph;
}

/// Brute force over all cuts: the largest ranks inside / capacity out.
double tightest_cut(const capacity_graph& graph) {
  double worst = 0;
  const int all = (1 << graph.ranks()) - 1;
  for (int inside = 1; inside < 1 << graph.nodes(); ++inside) {
    if ((inside & all) == all) continue;
    double capacity = 0;
    for (int a = 0; a < graph.nodes(); ++a)
      for (int b = 0; b < graph.nodes(); ++b)
        if ((inside >> a & 1) != 0 && (inside >> b & 1) == 0) capacity += static_cast<double>(graph.at(a, b));
    const int ranks = __builtin_popcount(static_cast<unsigned>(inside & all));
    if (ranks > 0) worst = std::max(worst, ranks / capacity);
  }
  return worst;
}

/// Every rank's block passes each link between two ranks at the promised rate without exceeding its capacity.
void expect_links_suffice(const capacity_graph& graph, const tree_packing& packing) {
  std::vector<double> load(static_cast<std::size_t>(graph.ranks() * graph.ranks()), 0);
  for (const auto& tree : packing.trees)
    for (const auto& [parent, child] : tree.edges)
      load[static_cast<std::size_t>(parent * graph.ranks() + child)] += static_cast<double>(tree.parts);
  for (int a = 0; a < graph.ranks(); ++a)
    for (int b = 0; b < graph.ranks(); ++b) {
      const double used = load[static_cast<std::size_t>(a * graph.ranks() + b)] / static_cast<double>(packing.parts) *
                          packing.bytes_per_second;
      EXPECT_LE(used, static_cast<double>(graph.at(a, b)) * (1 + 1e-12)) << a << " to " << b;
    }
}

/// The same where every way leads over a box's switch or the one between boxes: the busiest link of each GPU.
void expect_switches_suffice(const tree_packing& packing, int gpus, double inside, double across) {
  for (int self = 0; self < packing.ranks; ++self) {
    double sent[2] = {0, 0}, received[2] = {0, 0};
    for (const auto& tree : packing.trees)
      for (const auto& [parent, child] : tree.edges) {
        const bool crosses = parent / gpus != child / gpus;
        if (parent == self) sent[crosses] += static_cast<double>(tree.parts);
        if (child == self) received[crosses] += static_cast<double>(tree.parts);
      }
    const double rate = packing.bytes_per_second / static_cast<double>(packing.parts);
    // What stays inside may use the outer switch as well.
    for (const auto& moved : {sent, received}) {
      EXPECT_LE(moved[1] * rate, across * (1 + 1e-12)) << self;
      EXPECT_LE((moved[0] + moved[1]) * rate, (inside + across) * (1 + 1e-12)) << self;
    }
  }
}

void expect_verified(const tree_packing& packing) {
  using schedule::collective;
  for (const collective what : {collective::all_gather, collective::reduce_scatter, collective::all_reduce})
    for (const bool in_place : {false, true})
      for (const bool ragged : {false, true}) {
        if (ragged && what == collective::all_reduce) continue;
        schedule::request call;
        call.what = what;
        call.in_place = in_place;
        call.has_ragged_blocks = ragged;
        const auto found = schedule::verify(
            call, packing.ranks,
            [&](rank r) { return schedule::derive_dependences(algorithm::generate_packed(packing, call, r)); },
            {.max_violations = 1});
        EXPECT_TRUE(found.empty()) << to_string(what) << ": " << to_string(found.front());
      }
}

TEST(pack_trees, two_dgx_a100) {
  const capacity_graph graph = switched_boxes(2, 8, 300, 25);
  const algorithm::bottleneck limit = algorithm::find_bottleneck(graph);
  EXPECT_EQ(limit.blocks * 65, limit.capacity * 3);  // into one GPU: 15 blocks over 325 GB/s
  const tree_packing packing = algorithm::pack_trees(graph, 1);
  EXPECT_NEAR(packing.bytes_per_second, 325.0 / 15, 1e-9);
  expect_switches_suffice(packing, 8, 300, 25);
  expect_verified(packing);
}

TEST(pack_trees, slow_network_is_the_bottleneck) {
  const capacity_graph graph = switched_boxes(2, 4, 300, 10);
  EXPECT_DOUBLE_EQ(algorithm::pack_trees(graph, 1).bytes_per_second, 10);  // four blocks out of a box over 40 GB/s
  expect_switches_suffice(algorithm::pack_trees(graph, 1), 4, 300, 10);
}

TEST(pack_trees, ring_and_ring_with_a_broken_link) {
  capacity_graph graph = ring(8, 7);
  EXPECT_DOUBLE_EQ(algorithm::pack_trees(graph, 1).bytes_per_second, 2.0);  // 7 blocks into a rank over two links
  expect_links_suffice(graph, algorithm::pack_trees(graph, 1));
  graph.join(3, 4, -7);
  const tree_packing packing = algorithm::pack_trees(graph, 1);
  EXPECT_DOUBLE_EQ(packing.bytes_per_second, 1.0);  // 7 blocks into the end of the chain over one link
  expect_links_suffice(graph, packing);
  expect_verified(packing);
}

TEST(pack_trees, dgx1_mesh) {
  const tree_packing packing = algorithm::pack_trees(dgx1(1), 25);
  EXPECT_NEAR(packing.bytes_per_second * tightest_cut(dgx1(1)), 25, 1e-9);
  EXPECT_NEAR(packing.bytes_per_second, 25 * 6.0 / 7, 1e-9);  // 7 blocks into a GPU over six links
  tree_packing in_links = packing;
  in_links.bytes_per_second /= 25;
  expect_links_suffice(dgx1(1), in_links);
  expect_verified(packing);
}

TEST(pack_trees, random_networks_reach_the_tightest_cut) {
  const unsigned seed = 20261121;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int trial = 0; trial < 60; ++trial) {
    const int ranks = 2 + static_cast<int>(random() % 6), switches = static_cast<int>(random() % 4);
    capacity_graph graph(ranks, switches);
    for (int a = 1; a < graph.nodes(); ++a)
      graph.join(a, static_cast<int>(random() % static_cast<unsigned>(a)), 1 + random() % 9);
    for (unsigned more = random() % 12; more > 0; --more) {
      const int a = static_cast<int>(random() % static_cast<unsigned>(graph.nodes()));
      const int b = static_cast<int>(random() % static_cast<unsigned>(graph.nodes()));
      if (a != b) graph.join(a, b, 1 + random() % 9);
    }
    const tree_packing packing = algorithm::pack_trees(graph, 1);
    EXPECT_NEAR(packing.bytes_per_second * tightest_cut(graph), 1, 1e-9) << "trial " << trial;
    if (switches == 0) expect_links_suffice(graph, packing);
    EXPECT_EQ(schedule::parse_tree_packing(to_string(packing)), packing) << "trial " << trial;
    expect_verified(packing);
  }
}

TEST(pack_trees, a_topology_with_a_switch) {
  topology::graph machine;
  const auto add = [&](topology::node_kind kind, std::string name) {
    return machine.add_node({.kind = kind, .name = name, .identities = {name}});
  };
  const auto gpu0 = add(topology::node_kind::gpu, "g0"), sw = add(topology::node_kind::nvswitch, "s");
  const auto gpu1 = add(topology::node_kind::gpu, "g1"), gpu2 = add(topology::node_kind::gpu, "g2");
  for (const auto gpu : {gpu0, gpu1, gpu2})
    machine.add_edge({.a = gpu, .b = sw, .kind = topology::edge_kind::nvlink, .rate = bandwidth{450e9}});
  const tree_packing packing =
      algorithm::pack_trees(algorithm::capacities(machine), algorithm::capacity_unit_bytes_per_second);
  EXPECT_DOUBLE_EQ(packing.bytes_per_second, 225e9);
  expect_verified(packing);
  machine.add_edge({.a = gpu0, .b = gpu1, .kind = topology::edge_kind::nvlink});
  EXPECT_THROW((void)algorithm::capacities(machine), error);
}

TEST(pack_trees, what_cannot_be_packed_is_said) {
  EXPECT_THROW((void)algorithm::pack_trees(capacity_graph(3, 0), 1), error);  // no links
  capacity_graph parted(4, 0);
  parted.join(0, 1, 1), parted.join(2, 3, 1);
  EXPECT_THROW((void)algorithm::pack_trees(parted, 1), error);
  EXPECT_THROW((void)algorithm::pack_trees(capacity_graph(algorithm::most_packed_ranks + 1, 0), 1), error);
  schedule::request call;
  call.what = schedule::collective::all_to_all;
  EXPECT_THROW((void)algorithm::generate_packed(algorithm::pack_trees(ring(3, 1), 1), call, 0), error);
}

TEST(pack_trees, texts_that_are_no_packing_are_refused) {
  for (const char* text :
       {"", "trees 1 1 1\n", "hawser.tree_packing/1 2 1 1\n", "hawser.tree_packing/1 2 1 1\n0 1 0>1\n1 1 0>1\n",
        "hawser.tree_packing/1 2 1 1\n0 1 0>1\n1 1 1>x\n", "hawser.tree_packing/1 2 1 1\n0 1 0>1\n1 2 1>0\n",
        "hawser.tree_packing/1 2 1 1\n0 1 0>1\n1 1 1>0>1\n", "hawser.tree_packing/1 2 1 1\n0 1\n1 1 1>0\n"})
    EXPECT_THROW((void)schedule::parse_tree_packing(text), error) << text;
  EXPECT_EQ(schedule::parse_tree_packing("hawser.tree_packing/1 2 1 5\n0 1 0>1\n1 1 1>0\n").trees.size(), 2U);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int most_boxes = 3;  // the same code, ten times slower
#else
constexpr int most_boxes = 8;
#endif

TEST(pack_trees, boxes_of_eight_take_seconds) {
  const auto start = std::chrono::steady_clock::now();
  const tree_packing packing = algorithm::pack_trees(switched_boxes(most_boxes, 8, 300, 25), 1);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%d GPUs: %.2f s, %zu trees\n", packing.ranks, took.count(), packing.trees.size());
  // The blocks of all other boxes come into one over its eight NICs.
  EXPECT_NEAR(packing.bytes_per_second, 200.0 / (8 * (most_boxes - 1)), 1e-9);
  expect_switches_suffice(packing, 8, 300, 25);
}

}  // namespace
