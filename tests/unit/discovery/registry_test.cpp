// Tests that hold for every kind of topology file: real files are recognised as what they are, and nothing else;
// fixtures are read, or refused with a reason; what is read survives merging and JSON.
#include <hawser/discovery/source.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>

#include <hawser/discovery/lint.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/json.hpp>
#include <hawser/topology/merge.hpp>

#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

namespace fs = std::filesystem;
using testing::text_of;
using topology::error_of;

/// What the names of the real files say that they are; the first that matches counts.
const std::vector<std::pair<std::string, std::string>> kind_of_name = {
    {"hwloc/.*", "hwloc-xml"},
    {".*/iblinkinfo_.*", "iblinkinfo"},
    {".*/ibnetdiscover_p_.*", "ibnetdiscover-p"},
    {".*/ibsim_net.*", "ibsim-net"},
    {".*\\.ibnet", "ibnetdiscover"},
    {"k8s/.*", "kubernetes"},
    {"malformed/(gb300|h200)_.*\\.xml", "nccl-xml"},
    {"malformed/sglang_.*", "smi-topo"},
    {".*/simgrid_.*\\.xml", "simgrid"},
    {"nccl_xml/flagcx_.*", "flagcx-xml"},
    {"nccl_xml/.*", "nccl-xml"},
    {".*/.*nvlink_s.*", "smi-nvlink"},
    {".*/fabric_csv.*", "fabric-csv"},
    {".*/.*_topo_p2p_.*", "smi-p2p"},
    {".*/q_x_.*", "smi-q-xml"},
    {".*/q_.*", "smi-q"},
    {"nvidia_smi_topo/.*", "smi-topo"},
    {"rocm_smi/.*", "rocm-topo"},
    {"scheduler/.*clusterUUIDs.*", "cluster-uuids"},
    {"scheduler/.*\\.yaml", "slurm-yaml"},
    {"scheduler/.*", "slurm-conf"},
    {"simulator/.*\\.yml", "astra-sim"},
    {"simulator/.*\\.topo", "htsim"},
    {"topograph_model/.*", "topograph"},
};

std::string kind_of(const std::string& name) {
  for (const auto& [pattern, kind] : kind_of_name)
    if (std::regex_match(name, std::regex(pattern))) return kind;
  return {};
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(folder)) return found;
  for (const auto& each : fs::recursive_directory_iterator(folder))
    if (each.is_regular_file()) found.push_back(each.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> kinds_that_recognise(const document& file) {
  std::vector<std::string> found;
  for (const file_source& each : file_sources())
    if (each.recognises(file)) found.emplace_back(each.kind);
  return found;
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t most_nodes = 5'000;  // the optimised build looks at larger machines
#else
constexpr std::size_t most_nodes = static_cast<std::size_t>(-1);
#endif

/// What holds for whatever a source has read.
void expect_sound(const topology::graph& machine, const std::string& name) {
  if (machine.nodes().size() > most_nodes) return;
  // As it is merged, a file that tells a GPU's links to switches both visible and hidden loses the hidden ones.
  topology::graph once;
  topology::merge(once, machine);
  topology::graph twice = once;
  topology::merge(twice, machine);
  EXPECT_TRUE(twice.nodes() == once.nodes()) << name;
  EXPECT_EQ(twice.edges().size(), once.edges().size()) << name;
  EXPECT_TRUE(topology::graph_from_json(topology::to_json(machine)) == machine) << name;
  lint(machine);
  try {
    topology::derive(machine);
  } catch (const error& failure) {
    EXPECT_TRUE(failure.code() == errc::invalid_argument || failure.code() == errc::unsupported) << failure.what();
  }
}

TEST(sources, have_names_of_their_own) {
  std::vector<std::string_view> kinds;
  for (const file_source& each : file_sources()) kinds.push_back(each.kind);
  std::sort(kinds.begin(), kinds.end());
  EXPECT_EQ(std::adjacent_find(kinds.begin(), kinds.end()), kinds.end());
  EXPECT_EQ(error_of([] { file_source_of("tarot"); }).code(), errc::not_found);
}

TEST(sources, every_real_file_is_recognised_as_its_kind_only) {
  HAWSER_NEEDS_REAL_FILES();
  int files = 0;
  for (const fs::path& each : files_below(testing::real_files())) {
    const std::string name = fs::relative(each, testing::real_files()).generic_string();
    if (each.extension() == ".md") continue;
    ++files;
    EXPECT_EQ(kinds_that_recognise({text_of(each), name}), std::vector<std::string>{kind_of(name)}) << name;
  }
  EXPECT_GT(files, 150);
}

TEST(sources, real_files_are_read_or_refused_with_a_reason) {
  HAWSER_NEEDS_REAL_FILES();
  for (const fs::path& each : files_below(testing::real_files())) {
    const std::string name = fs::relative(each, testing::real_files()).generic_string();
    if (each.extension() == ".md") continue;
    const std::string text = text_of(each);
    try {
      expect_sound(read(file_source_of(kind_of(name)), {text, name}), name);
    } catch (const error& failure) {
      // The fabric CSV gives one host two partitions, which nobody can read.
      const bool is_bad = name.starts_with("malformed/") || name.ends_with("fabric_csv_cases.txt");
      EXPECT_TRUE(is_bad || failure.code() == errc::unsupported) << failure.what();
      EXPECT_NE(std::string(failure.what()).find(name), std::string::npos) << failure.what();
    }
  }
}

TEST(sources, fixtures_are_read_or_refused_with_a_reason) {
  for (const file_source& kind : file_sources()) {
    const std::vector<fs::path> fixtures = files_below(fs::path(HAWSER_TEST_DATA) / "data" / kind.kind);
    EXPECT_FALSE(fixtures.empty()) << kind.kind;
    for (const fs::path& each : fixtures) {
      const std::string text = text_of(each), name = each.string();
      const bool is_bad = each.filename().string().starts_with("bad_");
      try {
        const topology::graph machine = read(kind, {text, name});
        EXPECT_FALSE(is_bad) << name;
        EXPECT_EQ(kinds_that_recognise({text, name}), std::vector<std::string>{std::string(kind.kind)}) << name;
        expect_sound(machine, name);
      } catch (const error& failure) {
        EXPECT_TRUE(is_bad || failure.code() == errc::unsupported) << failure.what();
        EXPECT_NE(std::string(failure.what()).find(name), std::string::npos) << failure.what();
      }
    }
  }
}

TEST(sources, no_kind_takes_what_is_none) {
  for (const std::string& text : {std::string(), std::string("hello\n"), std::string(100000, '\0'),
                                  std::string("<?xml version=\"1.0\"?>\n<html><body/></html>\n"), std::string("{}"),
                                  std::string("[1, 2]"), std::string("a: 1\nb: 2\n"), std::string("<")}) {
    EXPECT_TRUE(kinds_that_recognise({text, "file"}).empty()) << text.substr(0, 40);
    EXPECT_EQ(error_of([&] { recognise({text, "file"}); }).code(), errc::parse);
  }
}

TEST(sources, a_kind_and_a_host_may_be_named) {
  EXPECT_EQ(error_of([] { read_file("nccl-xml@n1:/does/not/exist"); }).code(), errc::io);
  const error other = error_of([] { read_file("tarot:file"); });
  EXPECT_EQ(other.code(), errc::io);
  EXPECT_NE(std::string(other.what()).find("tarot:file"), std::string::npos);
}

}  // namespace
}  // namespace hawser::discovery
