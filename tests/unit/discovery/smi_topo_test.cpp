// nvidia-smi topo -m: real machines' matrices against what a careful reader finds, and one fixture for each quirk.
#include "discovery/sources/smi_topo_parse.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/sources/sources.hpp"
#include "support/smi.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using topology::edge_kind;
using topology::node_kind;

topo_document parsed(const std::string& text, const std::string& name) {
  const document file{text, name};
  return topo_document(file, find_matrix(file, topo_cell_at));
}

json names(const topo_document& all, const std::vector<std::size_t>& columns) {
  json list = json::array();
  for (std::size_t each : columns) list.push_back(all.cells().columns[each]);
  return list;
}

std::string gpu_row(const topo_document& all, std::size_t row) {
  std::string cells;
  for (std::size_t each : all.gpus()) cells += (cells.empty() ? "" : " ") + topo_cell_name(*all.cell(row, each));
  return cells;
}

json gpu_rows(const topo_document& all) {
  json rows = json::object();
  for (std::size_t each : all.gpus()) rows[all.cells().columns[each]] = gpu_row(all, each);
  return rows;
}

json histogram(const topo_document& all) {
  json counts = json::object();
  for (std::size_t a : all.gpus())
    for (std::size_t b : all.gpus())
      if (a < b) {
        const std::string name = topo_cell_name(*all.cell(a, b));
        counts[name] = counts.value(name, 0) + 1;
      }
  return counts;
}

json domains(const topo_document& all) {
  json list = json::array();
  for (const nvlink_group& group : all.nvlink_groups()) {
    json gpus = json::array();
    for (std::size_t each : group.gpus) gpus.push_back(*gpu_number(all.cells().columns[each]));
    list.push_back(gpus);
  }
  return list;
}

json closest(const topo_document& all) {
  json list = json::object();
  for (std::size_t each : all.gpus()) {
    std::uint16_t nearest = 0;
    const std::vector<std::size_t> nics = all.nearest_nics(each, nearest);
    if (!nics.empty())
      list[all.cells().columns[each]] = {{"level", topo_cell_name(nearest)}, {"nics", names(all, nics)}};
  }
  return list;
}

json row_names(const std::vector<matrix_row>& rows, bool only_fused = false) {
  json list = json::array();
  for (const matrix_row& each : rows)
    if (!only_fused || each.is_fused) list.push_back(each.name);
  return list;
}

// Every key of TRUTH.md, from the document.
json told_by(const topo_document& all, const std::string& key) {
  if (key == "columns") return all.cells().columns;
  if (key == "rows") return row_names(all.cells().rows);
  if (key == "gpus") return all.gpus().size();
  if (key == "nics") return all.nics().size();
  if (key == "missing_rows") return all.missing_rows();
  if (key == "rows_with_fused_cells") return row_names(all.cells().rows, true);
  if (key == "header_fused") return all.cells().is_header_fused;
  if (key == "gpu_pair_histogram") return histogram(all);
  if (key == "nvlink_domains") return domains(all);
  if (key == "gpu_rows") return gpu_rows(all);
  if (key == "closest_nic_by_gpu") return closest(all);
  if (key == "nic_names") return all.cells().nic_names;
  if (key == "header_fields_after_devices") return all.cells().fields;
  if (key == "affinity_by_gpu") {
    json list = json::object();
    for (const matrix_row& each : all.cells().rows)
      if (gpu_number(each.name)) list[each.name] = each.fields;
    return list;
  }
  return "the test does not know the key " + key;
}

TEST(smi_topo, real_matrices_are_read_as_the_truth_says) {
  HAWSER_NEEDS_REAL_FILES();
  const auto files = testing::real_files_of("nvidia_smi_topo");
  EXPECT_EQ(files.size(), 44u);
  for (const auto& file : files) {
    const topo_document all = parsed(file.text, file.name);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256") continue;
      EXPECT_EQ(told_by(all, key), value) << file.name << " " << key;
    }
    // What TRUTH.md leaves out where there is nothing to say.
    for (const char* key : {"missing_rows", "rows_with_fused_cells"}) {
      if (file.truth.contains(key)) continue;
      EXPECT_EQ(told_by(all, key), json::array()) << file.name << " " << key;
    }
    EXPECT_EQ(all.cells().is_header_fused, file.truth.value("header_fused", false)) << file.name;
  }
}

