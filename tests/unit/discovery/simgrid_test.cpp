// Tests SimGrid platforms: real ones against what they say, and one small platform per feature.
#include "discovery/sources/simgrid_parse.hpp"

#include <chrono>

#include <hawser/topology/derive.hpp>
#include <hawser/topology/describe.hpp>

#include "support/simulator_files.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::testing;  // NOLINT: the support of tests
using nlohmann::json;
using topology::graph;

graph fixture(const std::string& name) {
  return read_fixture("simgrid", name + ".xml");
}
std::string hierarchy_of(const graph& machine) {
  return topology::describe(topology::derive(machine).hosted.tree);
}

// The texts of the real files, by hand.
double figure(const std::string& text) {
  static const std::map<std::string, double> known{
      {"125MBps", 125e6}, {"2.25GBps", 2.25e9}, {"1.25GBps", 1.25e9}, {"50us", 50e-6}, {"24us", 24e-6}};
  return known.at(text);
}
const std::map<std::string, simgrid_format::shape> shapes{{"FAT_TREE", simgrid_format::shape::fat_tree},
                                                          {"TORUS", simgrid_format::shape::torus},
                                                          {"DRAGONFLY", simgrid_format::shape::dragonfly}};
const std::map<std::string, simgrid_format::sharing> policies{{"SHARED", simgrid_format::sharing::shared},
                                                              {"SPLITDUPLEX", simgrid_format::sharing::split_duplex}};

