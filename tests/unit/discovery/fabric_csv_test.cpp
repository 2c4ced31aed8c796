// Lines of cluster UUID and clique id: the real file, and one fixture for each quirk.
#include "discovery/sources/fabric_csv_parse.hpp"

#include <string>

#include <gtest/gtest.h>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/sources/sources.hpp"
#include "support/smi.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using testing::attribute_of;
using testing::fixture;
using topology::error_of;
using topology::node_kind;
namespace attribute = topology::attribute;

constexpr const char* cluster = "0f0e0d0c-0001-0002-0003-000000000004";

topology::graph read(const std::string& name) {
  const std::string text = fixture("fabric-csv", name);
  EXPECT_TRUE(fabric_csv.recognises({text, name})) << name;
  for (const file_source* other : {&smi_topo, &smi_p2p, &smi_query, &smi_query_xml, &smi_nvlink, &rocm_topo})
    EXPECT_FALSE(other->recognises({text, name})) << name << " " << other->kind;
  return fabric_csv.read({text, name}, {"n1"});
}

TEST(fabric_csv, the_real_file_is_ambiguous_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("nvidia_smi_other")) {
    if (file.name.find("fabric_csv") == std::string::npos) continue;
    ++seen;
    for (const auto& [key, value] : file.truth.items())
      EXPECT_TRUE(key == "_sha256" || key == "expect" || key == "lines") << key;
    EXPECT_TRUE(fabric_csv.recognises({file.text, file.name}));
    const error failure = error_of([&] { parse_fabric_csv({file.text, file.name}); });
    EXPECT_EQ(failure.code(), errc::parse);
    const std::string message = failure.what();
    EXPECT_NE(message.find(file.truth.at("expect").get<std::string>()), std::string::npos) << message;
    EXPECT_NE(message.find("line " + file.truth.at("lines").dump()), std::string::npos) << message;
  }
  EXPECT_EQ(seen, 1u);
}

TEST(fabric_csv, a_line_is_a_gpu_of_the_host) {
  const topology::graph machine = read("one_host.txt");
  EXPECT_EQ(testing::count_of(machine, node_kind::gpu), 2u);
  const auto domain = machine.find(topology::identity::clique(cluster, "7"));
  ASSERT_TRUE(domain);
  EXPECT_EQ(machine.edges_of(*domain).size(), 2u);
  EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::cluster_uuid), cluster);
  EXPECT_EQ(attribute_of(machine, "n1:GPU1", attribute::clique_id), "7");
  EXPECT_EQ(testing::count_of(read("header.txt"), node_kind::gpu), 1u);
}

TEST(fabric_csv, hosts_share_a_domain_or_not) {
  const topology::graph machine = read("hosts.txt");
  EXPECT_EQ(testing::count_of(machine, node_kind::host), 3u);
  EXPECT_EQ(testing::count_of(machine, node_kind::gpu), 5u);
  EXPECT_EQ(machine.edges_of(*machine.find(topology::identity::clique(cluster, "1"))).size(), 4u);
  EXPECT_EQ(machine.edges_of(*machine.find(topology::identity::clique(cluster, "2"))).size(), 1u);
}

TEST(fabric_csv, a_line_for_each_host_tells_no_gpus) {
  const topology::graph machine = read("per_host.txt");
  EXPECT_EQ(testing::count_of(machine, node_kind::host), 3u);
  EXPECT_EQ(testing::count_of(machine, node_kind::nvswitch), 1u);  // a zero UUID names none, case does not matter
  EXPECT_FALSE(machine.tells(topology::aspect::gpus));
  EXPECT_EQ(attribute_of(machine, "n3", attribute::cluster_uuid), "00000000-0000-0000-0000-000000000000");
}

TEST(fabric_csv, absent_values_name_no_domain) {
  const topology::graph machine = read("absent.txt");
  EXPECT_EQ(testing::count_of(machine, node_kind::gpu), 2u);
  EXPECT_EQ(testing::count_of(machine, node_kind::nvswitch), 0u);
}

TEST(fabric_csv, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const std::string text = fixture("fabric-csv", name);
    const error failure = error_of([&] { fabric_csv.read({text, name}, {"host"}); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_ambiguous.txt", "line 2 (ambiguous: one node reports two NVLink partitions");
  says("bad_line.txt", "line 2 (");
  says("bad_name.txt", "line 2 (lines with the name of \"host\" and without one");
  says("bad_empty.txt", "no line of cluster UUID");
}

TEST(fabric_csv, other_tables_of_commas_are_not_taken_for_it) {
  for (const char* text : {"a,b,c\n", "n1: 5e797fc6-0f46-421a-8724-0e102c0f723c\n", "1, 2, 3, 4\n", "{\"a\", 1}\n",
                           "SwitchName=s1, Nodes=n[1-2]\n", "", "# comment\n"})
    EXPECT_FALSE(fabric_csv.recognises({text, "other"})) << text;
}

TEST(fabric_csv, survives_random_changes) {
  testing::expect_survives(fabric_csv, 150, topology::test_seed());
}

}  // namespace
}  // namespace hawser::discovery