// The same from the graph: NVLink domains are what NVLink edges join, nearest NICs the fewest steps through PCIe away.
json graph_domains(const topology::graph& machine) {
  topology::detail::disjoint_sets sets(machine.nodes().size());
  for (const topology::edge& each : machine.edges())
    if (each.kind == edge_kind::nvlink) sets.unite(each.a, each.b);
  std::map<std::size_t, json> groups;
  for (std::size_t each = 0; each < machine.nodes().size(); ++each)
    if (machine.nodes()[each].kind == node_kind::gpu)
      groups[sets.find(each)].push_back(std::stoi(machine.nodes()[each].attributes.at(topology::attribute::index)));
  json list = json::array();
  for (const auto& [first, group] : groups)
    if (group.size() > 1) list.push_back(group);
  return list;
}

std::set<std::string> nearest_by_steps(const topology::graph& machine, topology::node_index gpu) {
  std::map<topology::node_index, int> steps{{gpu, 0}};
  std::queue<topology::node_index> open({gpu});
  std::map<int, std::set<std::string>> nics;
  while (!open.empty()) {
    const topology::node_index here = open.front();
    open.pop();
    if (machine.nodes()[here].kind == node_kind::nic) nics[steps[here]].insert(machine.nodes()[here].name);
    for (topology::edge_index each : machine.edges_of(here)) {
      const edge_kind kind = machine.edges()[each].kind;
      const topology::node_index other = machine.other_end(each, here);
      if ((kind == edge_kind::pci || kind == edge_kind::interconnect) && steps.emplace(other, steps[here] + 1).second)
        open.push(other);
    }
  }
  return nics.empty() ? std::set<std::string>{} : nics.begin()->second;
}

TEST(smi_topo, real_matrices_become_graphs_that_agree) {
  HAWSER_NEEDS_REAL_FILES();
  for (const auto& file : testing::real_files_of("nvidia_smi_topo")) {
    SCOPED_TRACE(file.name);
    const document text{file.text, file.name};
    ASSERT_TRUE(smi_topo.recognises(text));
    const topology::graph machine = smi_topo.read(text, {"n1"});
    EXPECT_EQ(testing::count_of(machine, node_kind::gpu), file.truth.at("gpus").get<std::size_t>());
    EXPECT_EQ(testing::count_of(machine, node_kind::nic), file.truth.at("nics").get<std::size_t>());
    EXPECT_EQ(graph_domains(machine), file.truth.at("nvlink_domains"));
    const json nic_names = file.truth.value("nic_names", json::object());
    const json closest_nics = file.truth.value("closest_nic_by_gpu", json::object());
    for (const auto& [gpu, value] : closest_nics.items()) {
      std::set<std::string> expected;
      for (const std::string nic : value.at("nics")) expected.insert("n1:" + nic_names.value(nic, nic));
      EXPECT_EQ(nearest_by_steps(machine, testing::node_named(machine, "n1:" + gpu)), expected) << gpu;
    }
    EXPECT_NO_THROW(testing::derive_all(machine));
  }
}

TEST(smi_topo, links_are_direct_or_to_switches_as_the_numbers_allow) {
  HAWSER_NEEDS_REAL_FILES();
  // GPU-GPU edges, GPU-NVSwitch edges, a doubt is noted
  const std::map<std::string, std::tuple<std::size_t, std::size_t, bool>> expected = {
      {"perlmutter_topo_m", {24, 0, false}},   // A100 mesh of four
      {"h100x4_nv6_nccl1617", {36, 0, true}},  // H100 mesh of four, or four V100 of a DGX-2
      {"sglang_1087", {0, 144, false}},        // HGX H100
      {"sglang_2889", {0, 64, false}},         // HGX A800
      {"sglang_1173", {0, 32, false}},         // half of one: 24 links are more than any GPU of 8 has
      {"sglang_3112", {0, 90, false}},         // five of eight
      {"sglang_3780", {71, 0, false}},         // bridged pairs, one link is down
      {"sglang_4175", {8, 0, true}},           // two of eight, or a bridge
      {"sglang_6083", {4, 0, false}},         {"vllm_16259", {24, 0, false}},  // bridged pairs beside each other
      {"vllm_7935", {18, 0, true}},           {"vllm_17513", {0, 96, false}}, {"vllm_20303", {24, 0, false}},  // DGX-1
      {"vllm_4432", {24, 0, false}},                                                                           //
      {"sglang_929", {0, 0, false}},
  };
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("nvidia_smi_topo")) {
    const std::string name = file.name.substr(file.name.find('/') + 1);
    const auto entry = expected.find(name.substr(0, name.find('.')));
    if (entry == expected.end()) continue;
    ++seen;
    const topology::graph machine = smi_topo.read({file.text, file.name}, {"n1"});
    const auto [direct, switched, is_doubtful] = entry->second;
    EXPECT_EQ(testing::links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::gpu), direct) << name;
    EXPECT_EQ(testing::links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), switched)
        << name;
    EXPECT_EQ(testing::has_finding(machine, "nvlink-direct-or-switched"), is_doubtful) << name;
  }
  EXPECT_EQ(seen, expected.size());
}

