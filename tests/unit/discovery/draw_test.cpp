// Tests drawings: every part is counted, classes are right, names cannot break out, the size is bounded, SVG is XML.
#include <hawser/discovery/draw.hpp>

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <optional>

#ifdef HAWSER_HAS_XML
#include <pugixml.hpp>
#endif

#include <unistd.h>

#include <hawser/topology/expand.hpp>
#include <hawser/topology/presets.hpp>
#include <hawser/topology/synthetic.hpp>

#include "discovery/draw_picture.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::topology;  // NOLINT: values of the level below
using drawing::picture;

graph synthetic(const std::string& text) {
  return expand(parse_synthetic(text));
}

/// What the boxes stand for, by kind; also what hosts hold.
std::map<node_kind, std::size_t> counted(const graph& machine, const picture& shown) {
  std::map<node_kind, std::size_t> counts;
  for (const auto& box : shown.boxes)
    for (const std::size_t each : box.units) {
      ++counts[machine.nodes()[shown.units[each].node].kind];
      for (std::size_t kind = 0; kind < shown.units[each].holds.size(); ++kind)
        if (shown.units[each].holds[kind] > 0) counts[static_cast<node_kind>(kind)] += shown.units[each].holds[kind];
    }
  for (const auto& frame : shown.frames) counts[node_kind::host] += frame.around == node_kind::host;
  if (counts[node_kind::host] == 0) counts.erase(node_kind::host);
  return counts;
}
std::map<node_kind, std::size_t> present(const graph& machine) {
  std::map<node_kind, std::size_t> counts;
  for (const node& each : machine.nodes()) ++counts[each.kind];
  return counts;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// The text without quoted strings and without HTML-like labels, whose brackets must be balanced.
std::string skeleton(const std::string& dot) {
  std::string outside;
  int depth = 0;
  bool is_quoted = false;
  for (const char c : dot) {
    if (depth == 0 && c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == '<') ++depth;
    if (depth == 0) outside += c;
    if (c == '>') --depth;
    EXPECT_GE(depth, 0);
  }
  EXPECT_EQ(depth, 0);
  EXPECT_FALSE(is_quoted);
  EXPECT_EQ(std::ranges::count(outside, '{'), std::ranges::count(outside, '}'));
  EXPECT_EQ(std::ranges::count(outside, '['), std::ranges::count(outside, ']'));
  return outside;
}

class path_variable {
 public:
  explicit path_variable(const char* value) : before_(std::getenv("PATH") ? std::getenv("PATH") : "") {
    setenv("PATH", value, 1);
  }
  ~path_variable() { setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

TEST(draw, every_part_is_counted_once) {
  std::vector<graph> machines{expand(preset("gb200-nvl72")), preset_graph("gb200-nvl72", 2),
                              preset_graph("dgx-h100", 1), preset_graph("dgx-h100", 3)};
  for (const char* text : {"gpu:3", "rack:4 node:4 gpu:8", "rack:[8,8,5]", "pod:3 rack:8 node:25 gpu:8",
                           "rack:[3,17,60] node:[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20] gpu:2"})
    try {
      machines.push_back(synthetic(text));
    } catch (const error&) {  // the last one has more racks than it lists
    }
  EXPECT_EQ(machines.size(), 8u);
  for (const graph& each : machines) {
    const picture shown = drawing::picture_of(each, {});
    EXPECT_EQ(counted(each, shown), present(each));
    EXPECT_LE(shown.boxes.size(), draw_options{}.most_boxes);
    skeleton(to_dot(each));
  }
}

TEST(draw, random_machines_are_counted) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    const graph machine = expand(random_hierarchy(random));
    const picture shown = drawing::picture_of(machine, {});
    EXPECT_EQ(counted(machine, shown), present(machine));
    std::size_t links = 0, drawn = 0;
    for (const auto& line : shown.lines) drawn += line.links;
    for (const edge& each : machine.edges()) links += each.kind != edge_kind::contains;
    EXPECT_LE(drawn, links);  // those within a host may not be drawn
    EXPECT_GT(to_dot(machine).size(), 0u);
  }
}

TEST(draw, gpus_of_an_nvlink_domain_share_a_box) {
  const std::string dot = to_dot(expand(preset("gb200-nvl72")));
  EXPECT_TRUE(has(dot, "<b>72 GPUs</b>"));
  EXPECT_TRUE(has(dot, ">gpu71<"));
  EXPECT_TRUE(has(dot, "900 GB/s per GPU")) << dot;
  EXPECT_TRUE(has(dot, "<b>1 host, 72 GPUs, 1 NVSwitch</b>"));
  EXPECT_EQ(occurrences(skeleton(dot), " -- "), 1u);
  const std::string racks = to_dot(preset_graph("gb200-nvl72", 2));
  EXPECT_EQ(occurrences(racks, "<b>18 hosts</b>"), 2u);
  EXPECT_EQ(occurrences(racks, "NVLink domain"), 2u);
  EXPECT_EQ(occurrences(racks, "36 x 100 GB/s per host"), 2u);
  EXPECT_EQ(occurrences(racks, "4 x 50 GB/s per host"), 2u);
  EXPECT_TRUE(has(racks, ">rail3<"));
}

TEST(draw, inside_of_one_host) {
  graph machine;
  const node_index host = machine.add_node({node_kind::host, "n1", {"host/n1"}, {}});
  std::vector<node_index> parts;
  const auto add = [&](node_kind kind, const std::string& name) {
    parts.push_back(machine.add_node({kind, "n1:" + name, {}, {}}));
    machine.contain(host, parts.back());
    return parts.back();
  };
  const node_index numa = add(node_kind::cpu, "NUMA0"), bridge = add(node_kind::pci_switch, "PLX");
  const node_index nic = add(node_kind::nic, "mlx5_0");
  const node_index a = add(node_kind::gpu, "GPU0"), b = add(node_kind::gpu, "GPU1");
  machine.add_edge({numa, bridge, edge_kind::pci, {}, {}});
  machine.add_edge({nic, bridge, edge_kind::pci, {}, {}});
  for (const node_index each : {a, b}) machine.add_edge({bridge, each, edge_kind::pci, bandwidth{32e9}, {}});
  for (int each = 0; each < 18; ++each) machine.add_edge({a, b, edge_kind::nvlink, bandwidth{25e9}, {}});
  const std::string dot = to_dot(machine);
  EXPECT_TRUE(has(dot, "host n1"));
  for (const char* name : {"NUMA0", "PLX", "mlx5_0", "GPU0", "GPU1"}) EXPECT_TRUE(has(dot, name)) << name;
  EXPECT_FALSE(has(dot, "n1:GPU0"));
  EXPECT_TRUE(has(dot, "among them 18 x 25 GB/s per GPU")) << dot;
  EXPECT_TRUE(has(dot, "32 GB/s per GPU"));
  EXPECT_TRUE(has(dot, "Infin") == false && has(dot, "PCI Express") && has(dot, "NVLink"));  // the legend
  draw_options plain;
  plain.has_legend = false;
  EXPECT_FALSE(has(to_dot(machine, plain), "legend"));
}

TEST(draw, parts_with_different_links_do_not_share_a_box) {
  graph machine;
  std::vector<node_index> gpus;
  for (int each = 0; each < 4; ++each)
    gpus.push_back(machine.add_node({node_kind::gpu, "g" + std::to_string(each), {}, {}}));
  const node_index middle = machine.add_node({node_kind::nvswitch, "s", {}, {}});
  for (const node_index each : gpus) machine.add_edge({each, middle, edge_kind::nvlink, bandwidth{25e9}, {}});
  EXPECT_EQ(drawing::picture_of(machine, {}).boxes.size(), 2u);
  machine.add_edge({gpus[0], middle, edge_kind::nvlink, bandwidth{25e9}, {}});
  EXPECT_EQ(drawing::picture_of(machine, {}).boxes.size(), 3u);
  machine.add_edge({gpus[1], gpus[2], edge_kind::nvlink, {}, {}});
  EXPECT_EQ(drawing::picture_of(machine, {}).boxes.size(), 4u);
}

TEST(draw, large_fabrics_by_class) {
  const graph machine = synthetic("pod:3 rack:8 node:25 gpu:8");
  const std::string dot = to_dot(machine);
  for (const char* text :
       {"<b>600 hosts</b>", "8 GPUs</td>", "<b>24 leaf switches</b>", "<b>3 spine switches</b>", "24 racks",
        "25 hosts per leaf switch", "8 leaf switches per spine switch", "node0 ... node599"})
    EXPECT_TRUE(has(dot, text)) << text << "\n" << dot;
  EXPECT_LT(dot.size(), 5000u);
  const graph uneven = synthetic("rack:8 node:[40,40,40,40,40,40,40,39] gpu:8");
  const picture shown = drawing::picture_of(uneven, {});
  EXPECT_EQ(counted(uneven, shown), present(uneven));
  std::multiset<std::size_t> sizes;
  for (const auto& box : shown.boxes) sizes.insert(box.units.size());
  EXPECT_EQ(sizes, (std::multiset<std::size_t>{1, 1, 7, 39, 280}));
}

TEST(draw, the_device_by_which_a_switch_reduces_is_no_nic) {
  graph machine;
  const node_index leaf = machine.add_node({node_kind::leaf_switch, "leaf", {}, {}});
  const node_index nic = machine.add_node({node_kind::nic, "mlx5_0", {}, {}});
  const node_index own = machine.add_node({node_kind::nic, "Aggregation Node", {}, {{"aggregation_node", "1"}}});
  for (const node_index each : {nic, own}) machine.add_edge({leaf, each, edge_kind::infiniband, bandwidth{50e9}, {}});
  EXPECT_FALSE(has(to_dot(machine), "reducing"));
  machine.can_reduce(leaf);
  const std::string dot = to_dot(machine);
  EXPECT_TRUE(has(dot, "<b>1 NIC, 1 leaf switch</b>") && has(dot, "reducing")) << dot;
  EXPECT_FALSE(has(dot, "Aggregation")) << dot;
}

TEST(draw, size_and_time_are_bounded) {
  const auto start = std::chrono::steady_clock::now();
  const graph large = synthetic("pod:10 rack:40 node:25 gpu:1");
  graph chaos;  // hosts that all hold something else
  std::mt19937 random(1);
  std::vector<node_index> leaves;
  for (int each = 0; each < 200; ++each)
    leaves.push_back(chaos.add_node({node_kind::leaf_switch, "l" + std::to_string(each), {}, {}}));
  for (int each = 0; each < 2000; ++each) {
    const node_index host = chaos.add_node({node_kind::host, "h" + std::to_string(each), {}, {}});
    for (int gpu = each % 97; gpu > 0; --gpu) chaos.contain(host, chaos.add_node({node_kind::gpu, "g", {}, {}}));
    for (unsigned link = random() % 5; link > 0; --link)
      chaos.add_edge({host, leaves[random() % 200], edge_kind::ethernet, bandwidth{1e9 * double(random() % 7)}, {}});
  }
  for (const graph* each : std::vector<const graph*>{&large, &chaos}) {
    EXPECT_LT(to_dot(*each).size(), 40000u);
    EXPECT_LE(drawing::picture_of(*each, {}).boxes.size(), draw_options{}.most_boxes);
  }
  EXPECT_LT(seconds(std::chrono::steady_clock::now() - start).count(), 10.0);
}

TEST(draw, hostile_names) {
  graph machine;
  const char* const names[] = {
      "\"];} digraph{x[label=\"",           "<b>&amp;</table>]]>", "a\\N\\\"b", "\xff\xfe\xc3(", "\x01\n\t", "",
      "\xf0\x9f\x98\x80 d\xc3\xa9j\xc3\xa0"};
  std::vector<node_index> hosts;
  for (const char* name : names) hosts.push_back(machine.add_node({node_kind::host, name, {}, {}}));
  const node_index leaf = machine.add_node({node_kind::leaf_switch, std::string(100000, '<'), {}, {}});
  for (std::size_t each = 0; each < hosts.size(); ++each)
    machine.add_edge({hosts[each], leaf, edge_kind::ethernet, bandwidth{1e9 * double(each + 1)}, {}});
  const std::string dot = to_dot(machine);
  EXPECT_FALSE(has(skeleton(dot), "digraph"));
  EXPECT_FALSE(has(dot, "&amp;</table>]]>"));
  EXPECT_FALSE(has(dot, "\\"));
  EXPECT_TRUE(has(dot, "??"));
  EXPECT_TRUE(has(dot, "d\xc3\xa9j\xc3\xa0"));
  EXPECT_LT(dot.size(), 10000u);
}

TEST(draw, svg) {
  graph machine = synthetic("rack:4 node:4 gpu:8");
  machine.add_node({node_kind::host, "<&\"\\\xff", {}, {}});
  std::string svg;
  try {
    svg = to_svg(machine);
  } catch (const error& failure) {
    ASSERT_EQ(failure.code(), errc::unsupported) << failure.what();
    GTEST_SKIP() << failure.what();
  }
  EXPECT_TRUE(has(svg, "<svg") && svg.ends_with("</svg>\n"));
  EXPECT_TRUE(has(svg, ">17 hosts, 128 GPUs"));
#ifdef HAWSER_HAS_XML
  pugi::xml_document read;
  EXPECT_TRUE(read.load_string(svg.c_str()));
#endif
  EXPECT_EQ(error_of([&] { to_svg(machine, {}, seconds{0}); }).code(), errc::timeout);
}

TEST(draw, without_graphviz) {
  for (const char* path : {"", ".", "/nowhere:/dev/null"}) {
    const path_variable variable(path);
    const error failure = error_of([] { to_svg(synthetic("gpu:2")); });
    EXPECT_EQ(failure.code(), errc::unsupported);
    EXPECT_TRUE(has(failure.what(), "graphviz")) << failure.what();
  }
}

}  // namespace
}  // namespace hawser::discovery
