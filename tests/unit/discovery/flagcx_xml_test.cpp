// FlagCX XML: what real files say, quirks, errors.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/nearest.hpp>

#include "discovery/sources/flagcx_xml_parse.hpp"
#include "discovery/sources/sources.hpp"
#include "support/mutate.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using topology::graph;
using topology::node_index;
using topology::node_kind;

graph read(const std::string& text, const std::string& name = "t.xml") {
  return discovery::read(flagcx_xml, {text, name}, {"n1"});
}
std::filesystem::path fixtures() {
  return std::filesystem::path(HAWSER_TEST_DATA) / "data" / "flagcx-xml";
}

json rails_of(const graph& machine) {
  json all = json::object();
  for (node_index each = 0; each < machine.nodes().size(); ++each) {
    if (machine.nodes()[each].kind != node_kind::gpu) continue;
    const auto rail = topology::nearest_nics(machine, each);
    if (rail.distance == topology::nic_distance::shared_pci_bridge)
      all[machine.nodes()[each].attributes.at("index")] = machine.nodes()[rail.nics.at(0)].attributes.at("device");
  }
  return all;
}

json value(const std::string& text, const std::string& key) {
  const flagcx::document file = flagcx::parse({text, "t.xml"});
  const graph machine = read(text);
  if (key == "root") return file.root;
  if (key == "gpus") return file.gpus.size();
  if (key == "gpu_net") return rails_of(machine);
  if (key == "nic_pairs") return file.routes.size();
  if (key == "guids") return json::array({file.routes.at(0).from, file.routes.at(0).to});
  if (key == "switches") {
    json all = json::array();
    for (const flagcx::hop& each : file.routes.at(0).hops)
      all.push_back({{"downBw", each.down},
                     {"upBw", each.up},
                     {"upLink", each.up_links},
                     {"downLink", each.down_links},
                     {"isTop", each.is_top ? 1 : 0}});
    return all;
  }
  ADD_FAILURE() << "TRUTH.md has a key that is not compared: " << key;
  return {};
}

TEST(flagcx_xml, real_files_give_what_a_careful_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int compared = 0;
  for (const auto& each : testing::real_files_of("nccl_xml")) {
    if (each.name.find("flagcx") == std::string::npos) continue;
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(flagcx_xml.recognises({each.text, each.name}));
    EXPECT_FALSE(nccl_xml.recognises({each.text, each.name}));
    for (const auto& [key, expected] : each.truth.items())
      if (!key.starts_with("_")) {
        EXPECT_EQ(value(each.text, key), expected) << key;
        ++compared;
      }
  }
  EXPECT_EQ(compared, 7);
}

TEST(flagcx_xml, a_gpu_is_near_its_net) {
  const graph machine = read(testing::text_of(fixtures() / "gpu_net.xml"));
  EXPECT_EQ(rails_of(machine), (json{{"0", "mlx5_0"}, {"1", "mlx5_0"}, {"2", "mlx5_1"}}));
  EXPECT_TRUE(machine.find("host/n1/gpu/3"));
  ASSERT_EQ(machine.findings().size(), 1u);
  EXPECT_EQ(machine.findings()[0].code, "duplicate-gpu-number");
  EXPECT_TRUE(machine.tells(topology::aspect::gpus));
  EXPECT_FALSE(machine.tells(topology::aspect::nics));
}

TEST(flagcx_xml, a_route_climbs_to_its_top_switch_and_down) {
  const graph machine = read(testing::text_of(fixtures() / "route.xml"));
  std::map<node_kind, int> count;
  for (const auto& each : machine.nodes()) ++count[each.kind];
  EXPECT_EQ(count,
            (std::map<node_kind, int>{{node_kind::nic, 3}, {node_kind::leaf_switch, 3}, {node_kind::spine_switch, 1}}));
  std::map<double, int> links;
  for (const auto& each : machine.edges()) ++links[each.rate->bytes_per_second];
  EXPECT_EQ(links, (std::map<double, int>{{25e9, 2}, {50e9, 5}, {12.5e9, 2}}));
}

TEST(flagcx_xml, errors_name_the_place_and_the_reason) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"bad_dev.xml", {"system/gpu, line 2", "dev is \"one\""}},
      {"bad_count.xml", {"interSwitch, line 4", "count is 2, but there are 1 switches"}},
      {"bad_pair.xml", {"pair, line 3", "no <nic2>"}},
      {"bad_links.xml", {"switch, line 3", "upLink is \"1000000000\""}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string text = testing::text_of(fixtures() / name);
    const error failure = topology::error_of([&] { read(text, name); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    for (const std::string& part : parts)
      EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << part << "\n" << failure.what();
  }
}

TEST(flagcx_xml, any_mutation_is_read_or_refused) {
  const unsigned seed = topology::test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& entry : std::filesystem::directory_iterator(fixtures())) {
    const std::string text = testing::text_of(entry.path());
    for (int round = 0; round < 300; ++round) {
      try {
        read(testing::mutated(text, random));
      } catch (const error& failure) {
        EXPECT_EQ(failure.code(), errc::parse) << failure.what();
      }
    }
  }
}

}  // namespace
}  // namespace hawser::discovery