TEST(smi_topo, the_real_matrix_that_is_cut_is_read_as_far_as_it_goes) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t seen = 0;
  for (const auto& file : testing::real_files_of("malformed")) {
    if (file.name.find("sglang_1872") == std::string::npos) continue;
    ++seen;
    const document text{file.text, file.name};
    EXPECT_TRUE(smi_topo.recognises(text));
    const topo_document all = parsed(file.text, file.name);
    for (const auto& [key, value] : file.truth.items()) {
      if (key == "_sha256" || key == "expect") continue;
      json told = "the test does not know the key " + key;
      if (key == "gpus") told = all.gpus().size();
      if (key == "nics_in_header") told = all.nics().size();
      if (key == "complete_rows") told = row_names(all.cells().rows);
      if (key == "cut_row") told = all.cells().cut_rows.at(0).name + " (last cell is PH)";
      if (key == "missing_rows") told = all.missing_rows();
      if (key == "gpu_pair_histogram") told = histogram(all);
      EXPECT_EQ(told, value) << key;
    }
    const topology::graph machine = smi_topo.read(text, {"n1"});
    EXPECT_EQ(testing::links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 96u);
    EXPECT_TRUE(testing::has_finding(machine, "matrix-incomplete"));
  }
  EXPECT_EQ(seen, 1u);
}

TEST(smi_topo, other_kinds_of_real_files_are_not_taken_for_it) {
  HAWSER_NEEDS_REAL_FILES();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(testing::real_files())) {
    if (!entry.is_regular_file()) continue;
    const std::string family = entry.path().parent_path().filename(), name = entry.path().filename();
    const std::string text = testing::text_of(entry.path());
    const document file{text, name};
    const bool is_topo = family == "nvidia_smi_topo" || name.starts_with("sglang_1872");
    const bool is_document = name == "TRUTH.md" || name == "INDEX.md";
    if (is_document) continue;
    const bool is_other = family == "nvidia_smi_other";
    EXPECT_EQ(smi_topo.recognises(file), is_topo) << name;
    EXPECT_EQ(smi_p2p.recognises(file), is_other && name.find("p2p") != std::string::npos) << name;
    EXPECT_EQ(smi_nvlink.recognises(file), is_other && name.find("nvlink") != std::string::npos) << name;
    EXPECT_EQ(smi_query.recognises(file), is_other && name.starts_with("q_") && name.ends_with(".txt")) << name;
    EXPECT_EQ(smi_query_xml.recognises(file), is_other && name.starts_with("q_x")) << name;
    EXPECT_EQ(fabric_csv.recognises(file), is_other && name.starts_with("fabric_csv")) << name;
    EXPECT_EQ(rocm_topo.recognises(file), family == "rocm_smi") << name;
  }
}

// Fixtures.

topology::graph read(const std::string& name) {
  const std::string text = testing::fixture("smi-topo", name);
  EXPECT_TRUE(smi_topo.recognises({text, name})) << name;
  for (const file_source* other : {&smi_p2p, &smi_nvlink, &smi_query, &smi_query_xml, &fabric_csv, &rocm_topo})
    EXPECT_FALSE(other->recognises({text, name})) << name << " " << other->kind;
  return smi_topo.read({text, name}, {"n1"});
}

using testing::attribute_of;
using testing::count_of;
using testing::has_finding;

std::size_t direct_links(const topology::graph& machine) {
  return testing::links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::gpu);
}
std::size_t switch_links(const topology::graph& machine) {
  return testing::links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch);
}

