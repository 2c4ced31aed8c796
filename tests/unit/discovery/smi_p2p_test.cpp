// nvidia-smi topo -p2p: a real matrix, and one fixture for each quirk.
#include "discovery/sources/smi_p2p_parse.hpp"

#include <string>

#include <gtest/gtest.h>

#include "discovery/sources/sources.hpp"
#include "support/smi.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using testing::attribute_of;
using testing::fixture;
using testing::has_finding;
using topology::error_of;
using topology::node_kind;

topology::graph read(const std::string& name) {
  const std::string text = fixture("smi-p2p", name);
  EXPECT_TRUE(smi_p2p.recognises({text, name})) << name;
  for (const file_source* other : {&smi_topo, &smi_nvlink, &smi_query, &smi_query_xml, &fabric_csv, &rocm_topo})
    EXPECT_FALSE(other->recognises({text, name})) << name << " " << other->kind;
  return smi_p2p.read({text, name}, {"n1"});
}

TEST(smi_p2p, the_real_matrix_is_read_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("nvidia_smi_other")) {
    if (file.name.find("p2p") == std::string::npos) continue;
    ++seen;
    const document text{file.text, file.name};
    EXPECT_TRUE(smi_p2p.recognises(text));
    EXPECT_FALSE(smi_topo.recognises(text));
    const p2p_document all = parse_p2p(text);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256") continue;
      nlohmann::json told = "the test does not know the key " + key;
      if (key == "gpus") told = all.found.best.columns.size();
      if (key == "rows") {
        told = nlohmann::json::object();
        for (const matrix_row& row : all.found.best.rows) {
          std::string cells;
          for (std::uint16_t cell : row.cells) cells += (cells.empty() ? "" : " ") + p2p_cell_name(cell);
          told[row.name] = cells;
        }
      }
      EXPECT_EQ(told, value) << key;
    }
    EXPECT_EQ(testing::count_of(smi_p2p.read(text, {"n1"}), node_kind::gpu), 4u);
  }
  EXPECT_EQ(seen, 1u);
}

TEST(smi_p2p, statuses_become_attributes_and_refusals_findings) {
  const topology::graph ok = read("all_ok.txt");
  EXPECT_EQ(attribute_of(ok, "n1:GPU1", "p2p_read"), "OK X OK OK");
  EXPECT_TRUE(ok.findings().empty());
  EXPECT_TRUE(ok.tells(topology::aspect::gpus));
  EXPECT_FALSE(ok.tells(topology::aspect::nvlink));
  const topology::graph refused = read("refused.txt");
  EXPECT_EQ(attribute_of(refused, "n1:GPU2", "p2p_access"), "CNS CNS X");
  ASSERT_EQ(refused.findings().size(), 1u);
  EXPECT_EQ(refused.findings()[0].code, "no-peer-access");
  EXPECT_EQ(refused.findings()[0].message,
            "no peer-to-peer access (CNS, chipset not supported): GPU0 - GPU2, GPU1 - GPU2, GPU2 - GPU0, GPU2 - GPU1");
}

TEST(smi_p2p, quirks) {
  EXPECT_EQ(attribute_of(read("geforce.txt"), "n1:GPU0", "p2p_write"), "X GNS");
  EXPECT_EQ(attribute_of(read("registry.txt"), "n1:GPU0", "p2p_pcie"), "X DR");
  EXPECT_EQ(attribute_of(read("spaces.txt"), "n1:GPU1", "p2p_access"), "NS X");
  EXPECT_EQ(attribute_of(read("one.txt"), "n1:GPU0", "p2p_access"), "X");
  EXPECT_TRUE(has_finding(read("cut.txt"), "matrix-incomplete"));
  const topology::graph two = read("two.txt");
  EXPECT_EQ(attribute_of(two, "n1:GPU0", "p2p_nvlink"), "X OK");
  EXPECT_TRUE(has_finding(two, "several-matrices"));
}

TEST(smi_p2p, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const std::string text = fixture("smi-p2p", name);
    const error failure = error_of([&] { smi_p2p.read({text, name}, {"n1"}); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_nic.txt", "line 1 (the column \"NIC0\" is no GPU");
  says("bad_cut.txt", "line 2 (the row of GPU0 ends after 2 of 3 cells");
  says("bad_no_rows.txt", "line 1 (no row follows the header");
}

TEST(smi_p2p, survives_random_changes) {
  testing::expect_survives(smi_p2p, 100, topology::test_seed());
}

}  // namespace
}  // namespace hawser::discovery
