// rocm-smi --showtopo: real machines' tables, and one fixture for each quirk.
#include "discovery/sources/rocm_topo_parse.hpp"

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

topology::graph read(const std::string& name) {
  const std::string text = fixture("rocm-topo", name);
  EXPECT_TRUE(rocm_topo.recognises({text, name})) << name;
  for (const file_source* other : {&smi_topo, &smi_p2p, &smi_query, &smi_query_xml, &smi_nvlink, &fabric_csv})
    EXPECT_FALSE(other->recognises({text, name})) << name << " " << other->kind;
  return rocm_topo.read({text, name}, {"n1"});
}

std::size_t xgmi_of(const topology::graph& machine) {
  return testing::links_between(machine, edge_kind::xgmi, node_kind::gpu, node_kind::gpu);
}

json rows_of(const rocm_table& table) {
  json rows = json::object();
  for (const auto& [gpu, cells] : table.rows) {
    std::string row;
    for (const std::string& cell : cells) row += (row.empty() ? "" : " ") + cell;
    rows["GPU" + std::to_string(gpu)] = row;
  }
  return rows;
}

TEST(rocm_topo, real_tables_are_read_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  const auto files = testing::real_files_of("rocm_smi");
  EXPECT_EQ(files.size(), 2u);
  for (const auto& file : files) {
    const document text{file.text, file.name};
    EXPECT_TRUE(rocm_topo.recognises(text));
    const rocm_topo_document all = parse_rocm_topo(text);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256") continue;
      const json told = key == "gpus" ? json(all.gpus.size()) : rows_of(all.tables.at(key));
      EXPECT_EQ(told, value) << file.name << " " << key;
    }
    const topology::graph machine = rocm_topo.read(text, {"n1"});
    EXPECT_EQ(xgmi_of(machine), file.name.find("mi210") != std::string::npos ? 6u : 0u) << file.name;
    EXPECT_EQ(testing::derive_all(machine).hosted.tree.size(), 4);
  }
}

TEST(rocm_topo, weights_tell_direct_links_from_paths_through_others) {
  EXPECT_EQ(xgmi_of(read("mesh.txt")), 6u);
  EXPECT_FALSE(has_finding(read("mesh.txt"), "xgmi-through-others"));
  const topology::graph ring = read("ring.txt");
  EXPECT_EQ(xgmi_of(ring), 4u);
  EXPECT_TRUE(has_finding(ring, "xgmi-through-others"));
  EXPECT_EQ(xgmi_of(read("two_hives.txt")), 2u);
}

TEST(rocm_topo, numa_nodes_and_hops_place_gpus_at_cpus) {
  const topology::graph mesh = read("mesh.txt");
  EXPECT_EQ(testing::count_of(mesh, node_kind::cpu), 2u);
  EXPECT_EQ(attribute_of(mesh, "n1:GPU2", topology::attribute::numa), "1");
  EXPECT_EQ(testing::links_between(mesh, edge_kind::interconnect, node_kind::cpu, node_kind::cpu), 1u);
  EXPECT_EQ(attribute_of(read("ring.txt"), "n1:GPU1", topology::attribute::numa), "-1");  // printed unsigned
  const topology::graph pcie = read("pcie.txt");
  EXPECT_EQ(testing::count_of(pcie, node_kind::cpu), 2u);
  EXPECT_EQ(testing::links_between(pcie, edge_kind::pci, node_kind::gpu, node_kind::cpu), 4u);
}

TEST(rocm_topo, quirks) {
  EXPECT_EQ(testing::count_of(read("one_gpu.txt"), node_kind::gpu), 1u);
  const topology::graph other = read("other_tables.txt");
  EXPECT_EQ(xgmi_of(other), 1u);
  EXPECT_TRUE(has_finding(other, "asymmetric-matrix"));
  EXPECT_TRUE(has_finding(read("unknown_type.txt"), "unknown-link-type"));
  const topology::graph numa = read("numa_only.txt");
  EXPECT_EQ(testing::count_of(numa, node_kind::gpu), 2u);
  EXPECT_FALSE(numa.tells(topology::aspect::nvlink));
}

TEST(rocm_topo, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const std::string text = fixture("rocm-topo", name);
    const error failure = error_of([&] { rocm_topo.read({text, name}, {"n1"}); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_short_row.txt", "line 5 (the row of GPU1 has 1 of 2 cells");
  says("bad_missing_row.txt", "line 2 (the table \"Link Type\" has no row for GPU2");
  says("bad_column_twice.txt", "line 3 (\"GPU0\" is no column of its own");
  says("bad_empty.txt", "it has no table of GPUs");
}

TEST(rocm_topo, survives_random_changes) {
  testing::expect_survives(rocm_topo, 60, topology::test_seed());
}

}  // namespace
}  // namespace hawser::discovery
