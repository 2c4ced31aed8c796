// Tests lists of hosts and NVLink cluster UUIDs.
#include <hawser/discovery/source.hpp>
#include <hawser/topology/identity.hpp>

#include "support/placement.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::text_of;
using topology::error_of;
using names = std::vector<std::string>;

topology::graph read_fixture(const std::string& name) {
  const std::string path = std::string(HAWSER_TEST_DATA) + "/data/cluster-uuids/" + name;
  return file_source_of("cluster-uuids").read({text_of(path), path}, {});
}

TEST(cluster_uuids, real_files_hold_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (const testing::real_file& each : testing::real_files_of("scheduler")) {
    if (each.name.find("UUIDs") == std::string::npos) continue;
    const topology::graph machine = file_source_of("cluster-uuids").read({each.text, each.name}, {});
    const json found = {
        {"lines", std::count(each.text.begin(), each.text.end(), '\n') + (each.text.ends_with('\n') ? 0 : 1)},
        {"distinct_hosts", testing::count(machine, topology::node_kind::host)},
        {"domain_sizes", testing::hosts_of_domains(machine)},
        {"_sha256", each.truth["_sha256"]}};
    EXPECT_EQ(found, each.truth) << each.name;
    EXPECT_EQ(testing::codes(machine), names{"unknown-network"});
    EXPECT_EQ(testing::levels(machine),
              (names{"nvlink_domain:4", "node:" + std::to_string(each.truth["distinct_hosts"].get<int>())}));
    ++files;
  }
  EXPECT_EQ(files, 2);
}

TEST(cluster_uuids, separators_lists_and_repeated_lines) {
  const topology::graph machine = read_fixture("separators.txt");
  EXPECT_EQ(testing::hosts_of_domains(machine),
            (std::map<std::string, std::size_t>{{"0a1b2c3d-0000-1111-2222-333344445555", 3},
                                                {"0a1b2c3d-0000-1111-2222-333344446666", 2}}));
  EXPECT_EQ(testing::codes(machine), names{"unknown-network"});
}

TEST(cluster_uuids, cliques_are_domains_and_zero_is_none) {
  const topology::graph machine = read_fixture("cliques_and_zero.txt");
  EXPECT_TRUE(machine.find(topology::identity::clique("0a1b2c3d-0000-1111-2222-333344445555", "1")));
  EXPECT_EQ(testing::count(machine, topology::node_kind::nvswitch), 2u);
  EXPECT_EQ(testing::codes(machine), (names{"zero-cluster-uuid", "unknown-network"}));
  EXPECT_EQ(machine.findings()[0].subject, "n3");
}

TEST(cluster_uuids, errors_say_line_and_reason) {
  EXPECT_NE(std::string(error_of([] { read_fixture("bad_uuid.txt"); }).what()).find("at line 2"), std::string::npos);
  EXPECT_NE(std::string(error_of([] { read_fixture("bad_line.txt"); }).what())
                .find("\"nothing\" is not a host and a cluster UUID"),
            std::string::npos);
}

TEST(cluster_uuids, damaged_fixtures_are_read_or_refused) {
  testing::expect_damage_is_survived("cluster-uuids");
}

}  // namespace
}  // namespace hawser::discovery
