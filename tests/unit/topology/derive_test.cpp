// Tests deriving hierarchies from topology graphs, and expanding hierarchies into graphs.
#include <hawser/topology/derive.hpp>
#include <hawser/topology/locate.hpp>

#include <hawser/topology/describe.hpp>
#include <hawser/topology/expand.hpp>
#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

// A small network by hand: hosts with PCIe GPUs and one NIC, linked to switches by name.
struct network {
  graph topology;

  node_index add(node_kind kind, const std::string& name) { return topology.add_node({kind, name, {name}, {}}); }
  void link(const std::string& a, const std::string& b, std::optional<bandwidth> rate = bandwidth{50e9}) {
    topology.add_edge(
        {*topology.find(a), *topology.find(b), edge_kind::infiniband, rate, seconds{5e-6}, provenance::reported});
  }
  void add_host(const std::string& name, int gpus, const std::string& leaf, bandwidth rate = {50e9}) {
    const node_index host = add(node_kind::host, name), nic = add(node_kind::nic, name + "-nic");
    topology.add_edge({host, nic, edge_kind::contains, {}, {}});
    const node_index cpu = add(node_kind::cpu, name + "-cpu");
    topology.add_edge({host, cpu, edge_kind::contains, {}, {}});
    for (int gpu = 0; gpu < gpus; ++gpu) {
      const node_index each = add(node_kind::gpu, name + "-gpu" + std::to_string(gpu));
      topology.add_edge({host, each, edge_kind::contains, {}, {}});
      topology.add_edge({each, cpu, edge_kind::pci, bandwidth{32e9}, seconds{2e-6}, provenance::probed});
    }
    if (!leaf.empty()) link(name + "-nic", leaf, rate);
  }
};

TEST(derive, hosts_and_two_tiers_of_switches) {
  network net;
  for (const char* leaf : {"leaf0", "leaf1"}) net.add(node_kind::leaf_switch, leaf);
  for (const char* spine : {"spine0", "spine1"}) {
    net.add(node_kind::spine_switch, spine);
    for (const char* leaf : {"leaf0", "leaf1"}) net.link(leaf, spine, bandwidth{100e9});
  }
  net.add_host("a", 2, "leaf0");
  net.add_host("b", 3, "leaf0");
  net.add_host("c", 2, "leaf1");
  const derived got = derive(net.topology);
  const hierarchy expected(
      {{"rack", child_counts::uniform(1, 2), {bandwidth{200e9}, seconds{5e-6}, provenance::reported}},
       {"node", child_counts::listed({2, 1}), {bandwidth{50e9}, seconds{5e-6}, provenance::reported}},
       {"gpu", child_counts::listed({2, 3, 2}), {bandwidth{32e9}, seconds{2e-6}, provenance::probed}}});
  EXPECT_EQ(got.hosted.tree, expected);
  EXPECT_TRUE(got.findings.empty());
  EXPECT_EQ(got.hosted.hosts, (std::vector<std::string>{"a", "a", "b", "b", "b", "c", "c"}));
  EXPECT_EQ(got.hosted.host_level, 2);
}

TEST(derive, ranks_that_are_not_in_the_order_of_the_machine) {
  network net;
  net.add(node_kind::leaf_switch, "leaf");
  net.add_host("a", 2, "leaf");
  net.add_host("b", 2, "leaf");
  const std::vector<gpu_location> where{{"b", 1}, {"a", 0}, {"b", 0}, {"a", 1}};
  const hierarchy tree = derive(net.topology, locate(net.topology, where)).hosted.tree;
  EXPECT_EQ(tree.at(1).units, child_counts::uniform(2, 2));
  EXPECT_EQ(tree.unit_of(tree.position_of(rank(0)), 0), tree.unit_of(tree.position_of(rank(2)), 0));
  EXPECT_EQ(tree.unit_of(tree.position_of(rank(1)), 0), tree.unit_of(tree.position_of(rank(3)), 0));
  EXPECT_EQ(tree.parting_level(tree.position_of(rank(0)), tree.position_of(rank(1))), 0);
  EXPECT_EQ(error_of([&] { locate(net.topology, {{"c", 0}}); }).code(), errc::not_found);
  EXPECT_NE(std::string(error_of([&] {
                          locate(net.topology, {{"a", 0}, {"a", 2}});
                        }).what())
                .find("rank 1 is on host \"a\", GPU 2"),
            std::string::npos);
}

