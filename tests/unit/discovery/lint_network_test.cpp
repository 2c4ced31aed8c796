// Tests the lint rules about NICs, links and switches: one graph with the fault, one without; and their time.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "discovery/lint_support.hpp"

namespace hawser::discovery {
namespace {

/// Hosts below one leaf switch, each with one NIC.
machine star(const std::vector<double>& gigabytes, const std::vector<attribute_map>& attributes = {}) {
  machine made;
  const node_index leaf = made.leaf("leaf");
  for (std::size_t each = 0; each < gigabytes.size(); ++each) {
    const node_index host = made.host("n" + std::to_string(each));
    made.link(made.nic(host, 0), leaf, edge_kind::infiniband, gigabytes[each],
              each < attributes.size() ? attributes[each] : attribute_map{});
  }
  return made;
}

/// Hosts with `rails` NICs, the k-th of each below leaf k.
machine rails(int hosts, int rails) {
  machine made;
  for (int each = 0; each < rails; ++each) made.leaf("rail" + std::to_string(each));
  for (int each = 0; each < hosts; ++each) {
    const node_index host = made.host("n" + std::to_string(each));
    for (int rail = 0; rail < rails; ++rail)
      made.link(made.nic(host, rail), static_cast<node_index>(rail), edge_kind::infiniband, 50);
  }
  return made;
}

TEST(lint, a_link_with_a_1x_side) {
  expect_one(found_by("narrow-link", star({10, 10, 10}, {{{"width", "4x"}}, {{"width", "1x/4x"}, {"ports", "1-7"}}})),
             severity::warning, "n1:mlx5_0 - leaf (ports 1-7)", "1x/4x");
  EXPECT_TRUE(found_by("narrow-link", star({10, 10}, {{{"width", "4x"}}, {{"width", "4x/4X"}}})).empty());
}

TEST(lint, a_link_below_its_maximum) {
  expect_one(found_by("narrow-link", star({10}, {{{"width", "8"}, {"max_width", "16"}}})), severity::warning,
             "n0:mlx5_0 - leaf", "width 8 of 16");
  expect_one(found_by("slow-link", star({10}, {{{"speed", "8.0 GT/s PCIe"}, {"max_speed", "16.0 GT/s PCIe"}}})),
             severity::warning, "n0:mlx5_0 - leaf", "8.0 GT/s PCIe of 16");
  const attribute_map full{{"width", "16"}, {"max_width", "16"}, {"speed", "HDR"}, {"max_speed", "HDR"}};
  EXPECT_TRUE(lint(star({10}, {full}).parts).empty());
}

TEST(lint, a_link_narrower_than_its_like) {
  expect_one(found_by("narrow-link", star({10, 10, 10}, {{{"width", "4x"}}, {{"width", "1x"}}, {{"width", "4x"}}})),
             severity::warning, "n1:mlx5_0 - leaf", "width 1x where links like it run at 4x");
}

TEST(lint, a_link_slower_than_its_like) {
  expect_one(found_by("slow-link", star({50, 50, 25, 50})), severity::warning, "n2:mlx5_0 - leaf",
             "25GB/s where links like it run at 50GB/s");
  EXPECT_TRUE(found_by("slow-link", star({50, 50, 50})).empty());
  expect_one(found_by("slow-link", star({50, 50}, {{{"speed", "SDR/HDR"}}})), severity::warning, "n0:mlx5_0 - leaf",
             "SDR/HDR");
}

TEST(lint, another_nic_of_each_host_may_be_slower) {
  machine made = rails(3, 2);
  for (node_index each = 0; each < made.parts.nodes().size(); ++each)
    if (made.parts.nodes()[each].name.ends_with("mlx5_1")) {
      topology::edge slower{.rate = bandwidth{25e9}};
      made.parts.revise(made.parts.edges_of(each).back(), slower);
    }
  EXPECT_TRUE(found_by("slow-link", made).empty());
  EXPECT_EQ(found_by("asymmetric-nics", made).size(), 3u);
}

TEST(lint, many_slow_links_are_one_finding) {
  std::vector<double> rates(100, 50);
  std::fill_n(rates.begin(), 20, 25);
  expect_one(found_by("slow-link", star(rates)), severity::warning, "n0:mlx5_0 - leaf and 19 more", "25GB/s");
}

TEST(lint, nic_down) {
  machine made;
  const node_index host = made.host("n1");
  made.nic(host, 0, {{"port_state", "4: ACTIVE"}});
  made.nic(host, 1, {{"port_state", "active"}});
  made.nic(host, 2, {{"port_state", "up"}});
  EXPECT_TRUE(found_by("nic-down", made).empty());
  made.nic(host, 3, {{"port_state", "1: DOWN"}, {"link_layer", "InfiniBand"}});
  expect_one(found_by("nic-down", made), severity::warning, "n1:mlx5_3", "1: DOWN");
}

TEST(lint, hosts_with_different_numbers_of_nics) {
  machine made;
  for (const auto& [name, nics] : {std::pair{"a", 8}, {"b", 8}, {"c", 7}}) {
    const node_index host = made.host(name);
    made.gpu(host, 0);
    for (int each = 0; each < nics; ++each) made.nic(host, each);
  }
  expect_one(found_by("asymmetric-nics", made), severity::warning, "c", "7 NICs where most hosts have 8");
  made.nic(*made.parts.find("host/c"), 7);
  EXPECT_TRUE(found_by("asymmetric-nics", made).empty());
}

TEST(lint, nics_of_one_host_at_different_rates) {
  for (const char* layer : {"InfiniBand", "Ethernet"}) {
    machine made;
    const node_index leaf = made.leaf("leaf"), host = made.host("n1");
    made.link(made.nic(host, 0, {{"link_layer", "InfiniBand"}}), leaf, edge_kind::infiniband, 50);
    made.link(made.nic(host, 1, {{"link_layer", layer}}), leaf, edge_kind::infiniband, 25);
    const std::vector<finding> found = found_by("asymmetric-nics", made);
    if (layer == std::string("Ethernet"))
      EXPECT_TRUE(found.empty());  // another network, not a slow rail
    else
      expect_one(found, severity::warning, "n1", "mlx5_1 at 25GB/s");
  }
}

TEST(lint, gpus_without_nic) {
  machine made;
  for (const char* name : {"a", "b"}) made.gpu(made.host(name), 0);
  EXPECT_TRUE(found_by("gpu-without-nic", made).empty());  // no source tells of NICs
  made.nic(*made.parts.find("host/a"), 0);
  expect_one(found_by("gpu-without-nic", made), severity::warning, "b", "no NIC");
}

/// Two GPUs and `nics` NICs below each of two PCIe switches; the second switch has none where `nics` says so.
machine pci_tree(int first_nics, int second_nics) {
  machine made;
  const node_index host = made.host("n1");
  const node_index cpu = made.part(node_kind::cpu, host, "numa0");
  int gpu = 0, nic = 0;
  for (int nics : {first_nics, second_nics}) {
    const node_index joint = made.part(node_kind::pci_switch, host, "switch" + std::to_string(nic));
    made.link(cpu, joint, edge_kind::pci);
    for (int each = 0; each < 2; ++each) made.link(made.gpu(host, gpu++), joint, edge_kind::pci);
    for (int each = 0; each < nics; ++each) made.link(made.nic(host, nic++), joint, edge_kind::pci);
  }
  return made;
}

TEST(lint, gpus_that_share_a_nic) {
  EXPECT_TRUE(found_by("shared-nic", pci_tree(2, 2)).empty());
  const std::vector<finding> found = found_by("shared-nic", pci_tree(1, 3));
  expect_one(found, severity::warning, "n1", "GPU0 and GPU1 share mlx5_0");
  const std::vector<finding> by_design = found_by("shared-nic", pci_tree(1, 1));
  ASSERT_EQ(by_design.size(), 2u);
  EXPECT_EQ(by_design[1].level, severity::info);
  EXPECT_NE(by_design[1].message.find("GPU2 and GPU3 share mlx5_1"), std::string::npos) << by_design[1].message;
  expect_one(found_by("shared-nic", pci_tree(0, 1)), severity::info, "n1", "GPU2 and GPU3 share mlx5_0");
}

TEST(lint, cycles_of_switches) {
  machine made;
  for (const char* name : {"s0", "s1", "s2"}) made.leaf(name);
  made.link(0, 1, edge_kind::infiniband);
  made.link(0, 1, edge_kind::infiniband);  // a second cable is no cycle
  made.link(1, 2, edge_kind::infiniband);
  EXPECT_TRUE(found_by("switch-cycle", made).empty());
  made.link(2, 0, edge_kind::infiniband);
  expect_one(found_by("switch-cycle", made), severity::warning, "s2 - s0", "tier 1 form 1 cycle");
}

TEST(lint, fat_trees_are_no_cycles_and_have_one_root_piece) {
  machine made;
  for (int each = 0; each < 4; ++each) made.leaf("leaf" + std::to_string(each));
  for (int each = 0; each < 2; ++each) {
    const node_index spine = made.spine("spine" + std::to_string(each));
    for (node_index leaf = 0; leaf < 4; ++leaf) made.link(leaf, spine, edge_kind::infiniband, 50);
  }
  for (node_index leaf = 0; leaf < 4; ++leaf)
    made.link(made.nic(made.host("n" + std::to_string(leaf)), 0), leaf, edge_kind::infiniband, 50);
  EXPECT_TRUE(lint(made.parts).empty());
}

TEST(lint, several_roots) {
  machine made;
  for (int each = 0; each < 2; ++each) {
    const std::string number = std::to_string(each);
    const node_index root = made.spine("root" + number), leaf = made.leaf("leaf" + number);
    made.link(leaf, root, edge_kind::infiniband);
    for (int host = 0; host < 2; ++host)
      made.link(made.host("n" + number + std::to_string(host)), leaf, edge_kind::infiniband);
  }
  expect_one(found_by("several-roots", made), severity::warning, "root0 and root1", "2 trees: no path is known");
  made.link(*made.parts.find("host/n00"), 4 + 1, edge_kind::infiniband);
  expect_one(found_by("several-roots", made), severity::info, "root0 and root1", "joined by nothing but hosts");
  const node_index top = made.parts.add_node({.kind = node_kind::core_switch, .name = "top", .tier = 3});
  made.link(0, top, edge_kind::infiniband);
  made.link(4, top, edge_kind::infiniband);
  EXPECT_TRUE(found_by("several-roots", made).empty());
}

TEST(lint, rails_are_told_from_a_host_under_two_leaves) {
  EXPECT_TRUE(lint(rails(4, 8).parts).empty());
  machine tree = rails(4, 1);
  const node_index second = tree.leaf("second");
  tree.link(0, second, edge_kind::infiniband);
  EXPECT_TRUE(found_by("host-under-two-leaves", tree).empty());
  tree.link(*tree.parts.find("host/n2"), second, edge_kind::infiniband);
  expect_one(found_by("host-under-two-leaves", tree), severity::warning, "n2", "2 switches (rail0 and second)");
  EXPECT_TRUE(found_by("host-missing-rail", tree).empty());
}

TEST(lint, rails_of_gpus_that_nvlink_joins_are_no_several_roots) {
  machine made;  // the k-th GPU of each domain below switch k, no hosts named
  const node_index first = made.leaf("rail0"), second = made.leaf("rail1");
  for (int domain = 0; domain < 2; ++domain) {
    const node_index joint = made.parts.add_node({.kind = node_kind::nvswitch, .name = "domain"});
    for (const node_index rail : {first, second}) {
      const node_index gpu = made.parts.add_node({.kind = node_kind::gpu, .name = "gpu"});
      made.link(gpu, joint, edge_kind::nvlink);
      made.link(gpu, rail, edge_kind::ethernet);
    }
  }
  EXPECT_TRUE(found_by("several-roots", made).empty());
}

TEST(lint, a_host_that_misses_a_rail) {
  machine made = rails(4, 3);
  const node_index host = made.host("short");
  for (node_index rail = 0; rail < 2; ++rail)
    made.link(made.nic(host, static_cast<int>(rail)), rail, edge_kind::infiniband, 50);
  expect_one(found_by("host-missing-rail", made), severity::warning, "short", "2 of the 3 switches");
  EXPECT_TRUE(found_by("host-under-two-leaves", made).empty());
  EXPECT_TRUE(found_by("several-roots", made).empty());
}

TEST(lint, a_host_without_switch) {
  machine made = star({50, 50});
  EXPECT_TRUE(found_by("host-without-switch", made).empty());
  made.nic(made.host("lonely"), 0);
  expect_one(found_by("host-without-switch", made), severity::warning, "lonely", "no switch where other hosts are");
  machine alone;
  alone.host("a"), alone.host("b");
  EXPECT_TRUE(found_by("host-without-switch", alone).empty());  // no source tells of switches
}

TEST(lint, a_link_back_to_the_same_host) {
  machine made = star({50, 50});
  const node_index a = *made.parts.find("host/n0"), b = *made.parts.find("host/n1");
  const node_index first = made.nic(a, 1), second = made.nic(a, 2);
  made.link(made.nic(b, 1), first, edge_kind::ethernet);  // back to back is a network of two
  EXPECT_TRUE(found_by("self-loop", made).empty());
  made.link(first, second, edge_kind::infiniband);
  expect_one(found_by("self-loop", made), severity::warning, "n0:mlx5_1 - n0:mlx5_2", "same host");
}

seconds time_of(const graph& parts) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<finding> found = lint(parts);
  const seconds time = std::chrono::steady_clock::now() - start;
  for (const finding& each : found) ADD_FAILURE() << each.code << " " << each.subject << ": " << each.message;
  return time;
}

TEST(lint, is_linear_in_the_number_of_hosts) {
  machine tree;
  const node_index root = tree.spine("root");
  for (int leaf = 0; leaf < 500; ++leaf) {
    const node_index joint = tree.leaf("s" + std::to_string(leaf));
    tree.link(joint, root, edge_kind::ethernet, 50);
    for (int each = 0; each < 20; ++each)
      tree.link(tree.host("n" + std::to_string(20 * leaf + each)), joint, edge_kind::ethernet, 25);
  }
  const seconds time = time_of(tree.parts);
  std::printf("a tree of 10,000 hosts: %s\n", to_string(time).c_str());
  EXPECT_LT(time.count(), 1.0);
}

TEST(lint, is_linear_in_the_number_of_switches) {
  machine fabric;  // 400 leaves below 200 spines, one cable between each two, a host below each leaf
  for (int each = 0; each < 200; ++each) fabric.spine("spine" + std::to_string(each));
  for (int each = 0; each < 400; ++each) {
    const node_index leaf = fabric.leaf("leaf" + std::to_string(each));
    for (node_index spine = 0; spine < 200; ++spine) fabric.link(leaf, spine, edge_kind::infiniband, 50);
    fabric.link(fabric.nic(fabric.host("n" + std::to_string(each)), 0), leaf, edge_kind::infiniband, 50);
  }
  const seconds time = time_of(fabric.parts);
  std::printf("600 switches and 80,000 links: %s\n", to_string(time).c_str());
  EXPECT_LT(time.count(), 5.0);
}

TEST(lint, is_linear_in_the_links_of_one_part) {
  machine made;
  const node_index leaf = made.leaf("leaf");
  const node_index nic = made.parts.add_node({.kind = node_kind::nic, .name = "adapter of no host"});
  for (int each = 0; each < 100000; ++each) made.link(nic, leaf, edge_kind::infiniband, 50);
  const seconds time = time_of(made.parts);
  std::printf("an adapter and a switch with 100,000 links: %s\n", to_string(time).c_str());
  EXPECT_LT(time.count(), 5.0);
}

}  // namespace
}  // namespace hawser::discovery
