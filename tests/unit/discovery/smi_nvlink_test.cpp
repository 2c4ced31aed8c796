// nvidia-smi nvlink -s: real machines' output, and one fixture for each quirk.
#include "discovery/sources/smi_nvlink_parse.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include <hawser/topology/attributes.hpp>

#include "discovery/sources/sources.hpp"
#include "support/smi.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::attribute_of;
using testing::fixture;
using testing::has_finding;
using topology::edge_kind;
using topology::error_of;
using topology::node_kind;
namespace attribute = topology::attribute;

topology::graph read(const std::string& name) {
  const std::string text = fixture("smi-nvlink", name);
  EXPECT_TRUE(smi_nvlink.recognises({text, name})) << name;
  for (const file_source* other : {&smi_topo, &smi_p2p, &smi_query, &smi_query_xml, &fabric_csv, &rocm_topo})
    EXPECT_FALSE(other->recognises({text, name})) << name << " " << other->kind;
  return smi_nvlink.read({text, name}, {"n1"});
}

json by_gpu(const smi_nvlink_document& all) {
  json list = json::object();
  for (const auto& [number, gpu] : all.gpus) {
    std::set<double> rates;
    int active = 0, inactive = 0;
    for (const auto& [link, rate] : gpu.links) {
      ++(rate ? active : inactive);
      if (rate) rates.insert(*rate);
    }
    list[std::to_string(number)] = {{"name", gpu.name}, {"active", active}, {"inactive", inactive}, {"gbps", rates}};
  }
  return list;
}

TEST(smi_nvlink, real_output_is_read_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("nvidia_smi_other")) {
    if (file.name.find("nvlink") == std::string::npos) continue;
    ++seen;
    const document text{file.text, file.name};
    EXPECT_TRUE(smi_nvlink.recognises(text)) << file.name;
    EXPECT_FALSE(smi_query.recognises(text)) << file.name;
    const smi_nvlink_document all = parse_smi_nvlink(text);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256") continue;
      const json told = key == "by_gpu"   ? by_gpu(all)
                        : key == "elided" ? json(all.is_elided)
                                          : json("the test does not know the key " + key);
      EXPECT_EQ(told, value) << file.name << " " << key;
    }
    const topology::graph machine = smi_nvlink.read(text, {"n1"});
    for (const auto& [number, gpu] : file.truth.at("by_gpu").items()) {
      EXPECT_EQ(attribute_of(machine, "n1:GPU" + number, attribute::nvlinks_active), gpu.at("active").dump());
      EXPECT_EQ(attribute_of(machine, "n1:GPU" + number, attribute::nvlinks_inactive), gpu.at("inactive").dump());
    }
  }
  EXPECT_EQ(seen, 3u);
}

TEST(smi_nvlink, links_lead_to_switches_where_the_product_leaves_no_doubt) {
  const topology::graph eight = read("switched_eight.txt");
  EXPECT_EQ(testing::links_between(eight, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 8u * 18u);
  const auto link =
      std::ranges::find_if(eight.edges(), [](const auto& each) { return each.kind == edge_kind::nvlink; });
  ASSERT_NE(link, eight.edges().end());
  EXPECT_DOUBLE_EQ(link->rate.value().bytes_per_second, 26.562e9);
  EXPECT_EQ(link->source, topology::provenance::file);
  EXPECT_TRUE(eight.tells(topology::aspect::nvlink));
  EXPECT_EQ(testing::derive_all(eight).hosted.tree.size(), 8);
  const topology::graph four = read("mesh_of_four.txt");
  EXPECT_EQ(testing::links_between(four, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 0u);
  EXPECT_TRUE(has_finding(four, "nvlink-peers-untold"));
  EXPECT_FALSE(four.tells(topology::aspect::nvlink));
  EXPECT_EQ(attribute_of(four, "n1:GPU3", attribute::nvlinks_active), "12");
}

TEST(smi_nvlink, quirks) {
  const topology::graph inactive = read("inactive.txt");
  EXPECT_EQ(attribute_of(inactive, "n1:GPU3", "nvlinks_inactive_numbers"), "3, 5");
  EXPECT_EQ(attribute_of(inactive, "n1:GPU3", attribute::uuid), "");
  const topology::graph none = read("all_inactive.txt");
  EXPECT_EQ(attribute_of(none, "n1:GPU1", attribute::nvlinks_active), "0");
  EXPECT_TRUE(none.tells(topology::aspect::nvlink));
  const topology::graph without = read("no_nvlink.txt");
  EXPECT_EQ(testing::count_of(without, node_kind::gpu), 2u);
  EXPECT_TRUE(without.tells(topology::aspect::nvlink));
  const topology::graph elided = read("elided.txt");
  EXPECT_TRUE(has_finding(elided, "text-elided"));
  EXPECT_FALSE(elided.tells(topology::aspect::gpus));
  EXPECT_TRUE(has_finding(read("slow_link.txt"), "unequal-nvlink-rates"));
  const topology::graph odd = read("odd_status.txt");
  EXPECT_TRUE(has_finding(odd, "unknown-link-status"));
  EXPECT_TRUE(has_finding(odd, "contradictory-links"));
  EXPECT_EQ(attribute_of(odd, "n1:GPU0", attribute::nvlinks_inactive), "1");
}

TEST(smi_nvlink, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const std::string text = fixture("smi-nvlink", name);
    const error failure = error_of([&] { smi_nvlink.read({text, name}, {"n1"}); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_no_gpu.txt", "line 1 (a link before the first GPU");
  says("bad_link_number.txt", "line 2 (link 1000000000 of one GPU");
  says("bad_gpu_number.txt", "line 1 (GPU 1000000000 of one host");
  says("bad_empty.txt", "it names no GPU");
}

TEST(smi_nvlink, survives_random_changes) {
  testing::expect_survives(smi_nvlink, 60, topology::test_seed());
}

}  // namespace
}  // namespace hawser::discovery