TEST(derive, nvlink_pairs_inside_a_host) {
  network net;
  net.add_host("a", 4, "");
  for (const auto& [a, b] : {std::pair("a-gpu0", "a-gpu1"), std::pair("a-gpu2", "a-gpu3")})
    net.topology.add_edge({*net.topology.find(a), *net.topology.find(b), edge_kind::nvlink, bandwidth{100e9},
                           seconds{1e-6}, provenance::reported});
  const hierarchy tree = derive(net.topology).hosted.tree;
  ASSERT_EQ(tree.depth(), 2);
  EXPECT_EQ(tree.at(0).name, "nvlink_domain");
  EXPECT_DOUBLE_EQ(tree.at(0).up.rate.bytes_per_second, 64e9);  // the PCIe links of both GPUs
  EXPECT_DOUBLE_EQ(tree.at(1).up.rate.bytes_per_second, 100e9);
}

TEST(derive, says_what_is_unknown_or_uneven) {
  network net;
  net.add(node_kind::leaf_switch, "leaf");
  net.add_host("a", 1, "leaf", bandwidth{50e9});
  net.add_host("b", 1, "leaf", bandwidth{25e9});
  derived got = derive(net.topology);
  ASSERT_EQ(got.findings.size(), 1u);
  EXPECT_EQ(got.findings[0].code, "uneven-links");
  EXPECT_DOUBLE_EQ(got.hosted.tree.at(0).up.rate.bytes_per_second, 25e9);
  net.add_host("c", 1, "");
  net.link("c-nic", "leaf", std::nullopt);
  got = derive(net.topology);
  ASSERT_EQ(got.findings.size(), 2u);
  EXPECT_EQ(got.findings[0].code, "unknown-figures");
  EXPECT_EQ(got.hosted.tree.at(0).up.source, provenance::assumed);
}

TEST(derive, refuses_what_is_no_tree) {
  network net;
  for (const char* leaf : {"leaf0", "leaf1", "leaf2"}) net.add(node_kind::leaf_switch, leaf);
  net.add_host("a", 1, "leaf0");
  net.add_host("b", 1, "leaf1");
  const error disconnected = error_of([&] { derive(net.topology); });
  EXPECT_EQ(disconnected.code(), errc::invalid_argument);
  EXPECT_NE(std::string(disconnected.what()).find("no path joins \"a-gpu0\" (rank 0) and \"b-gpu0\" (rank 1)"),
            std::string::npos);
  net.link("leaf0", "leaf1");
  net.link("leaf0", "leaf1");  // a second cable is no cycle
  EXPECT_EQ(derive(net.topology).hosted.tree.size(), 2);
  net.link("leaf1", "leaf2");
  net.link("leaf2", "leaf0");
  const error cyclic = error_of([&] { derive(net.topology); });
  EXPECT_EQ(cyclic.code(), errc::unsupported);
  EXPECT_NE(std::string(cyclic.what()).find("form a cycle"), std::string::npos);
}

TEST(derive, refuses_impossible_placements) {
  network net;
  net.add_host("a", 2, "");
  const node_index gpu = *net.topology.find("a-gpu0"), cpu = *net.topology.find("a-cpu");
  const auto message = [&](std::vector<node_index> gpus) {
    return std::string(error_of([&] { derive(net.topology, gpus); }).what());
  };
  EXPECT_NE(message({}).find("at least one rank"), std::string::npos);
  EXPECT_NE(message({gpu, cpu}).find("rank 1 is not on a GPU"), std::string::npos);
  EXPECT_NE(message({999}).find("rank 0 is not on a GPU"), std::string::npos);
  EXPECT_NE(message({gpu, *net.topology.find("a")}).find("rank 1 is on a host, rank 0 is not"), std::string::npos);
}