TEST(smi_topo, the_tree_has_each_path_at_its_level) {
  const topology::graph machine = read("tabs_and_legend.txt");
  EXPECT_TRUE(machine.findings().empty());
  for (auto what : {topology::aspect::hosts, topology::aspect::gpus, topology::aspect::nvlink, topology::aspect::nics})
    EXPECT_TRUE(machine.tells(what));
  for (auto what : {topology::aspect::numa, topology::aspect::switches, topology::aspect::links})
    EXPECT_FALSE(machine.tells(what));
  EXPECT_EQ(nearest_by_steps(machine, testing::node_named(machine, "n1:GPU3")), std::set<std::string>{"n1:mlx5_5"});
  EXPECT_EQ(attribute_of(machine, "n1:GPU3", "nearest_nics"), "PIX: mlx5_5");
  EXPECT_EQ(count_of(machine, node_kind::pci_switch), 4u);  // a GPU and a NIC below each
  EXPECT_EQ(count_of(machine, node_kind::cpu), 2u);
  EXPECT_TRUE(machine.find(topology::identity::numa("n1", 1)));
  EXPECT_EQ(testing::links_between(machine, edge_kind::interconnect, node_kind::cpu, node_kind::cpu), 1u);
  EXPECT_EQ(attribute_of(machine, "n1:GPU3", topology::attribute::numa), "1");
  EXPECT_EQ(attribute_of(machine, "n1:GPU3", "cpus"), "16-31,48-63");
  EXPECT_EQ(attribute_of(machine, "n1:mlx5_5", topology::attribute::device), "mlx5_5");
  EXPECT_EQ(direct_links(machine), 0u);
  EXPECT_EQ(switch_links(machine), 48u);
}

TEST(smi_topo, escapes_are_removed_however_they_were_copied) {
  for (const char* name : {"escapes.txt", "escapes_without_byte.txt", "escapes_replaced.txt"}) {
    const topology::graph machine = read(name);
    EXPECT_EQ(count_of(machine, node_kind::gpu), 2u) << name;
    EXPECT_EQ(count_of(machine, node_kind::pci_switch), 1u) << name;
    EXPECT_EQ(attribute_of(machine, "n1:GPU1", topology::attribute::numa), "0") << name;
  }
  EXPECT_EQ(plain_line("\x1b[1;31mGPU0\x1b[0m [x] ^[[4mA|B\xc2\xa0\\x1b[0mC"), "GPU0 [x] A B C");
}

TEST(smi_topo, fused_cells_and_names_are_told_apart) {
  const topo_document all = parsed(testing::fixture("smi-topo", "fused.txt"), "fused.txt");
  EXPECT_EQ(all.cells().columns, (std::vector<std::string>{"GPU0", "GPU1", "NIC0", "NIC1", "NIC2"}));
  EXPECT_EQ(row_names(all.cells().rows, true), (json{"GPU0", "GPU1", "NIC2"}));
  EXPECT_TRUE(all.cells().is_header_fused);
  const topology::graph machine = read("fused.txt");
  EXPECT_EQ(attribute_of(machine, "n1:GPU0", topology::attribute::numa), "0");
  EXPECT_EQ(attribute_of(machine, "n1:GPU0", "nearest_nics"), "PIX: NIC0");
  EXPECT_EQ(attribute_of(machine, "n1:GPU1", "nearest_nics"), "PIX: NIC2");
}

TEST(smi_topo, nics_may_have_their_own_names) {
  const topology::graph machine = read("named_nics.txt");
  EXPECT_EQ(count_of(machine, node_kind::nic), 3u);
  EXPECT_EQ(attribute_of(machine, "n1:GPU1", "nearest_nics"), "PXB: mlx5_1");
  EXPECT_TRUE(machine.find(topology::identity::nic("n1", "mlx5_bond_0")));
  const topology::graph old = read("old_driver.txt");
  EXPECT_EQ(attribute_of(old, "n1:GPU2", "nearest_nics"), "SOC: mlx4_0");
  EXPECT_EQ(attribute_of(old, "n1:GPU2", "cpus"), "10-19,30-39");
  EXPECT_TRUE(has_finding(read("repeated_name.txt"), "repeated-nic"));
}

TEST(smi_topo, affinity_says_what_it_says_and_no_more) {
  const topology::graph range = read("numa_range.txt");
  EXPECT_TRUE(has_finding(range, "numa-affinity-spans"));
  EXPECT_EQ(attribute_of(range, "n1:GPU0", topology::attribute::numa), "");
  EXPECT_EQ(attribute_of(read("numa_absent.txt"), "n1:GPU0", topology::attribute::numa), "-1");
  EXPECT_EQ(attribute_of(read("no_affinity.txt"), "n1:GPU0", topology::attribute::numa), "");
  EXPECT_EQ(attribute_of(read("no_affinity.txt"), "n1:GPU0", "cpus"), "");
  EXPECT_EQ(attribute_of(read("strided.txt"), "n1:GPU1", "cpus"), "1,3,5,7,9");
}

