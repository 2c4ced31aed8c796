// Tests merging partial graphs, and the spellings of bus ids.
#include <hawser/topology/merge.hpp>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/bus_id.hpp>
#include <hawser/topology/identity.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

graph pair_of_gpus(int links, bandwidth rate, provenance source) {
  graph made;
  const node_index host = made.add_node({.kind = node_kind::host, .name = "n", .identities = {identity::host("n")}});
  for (int gpu = 0; gpu < 2; ++gpu) {
    const node_index each = made.add_node(
        {.kind = node_kind::gpu, .name = "n:gpu" + std::to_string(gpu), .identities = {identity::gpu("n", gpu)}});
    made.contain(host, each);
  }
  for (int link = 0; link < links; ++link)
    made.add_edge({.a = 1, .b = 2, .kind = edge_kind::nvlink, .rate = rate, .source = source});
  made.tell(aspect::gpus);
  return made;
}

TEST(merge, the_same_machine_twice_is_one) {
  const graph one = pair_of_gpus(18, bandwidth{25e9}, provenance::file);
  graph both = one;
  merge(both, one);
  EXPECT_EQ(both, one);
}

TEST(merge, parallel_links_are_counted_once_and_better_figures_win) {
  graph both = pair_of_gpus(4, bandwidth{25e9}, provenance::file);
  merge(both, pair_of_gpus(6, bandwidth{20e9}, provenance::reported));
  EXPECT_EQ(both.edges().size(), 2u + 6u);
  for (const edge& each : both.edges()) {
    if (each.kind != edge_kind::nvlink) continue;
    EXPECT_EQ(each.rate->bytes_per_second, 20e9);
    EXPECT_EQ(each.source, provenance::reported);
  }
  EXPECT_TRUE(both.findings().empty());
}

TEST(merge, equally_good_figures_that_differ_are_a_finding) {
  graph both = pair_of_gpus(1, bandwidth{25e9}, provenance::file);
  merge(both, pair_of_gpus(1, bandwidth{20e9}, provenance::file));
  ASSERT_EQ(both.findings().size(), 1u);
  EXPECT_EQ(both.findings()[0].code, "contradictory-bandwidth");
  EXPECT_EQ(both.edges().back().rate->bytes_per_second, 20e9);
}

TEST(merge, joins_hosts_of_different_sources_and_what_they_tell) {
  graph fabric;
  const node_index host = fabric.add_node({.kind = node_kind::host, .name = "n", .identities = {identity::host("n")}});
  const node_index leaf = fabric.add_node({.kind = node_kind::leaf_switch, .name = "s", .identities = {"switch/s"}});
  fabric.add_edge({.a = leaf, .b = host, .kind = edge_kind::infiniband});
  fabric.tell(aspect::switches);
  merge(fabric, pair_of_gpus(2, bandwidth{25e9}, provenance::file));
  EXPECT_EQ(fabric.nodes().size(), 4u);
  EXPECT_TRUE(fabric.tells(aspect::switches) && fabric.tells(aspect::gpus) && !fabric.tells(aspect::nics));
  EXPECT_EQ(fabric.host_of(*fabric.find(identity::gpu("n", 1))), host);
}

TEST(merge, a_link_within_what_another_source_knows_as_one_part_disappears) {
  graph whole;
  whole.add_node({.kind = node_kind::nvswitch, .name = "all", .identities = {"a", "b"}});
  graph parts;
  parts.add_node({.kind = node_kind::nvswitch, .name = "a", .identities = {"a"}});
  parts.add_node({.kind = node_kind::nvswitch, .name = "b", .identities = {"b"}});
  parts.add_edge({.a = 0, .b = 1, .kind = edge_kind::nvlink});
  merge(whole, parts);
  EXPECT_EQ(whole.nodes().size(), 1u);
  EXPECT_TRUE(whole.edges().empty());
}