std::string radical_text(const std::vector<int>& radicals) {
  std::string text;
  for (std::size_t first = 0; first < radicals.size();) {
    std::size_t last = first;
    while (last + 1 < radicals.size() && radicals[last + 1] == radicals[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(radicals[first]);
    if (last > first) text += "-" + std::to_string(radicals[last]);
    first = last + 1;
  }
  return text;
}
std::string parameters_text(const std::vector<std::vector<int>>& parameters) {
  std::string text;
  for (const auto& group : parameters) {
    if (!text.empty()) text += ";";
    for (std::size_t each = 0; each < group.size(); ++each) text += (each ? "," : "") + std::to_string(group[each]);
  }
  return text;
}

void check_cluster(const simgrid_format::cluster& read, const json& truth) {
  for (const auto& [key, value] : truth.items()) {
    if (key == "id")
      EXPECT_EQ(read.id, value);
    else if (key == "hosts")
      EXPECT_EQ(read.radicals.size(), value);
    else if (key == "radical")  // "58,59,60" is the same as "58-60"
      EXPECT_EQ(radical_text(read.radicals), value == "1-29,58,59,60" ? "1-29,58-60" : value.get<std::string>());
    else if (key == "bw")
      EXPECT_EQ(read.rate.value().bytes_per_second, figure(value));
    else if (key == "bb_bw")
      EXPECT_EQ(read.backbone.value().bytes_per_second, figure(value));
    else if (key == "lat")
      EXPECT_DOUBLE_EQ(read.latency.count(), figure(value));
    else if (key == "core")
      EXPECT_EQ(std::to_string(read.cores), value);
    else if (key == "topology")
      EXPECT_EQ(read.form, shapes.at(value));
    else if (key == "topo_parameters")
      EXPECT_EQ(parameters_text(read.parameters), value);
    else if (key == "sharing_policy")
      EXPECT_EQ(read.policy, policies.at(value));
    else
      ADD_FAILURE() << "unknown key " << key;
  }
  EXPECT_EQ(read.form == simgrid_format::shape::flat, !truth.contains("topology"));
  EXPECT_EQ(read.backbone.has_value(), truth.contains("bb_bw"));
}

void check_platform(const simgrid_format::platform& read, const json& truth) {
  const auto places = [&](bool are_routers) {
    return std::ranges::count(read.places, are_routers, &simgrid_format::place::is_router);
  };
  const auto routes = [&](bool of_zones) {
    return std::ranges::count(read.routes, of_zones, &simgrid_format::route::is_zone_route);
  };
  for (const auto& [key, value] : truth.items()) {
    if (key == "clusters") {
      ASSERT_EQ(read.clusters.size(), value.size());
      for (std::size_t each = 0; each < value.size(); ++each) check_cluster(read.clusters[each], value[each]);
    } else if (key == "explicit_hosts")
      EXPECT_EQ(places(false), value);
    else if (key == "routers")
      EXPECT_EQ(places(true), value);
    else if (key == "explicit_links")
      EXPECT_EQ(read.cables.size(), value);
    else if (key == "routes")
      EXPECT_EQ(routes(false), value);
    else if (key == "zone_routes")
      EXPECT_EQ(routes(true), value);
    else
      EXPECT_EQ(key, "_sha256") << "unknown key";
  }
}

TEST(simgrid, real_files) {
  HAWSER_NEEDS_REAL_FILES();
  int seen = 0;
  for (const real_file& each : real_files_of("simulator")) {
    if (each.name.find("/simgrid_") == std::string::npos) continue;
    SCOPED_TRACE(each.name);
    ++seen;
    const document file{each.text, each.name};
    EXPECT_EQ(recognise(file).kind, "simgrid");
    check_platform(simgrid_format::parse(file), each.truth);
    int hosts = each.truth["explicit_hosts"];
    for (const json& cluster : each.truth["clusters"]) hosts += cluster["hosts"].get<int>();
    const graph machine = read_text_as("simgrid", each.text, each.name);
    EXPECT_EQ(kinds_of(machine)["host"], hosts);
    EXPECT_EQ(topology::derive(machine).hosted.tree.size(), hosts);
  }
  EXPECT_EQ(seen, 6);
}

TEST(simgrid, real_hierarchies) {
  HAWSER_NEEDS_REAL_FILES();
  const auto of = [](const std::string& name) {
    return hierarchy_of(read_text_as("simgrid", text_of(real_files() / "simulator" / name), name));
  };
  EXPECT_EQ(of("simgrid_cluster_crossbar.xml"), "node:65536");
  EXPECT_EQ(of("simgrid_cluster_fat_tree.xml"), "rack:4 node:4");
  EXPECT_EQ(of("simgrid_cluster_torus.xml"), "pod:2 rack:2 node:3");
  EXPECT_EQ(of("simgrid_cluster_multi.xml"), "rack:3 node:8");
  EXPECT_EQ(of("simgrid_griffon.xml"), "rack:3 node:[32,28,32]");
  EXPECT_EQ(of("simgrid_small_platform.xml"), "node:7");
}

TEST(simgrid, real_malformed_file) {
  HAWSER_NEEDS_REAL_FILES();
  int seen = 0;
  for (const real_file& each : real_files_of("malformed")) {
    if (each.name.find("simgrid") == std::string::npos) continue;
    ++seen;
    EXPECT_TRUE(each.truth["expect"].get<std::string>().starts_with("reject"));
    const simgrid_format::platform read = simgrid_format::parse({each.text, each.name});
    EXPECT_EQ(read.places.size(), each.truth["hosts"]);
    EXPECT_EQ(read.cables.size(), each.truth["links"]);
    const error failure = topology::error_of([&] { read_text_as("simgrid", each.text, each.name); });
    EXPECT_EQ(failure.code(), errc::parse);
    EXPECT_NE(std::string(failure.what()).find("line 17"), std::string::npos) << failure.what();
    EXPECT_NE(std::string(failure.what()).find("contradicts"), std::string::npos) << failure.what();
  }
  EXPECT_EQ(seen, 1);
}

TEST(simgrid, many_hosts_load_quickly) {
  const std::string text =
      "<platform version=\"4.1\"><cluster id=\"c\" prefix=\"n\" suffix=\"\" radical=\"0-65535\" bw=\"1GBps\" "
      "lat=\"1us\"/></platform>";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(read_text_as("simgrid", text, "many").nodes().size(), 65537u);
  EXPECT_LT(seconds(std::chrono::steady_clock::now() - start).count(), 2.0);
}

TEST(simgrid, units) {
  using simgrid_format::parse_rate;
  using simgrid_format::parse_time;
  EXPECT_EQ(parse_rate("125MBps"), 125e6);
  EXPECT_EQ(parse_rate("2.25GBps"), 2.25e9);
  EXPECT_EQ(parse_rate("1Gbps"), 125e6);
  EXPECT_EQ(parse_rate("1.25E9Bps"), 1.25e9);
  EXPECT_EQ(parse_rate("1EBps"), 1e18);
  EXPECT_EQ(parse_rate("4KiBps"), 4096.0);
  EXPECT_EQ(parse_rate("8Mibps"), 1048576.0);
  EXPECT_EQ(parse_rate("42"), 42.0);
  for (const char* wrong : {"", "fast", "-1Bps", "1GBs", "1GiB", "1MMBps", "1iBps", "nan", "inf", "1e999Bps"})
    EXPECT_EQ(parse_rate(wrong), std::nullopt) << wrong;
  EXPECT_DOUBLE_EQ(parse_time("50us").value(), 50e-6);
  EXPECT_EQ(parse_time("0"), 0.0);
  EXPECT_EQ(parse_time("2m"), 120.0);
  EXPECT_EQ(parse_time("1w"), 604800.0);
  EXPECT_DOUBLE_EQ(parse_time("3ps").value(), 3e-12);
  for (const char* wrong : {"", "1y", "-1s", "1 s s"}) EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
}

TEST(simgrid, flat_clusters) {
  const graph flat = fixture("flat");
  EXPECT_EQ(hierarchy_of(flat), "node:4");
  EXPECT_EQ(flat.nodes()[node_named(flat, "nc_router.x")].kind, topology::node_kind::leaf_switch);
  EXPECT_EQ(flat.edges_of(node_named(flat, "n7.x")).size(), 1u);
  EXPECT_EQ(flat.edges()[0].rate->bytes_per_second, 0.1e9);   // the backbone is narrower than the link
  EXPECT_DOUBLE_EQ(flat.edges()[0].latency->count(), 12e-6);  // half of the backbone's
  EXPECT_EQ(codes_of(flat), std::vector<std::string>{"shared-backbone"});
  EXPECT_TRUE(flat.tells(topology::aspect::hosts) && flat.tells(topology::aspect::switches));
  EXPECT_FALSE(flat.tells(topology::aspect::gpus) || flat.tells(topology::aspect::nics));
  const graph limited = fixture("flat_fatpipe_limited");
  EXPECT_EQ(limited.edges()[0].rate->bytes_per_second, 6e9);
  EXPECT_TRUE(limited.findings().empty());
  EXPECT_EQ(limited.edges().size(), 4u);
}

TEST(simgrid, fat_tree) {
  const graph tree = fixture("fat_tree");
  auto kinds = kinds_of(tree);
  EXPECT_EQ(kinds["host"], 12);
  EXPECT_EQ(kinds["leaf_switch"], 4);
  EXPECT_EQ(kinds["spine_switch"], 2);
  EXPECT_EQ(tree.edges().size(), 12u + 4 * 2 * 3);
  EXPECT_EQ(hierarchy_of(tree), "rack:4 node:3");
  const auto derived = topology::derive(tree).hosted.tree;
  EXPECT_EQ(derived.at(0).up.rate.bytes_per_second, 6 * 12.5e9);  // two spines, three links each
  EXPECT_EQ(tree.host_of(0), std::nullopt);
  EXPECT_TRUE(tree.tells(topology::aspect::links));
}

TEST(simgrid, torus_and_dragonfly) {
  const graph torus = fixture("torus");
  EXPECT_EQ(hierarchy_of(torus), "rack:4 node:3");
  EXPECT_EQ(torus.edges().size(), 12u * 2 * 2);
  EXPECT_EQ(codes_of(torus), std::vector<std::string>{"ring-as-switch"});
  EXPECT_FALSE(torus.tells(topology::aspect::switches));
  const graph dragonfly = fixture("dragonfly");  // 2 groups, 2 chassis, 3 blades, 2 hosts
  EXPECT_EQ(hierarchy_of(dragonfly), "cluster:2 pod:2 rack:3 node:2");
  EXPECT_EQ(codes_of(dragonfly), std::vector<std::string>{"mesh-as-switch"});
  auto kinds = kinds_of(dragonfly);
  EXPECT_EQ(kinds["leaf_switch"], 12);
  EXPECT_EQ(kinds["spine_switch"], 4);         // one per chassis
  EXPECT_EQ(kinds["core_switch"], 2 * 3 + 1);  // one per blade of a group, and the one between groups
  EXPECT_EQ(dragonfly.edges().size(), 24u + 12 * 2 * 1 + 12 * 1 * 3 + 2 * 4);
}

TEST(simgrid, routes) {
  const graph zones = fixture("zone_routes");
  EXPECT_EQ(hierarchy_of(zones), "rack:2 node:[2,3]");
  const topology::edge& wan = zones.edges().back();
  EXPECT_EQ(wan.rate->bytes_per_second, 2e9);          // through the backbone of a
  EXPECT_DOUBLE_EQ(wan.latency->count(), 105e-6 / 2);  // there is a switch in its middle
  EXPECT_EQ(wan.attributes.at("link"), "wan");
  EXPECT_EQ(wan.attributes.at("sharing"), "split-duplex");
  const graph bus = fixture("shared_link");
  EXPECT_EQ(hierarchy_of(bus), "rack:3 node:2");
  EXPECT_EQ(bus.nodes()[node_named(bus, "bus")].attributes.at("virtual"), "1");
  EXPECT_EQ(codes_of(bus), std::vector<std::string>{"shared-link"});
  const graph tree = fixture("router_tree");
  EXPECT_EQ(hierarchy_of(tree), "rack:2 node:[2,1]");
  EXPECT_EQ(tree.edges().size(), 5u);
  EXPECT_EQ(codes_of(tree), (std::vector<std::string>{"route-left-out", "link-as-switch"}));
  EXPECT_FALSE(tree.tells(topology::aspect::links));
}

TEST(simgrid, what_is_no_tree) {
  const graph ring = fixture("router_ring");
  EXPECT_EQ(hierarchy_of(ring), "node:3");
  EXPECT_EQ(codes_of(ring), std::vector<std::string>{"routes-as-switch"});
  const graph hops = fixture("multi_hop");
  EXPECT_EQ(codes_of(hops), std::vector<std::string>{"routes-as-switch"});
  const auto middle = node_named(hops, "all-routes");
  ASSERT_EQ(hops.edges_of(middle).size(), 3u);
  EXPECT_EQ(hops.edges()[0].rate->bytes_per_second, 2e9);  // of h0: the wider of its two routes
  EXPECT_DOUBLE_EQ(hops.edges()[0].latency->count(), 5e-6);
  EXPECT_EQ(hops.edges()[1].rate->bytes_per_second, 1e9);
}

TEST(simgrid, stars) {
  const graph cabinets = fixture("cabinets");
  EXPECT_EQ(hierarchy_of(cabinets), "node:7");
  EXPECT_EQ(cabinets.nodes()[node_named(cabinets, "n4")].attributes.at("cabinet"), "two");
  const auto extra = cabinets.edges_of(node_named(cabinets, "extra"));
  ASSERT_EQ(extra.size(), 1u);
  EXPECT_EQ(cabinets.edges()[extra[0]].rate->bytes_per_second, 2e9);
  EXPECT_DOUBLE_EQ(cabinets.edges()[extra[0]].latency->count(), 4e-6);
  const graph wireless = fixture("wireless_and_peers");
  EXPECT_EQ(hierarchy_of(wireless), "node:3");
  const auto station = wireless.edges_of(node_named(wireless, "s0"));
  ASSERT_EQ(station.size(), 1u);
  EXPECT_EQ(wireless.edges()[station[0]].rate->bytes_per_second, 54e6 / 8);
  const graph older = fixture("old_router_of_fat_tree");
  EXPECT_EQ(kinds_of(older)["core_switch"] + kinds_of(older)["leaf_switch"] + kinds_of(older)["spine_switch"], 5);
  EXPECT_EQ(topology::derive(older).hosted.tree.size(), 5);
}

TEST(simgrid, malformed) {
  const std::map<std::string, std::pair<std::string, std::string>> expected{
      {"bad_asymmetric", {"line 8", "over other links"}},
      {"bad_twice", {"line 8", "declared twice"}},
      {"bad_unknown_link", {"line 7", "the link \"z\", which there is not"}},
      {"bad_unknown_host", {"line 7", "ends at \"c\""}},
      {"bad_no_links", {"platform/zone/route, line 7", "no link"}},
      {"bad_gateway", {"line 8", "which is not in zone \"a\""}},
      {"bad_no_gateway", {"platform/zone/zoneRoute, line 8", "\"gw_dst\""}},
      {"bad_unit", {"platform/zone/cluster, line 5", "\"1GBs\", not a bandwidth"}},
      {"bad_radical", {"platform/zone/cluster, line 5", "malformed group \"9-5\""}},
      {"bad_huge", {"platform/zone/cluster, line 5", "more than 1048576 hosts"}},
      {"bad_fat_tree_count", {"line 5", "ask for 16 hosts, radical names 4"}},
      {"bad_fat_tree_links", {"line 5", "too large"}},
      {"bad_dragonfly", {"line 5", "groups,links;chassis,links;blades,links;hosts"}},
      {"bad_topology", {"line 5", "\"HYPERX\" is not known"}},
      {"bad_same_host", {"line 6", "two hosts or routers with the name \"n3\""}},
      {"bad_version", {"platform, line 1", "version \"2\""}},
      {"bad_unclosed", {"line 1", "tags mismatch"}},
      {"bad_empty", {"", "no host"}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string message = error_of_fixture("simgrid", name + ".xml");
    EXPECT_NE(message.find(name + ".xml"), std::string::npos) << message;
    EXPECT_NE(message.find(parts.first), std::string::npos) << message;
    EXPECT_NE(message.find(parts.second), std::string::npos) << message;
  }
}

TEST(simgrid, recognition) {
  const auto is = [](const std::string& text) { return file_source_of("simgrid").recognises({text, "x"}); };
  EXPECT_TRUE(is("\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <system> -->\n<!DOCTYPE platform>\n<platform version='4'/>"));
  EXPECT_FALSE(is("<system version=\"1\"><platform/></system>"));
  EXPECT_FALSE(is("platform <platform>"));
  EXPECT_FALSE(is("<platforms/>"));
  EXPECT_FALSE(is("<!-- <platform>"));
  EXPECT_FALSE(is(""));
}

TEST(simgrid, damage) {
  survives_damage("simgrid", 12);
}

}  // namespace
}  // namespace hawser::discovery