TEST(smi_topo, text_around_the_matrix_is_passed_over) {
  const topology::graph prefixed = read("prefixed.txt");
  EXPECT_EQ(attribute_of(prefixed, "n1:GPU0", "nearest_nics"), "PHB: NIC0");
  EXPECT_TRUE(prefixed.findings().empty());
  EXPECT_EQ(direct_links(read("markdown_table.txt")), 4u);
  const topology::graph cut = read("nics_cut_midrow.txt");
  EXPECT_TRUE(has_finding(cut, "matrix-incomplete"));
  EXPECT_EQ(count_of(cut, node_kind::nic), 4u);
  const topology::graph second = read("two_matrices.txt");
  EXPECT_EQ(direct_links(second), 4u);  // the first is cut
  EXPECT_TRUE(has_finding(second, "several-matrices"));
  const topology::graph differ = read("matrices_that_differ.txt");
  EXPECT_EQ(direct_links(differ), 0u);
  ASSERT_TRUE(has_finding(differ, "several-matrices"));
  EXPECT_EQ(differ.findings().back().level, topology::severity::warning);
}

TEST(smi_topo, a_mesh_is_direct_and_what_no_gpu_has_links_for_is_switched) {
  EXPECT_EQ(direct_links(read("mesh_of_four.txt")), 24u);
  EXPECT_EQ(switch_links(read("switched.txt")), 144u);
  EXPECT_EQ(direct_links(read("bridged_pairs.txt")), 24u);
  const topology::graph without = read("switched_one_without.txt");
  EXPECT_EQ(switch_links(without), 54u);
  EXPECT_EQ(testing::derive_all(without).hosted.tree.size(), 4);
  EXPECT_EQ(switch_links(read("switched_one_degraded.txt")), 18u * 3u + 17u);
  const topology::graph hidden = read("hidden_pair.txt");
  EXPECT_EQ(direct_links(hidden), 18u);
  EXPECT_TRUE(has_finding(hidden, "nvlink-direct-or-switched"));
}

TEST(smi_topo, contradictions_are_findings) {
  EXPECT_TRUE(has_finding(read("sys_within_numa.txt"), "numa-differs-from-paths"));
  EXPECT_TRUE(has_finding(read("no_tree.txt"), "inconsistent-pci-paths"));
  const topology::graph asymmetric = read("asymmetric.txt");
  EXPECT_TRUE(has_finding(asymmetric, "asymmetric-matrix"));
  EXPECT_EQ(direct_links(asymmetric), 2u);
  const topology::graph repeated = read("repeated_row.txt");
  EXPECT_TRUE(has_finding(repeated, "contradictory-rows"));
  EXPECT_EQ(direct_links(repeated), 4u);
}

TEST(smi_topo, errors_say_where_and_why) {
  const auto says = [](const std::string& name, const std::string& part) {
    const std::string text = testing::fixture("smi-topo", name);
    const error failure = topology::error_of([&] { smi_topo.read({text, name}, {"n1"}); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << failure.what();
  };
  says("bad_gpus_cut.txt",
       "line 3 (the path between GPU1 and GPU2 is not told: the row of GPU1 ends after 2 of 3 cells");
  says("bad_no_rows.txt", "line 1 (no row follows the header");
  says("bad_column_twice.txt", "line 1 (the column \"GPU0\" occurs twice");
  says("bad_too_many.txt", "line 1 (a matrix of more than 1024 devices");
}

TEST(smi_topo, large_matrices_end_in_time) {
  const auto matrix_of = [](int gpus, const char* cell) {
    std::string text;
    for (int each = 0; each < gpus; ++each) text += "\tGPU" + std::to_string(each);
    text += "\tCPU Affinity\tNUMA Affinity\n";
    for (int row = 0; row < gpus; ++row) {
      text += "GPU" + std::to_string(row);
      for (int each = 0; each < gpus; ++each) text += row == each ? "\t X " : std::string("\t") + cell;
      text += "\t0\t" + std::to_string(row) + "\n";
    }
    return text;
  };
  for (const char* cell : {"NV72", "PIX", "SYS"}) {
    const std::string text = matrix_of(300, cell);
    EXPECT_EQ(count_of(smi_topo.read({text, "large"}, {"n1"}), node_kind::gpu), 300u) << cell;
  }
  std::string many;
  for (int each = 0; each < 10'000; ++each) many += "GPU0\tCPU Affinity\nGPU0\t X \t0\n";
  EXPECT_TRUE(has_finding(smi_topo.read({many, "many"}, {"n1"}), "several-matrices"));
}

TEST(smi_topo, survives_random_changes) {
  testing::expect_survives(smi_topo, 30, topology::test_seed());
}

}  // namespace
}  // namespace hawser::discovery