/// A host with GPUs and their NVLinks: to one NVSwitch that nobody sees, or to `visible` ones, 18 links per GPU.
graph behind_switches(int gpus, int visible, int links = 18) {
  graph made;
  const node_index host = made.add_node({.kind = node_kind::host, .name = "n", .identities = {identity::host("n")}});
  std::vector<node_index> switches;
  for (int each = 0; each < std::max(visible, 1); ++each) {
    node part{
        .kind = node_kind::nvswitch, .name = "s" + std::to_string(each), .identities = {"s" + std::to_string(each)}};
    if (visible == 0) part.identities = {identity::nvswitches("n")}, part.attributes[attribute::virtual_part] = "1";
    switches.push_back(made.add_node(part));
    made.contain(host, switches.back());
  }
  for (int gpu = 0; gpu < gpus; ++gpu) {
    const node_index each = made.add_node(
        {.kind = node_kind::gpu, .name = "g" + std::to_string(gpu), .identities = {identity::gpu("n", gpu)}});
    made.contain(host, each);
    for (int link = 0; link < links; ++link)
      made.add_edge({.a = each, .b = switches[link % switches.size()], .kind = edge_kind::nvlink});
  }
  return made;
}

std::size_t nvlinks(const graph& machine) {
  return static_cast<std::size_t>(
      std::ranges::count_if(machine.edges(), [](const edge& each) { return each.kind == edge_kind::nvlink; }));
}

TEST(merge, links_to_switches_that_one_source_sees_and_another_does_not_count_once) {
  const graph hidden = behind_switches(8, 0), visible = behind_switches(8, 4);
  for (const auto& order : {std::vector{hidden, visible}, {visible, hidden}, {hidden, visible, hidden}}) {
    graph all;
    for (const graph& each : order) merge(all, each);
    EXPECT_EQ(nvlinks(all), 144u);
    EXPECT_EQ(all.nodes().size(), 1u + 4 + 8);
    EXPECT_FALSE(all.find(identity::nvswitches("n")));
    EXPECT_EQ(all.host_of(*all.find(identity::gpu("n", 7))), all.find(identity::host("n")));
  }
}

TEST(merge, more_links_than_the_visible_switches_have_stay) {
  graph all = behind_switches(8, 0);
  merge(all, behind_switches(8, 4, 12));
  EXPECT_EQ(nvlinks(all), 8u * (18 + 12));
  graph some = behind_switches(8, 0);
  merge(some, behind_switches(6, 4));
  EXPECT_EQ(nvlinks(some), 144u);  // two GPUs that the other source does not know keep theirs
  EXPECT_TRUE(some.find(identity::nvswitches("n")));
}

TEST(merge, the_switches_of_a_clique_stay) {
  graph clique = behind_switches(4, 0);
  clique.merge_node({node_kind::nvswitch, "", {identity::nvswitches("n"), identity::clique("u", "1")}, {}});
  graph all = behind_switches(4, 2);
  merge(all, clique);
  EXPECT_TRUE(all.find(identity::clique("u", "1")));
  EXPECT_EQ(nvlinks(all), 2u * 4 * 18);
}

TEST(bus_id, four_spellings_are_one) {
  const bus_id expected{0, 0x1b, 0, 0};
  for (const char* text : {"1b:00.0", "0000:1b:00.0", "0000:1B:00.0", "00000000:1B:00.0", "0000:1b:00", "1b:0"})
    EXPECT_EQ(parse_bus_id(text), expected) << text;
  EXPECT_EQ(to_string(expected), "0000:1b:00.0");
  EXPECT_EQ(to_string(*parse_bus_id("10001:00:1f.7")), "10001:00:1f.7");
  EXPECT_EQ(to_string(*parse_bus_id("fffffff:ff:ff.0")), "fffffff:ff:ff.0");
  for (const char* text : {"", "1b", ":", "1b:", "1b:00.", "1b:00.0 ", "x:00.0", "0000:1b:00.0.0", "123456789:00:00.0",
                           "100:00.0", "1b:00.10"})
    EXPECT_FALSE(parse_bus_id(text)) << text;
}

}  // namespace
}  // namespace hawser::topology