TEST(derive, ranks_may_share_a_gpu) {
  network net;
  net.add_host("a", 2, "");
  const node_index first = *net.topology.find("a-gpu0"), second = *net.topology.find("a-gpu1");
  const hierarchy tree = derive(net.topology, {second, first, second, first, second}).hosted.tree;
  ASSERT_EQ(describe(tree), "gpu:2 rank:[3,2], ranks out of order");
  EXPECT_EQ(tree.rank_at(1), rank(2));
}

TEST(derive, hosts_where_there_are_no_gpus) {
  network net;
  for (const char* leaf : {"leaf0", "leaf1"}) net.add(node_kind::leaf_switch, leaf);
  net.add(node_kind::spine_switch, "spine");
  for (const char* leaf : {"leaf0", "leaf1"}) net.link(leaf, "spine", bandwidth{100e9});
  for (const char* host : {"a", "b", "c"}) net.add(node_kind::host, host);
  net.link("a", "leaf0"), net.link("b", "leaf0"), net.link("c", "leaf1");
  const derived one_each = derive(net.topology);
  EXPECT_EQ(describe(one_each.hosted.tree), "rack:2 node:[2,1]");
  EXPECT_EQ(one_each.hosted.hosts, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(one_each.hosted.tree.at(1).up.rate, bandwidth{50e9});
  const hierarchy placed = place_by_host(one_each.hosted, {"b", "c", "b", "c"});
  EXPECT_EQ(describe(placed), "rack:2 node:1 rank:2, ranks out of order");
  EXPECT_EQ(describe(place_by_host(one_each.hosted, {"a", "c"})), "rack:2 node:1");
}

TEST(expand, derives_back_to_the_same_hierarchy) {
  for (const char* text :
       {"rack:4 gpu:8", "gpu:7", "rack:[8,8,5]", "pod:2 rack:3 gpu:4", "pod:2 rack:[2,3] gpu:[4,4,4,5,5]",
        "rack:4@50GB/s,5us gpu:8@450GB/s,1us", "rack:3 node:2 nvlink_domain:2 gpu:4", "a:2 b:2 c:2 d:2 e:2 gpu:2",
        "node:5", "rack:2 gpu:[1,3]"}) {
    const hierarchy tree = parse_synthetic(text);
    const derived got = derive(expand(tree));
    EXPECT_EQ(got.hosted.tree, tree) << text;
    EXPECT_TRUE(got.findings.empty()) << text;
  }
}

TEST(expand, derives_back_random_hierarchies) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const hierarchy tree = random_hierarchy(random, {.may_reduce = true, .least_units = 2});
    ASSERT_EQ(derive(expand(tree)).hosted.tree, tree) << round;
  }
}

TEST(expand, a_shuffled_placement_keeps_how_ranks_are_parted) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    const hierarchy tree = random_hierarchy(random, {.may_be_placed = true, .least_units = 2});
    const graph topology = expand(tree);
    std::vector<node_index> gpus, gpu_of_rank;
    for (node_index each = 0; each < topology.nodes().size(); ++each)
      if (topology.nodes()[each].kind == node_kind::gpu) gpus.push_back(each);
    for (std::int32_t r = 0; r < tree.size(); ++r)
      gpu_of_rank.push_back(gpus[static_cast<std::size_t>(tree.position_of(rank(r)))]);
    const hierarchy got = derive(topology, gpu_of_rank).hosted.tree;
    for (std::int32_t a = 0; a < tree.size(); a += 5)
      for (std::int32_t b = 0; b < tree.size(); ++b)
        ASSERT_EQ(got.parting_level(got.position_of(rank(a)), got.position_of(rank(b))),
                  tree.parting_level(tree.position_of(rank(a)), tree.position_of(rank(b))));
  }
}

}  // namespace
}  // namespace hawser::topology
