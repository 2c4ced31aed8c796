// Spellings and gaps that files of other machines have, one of each: they are read, and what is lost is a finding.
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include <hawser/discovery/lint.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/discovery/summary.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>
#include <hawser/topology/merge.hpp>

#include "support/smi.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using testing::count_of;
using testing::has_finding;
using testing::links_between;
using topology::aspect;
using topology::edge_kind;
using topology::graph;
using topology::node_kind;

graph recognised(const std::string& kind, const std::string& text) {
  const document file{text, "text"};
  EXPECT_EQ(recognise(file).kind, kind) << text;
  return read(file_source_of(kind), file, {"n1"});
}

std::size_t times(const std::vector<topology::finding>& findings, std::string_view code) {
  return static_cast<std::size_t>(std::ranges::count_if(findings, [&](const auto& each) { return each.code == code; }));
}

TEST(variants, pci_classes_of_any_spelling) {
  const graph machine = recognised("nccl-xml", R"(<system version="1"><cpu numaid="0">
      <pci busid="0000:01:00.0" class="030200"/><pci busid="0000:02:00.0" class="0X0302"/>
      <pci busid="0000:03:00.0" class=" 020700 "/><pci busid="0000:04:00.0" class="0x010802"/>
      <pci busid="0000:05:00.0" class="0x0c0330"/><pci busid="0000:06:00.0" class="0x0b4000"/>
      <pci busid="0000:07:00.0" class="graphics"/></cpu></system>)");
  EXPECT_EQ(count_of(machine, node_kind::gpu), 2u);
  EXPECT_EQ(count_of(machine, node_kind::nic), 1u);
  for (const topology::finding& each : machine.findings()) {
    if (each.code == "other-device") {
      EXPECT_NE(each.message.find("2 PCI devices"), std::string::npos) << each.message;
    }
    if (each.code == "unknown-pci-class") {
      EXPECT_NE(each.message.find("0000:06:00.0, 0000:07:00.0"), std::string::npos) << each.message;
    }
  }
  EXPECT_TRUE(has_finding(machine, "other-device") && has_finding(machine, "unknown-pci-class"));
}

TEST(variants, files_with_a_byte_order_mark) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / ("hawser-" + std::to_string(::getpid()));
  std::ofstream(path) << "\xef\xbb\xbfSwitchName=leaf Nodes=n[1-2]\n";
  for (const std::string& argument : {path.string(), "slurm-conf:" + path.string()})
    EXPECT_EQ(count_of(read_file(argument), node_kind::host), 2u) << argument;
  std::ofstream(path) << "\xff\xfeS";  // what PowerShell writes
  EXPECT_NE(std::string(topology::error_of([&] { read_file(path.string()); }).what()).find("it is UTF-16"),
            std::string::npos);
  std::filesystem::remove(path);
}

TEST(variants, devices_without_a_class_are_no_gpus_but_a_finding) {
  const graph machine =
      recognised("nccl-xml", R"(<system version="1"><cpu numaid="0"><pci busid="0000:00:1b.0"/></cpu></system>)");
  const summary shown = summarise(machine);
  EXPECT_EQ(shown.gpus, 0);
  EXPECT_EQ(shown.nics, 0);
  EXPECT_FALSE(shown.nvlink_domains);
  EXPECT_TRUE(has_finding(machine, "unknown-pci-class"));
}

TEST(variants, a_document_type_may_have_a_subset) {
  const std::string start =
      "<?xml version=\"1.0\"?>\n<!-- it's <any> -->\n<!DOCTYPE x [ <!-- don't > -->\n<!ENTITY a \"]>\">"
      "<!ELEMENT x ANY> ]>\n";
  EXPECT_EQ(
      count_of(recognised("nccl-xml", start + "<system version=\"1\"><cpu numaid=\"0\"/></system>"), node_kind::cpu),
      1u);
  EXPECT_EQ(count_of(recognised("simgrid", start + "<platform version=\"4.1\"><zone id=\"z\" routing=\"None\">"
                                                   "<host id=\"a\" speed=\"1Gf\"/></zone></platform>"),
                     node_kind::host),
            1u);
  EXPECT_EQ(recognise({start + "<nvidia_smi_log><gpu/></nvidia_smi_log>", "t"}).kind, "smi-q-xml");
  EXPECT_EQ(recognise({"$ nvidia-smi -q -x\n<nvidia_smi_log>", "t"}).kind, "smi-q-xml");
  EXPECT_EQ(recognise({start + "<topology version=\"2.0\"><object type=\"Machine\"/></topology>", "t"}).kind,
            "hwloc-xml");
  const document endless{"<!DOCTYPE x [ <!ENTITY a \"", "t"};
  for (const file_source& each : file_sources()) EXPECT_FALSE(each.recognises(endless)) << each.kind;
}

TEST(variants, a_matrix_whose_header_is_cut) {
  for (const char* cut : {"CPU", "CPU Aff", "CPU Affinity  NUMA", "CPU Affinity NUMA Affinity GPU NUMA"}) {
    const graph machine = recognised(
        "smi-topo", std::string("\tGPU0\tGPU1\t") + cut + "\nGPU0\t X \tNV4\t0-7\t0\nGPU1\tNV4\t X \t0-7\t0\n");
    EXPECT_EQ(count_of(machine, node_kind::gpu), 2u) << cut;
    EXPECT_EQ(links_between(machine, edge_kind::nvlink, node_kind::gpu, node_kind::gpu), 4u) << cut;
  }
}

TEST(variants, nics_whose_names_have_no_digits) {
  const graph machine =
      recognised("smi-topo",
                 "\tGPU0\tGPU1\tibs\tmlx5_1\tCPU Affinity\nGPU0\t X \tSYS\tPIX\tSYS\t0-7\n"
                 "GPU1\tSYS\t X \tSYS\tPIX\t8-15\nibs\tPIX\tSYS\t X \tSYS\t\nmlx5_1\tSYS\tPIX\tSYS\t X \t\n");
  EXPECT_EQ(count_of(machine, node_kind::nic), 2u);
  EXPECT_TRUE(machine.find(topology::identity::nic("n1", "ibs")));
  EXPECT_FALSE(has_finding(machine, "matrix-incomplete"));
  // Words of a sentence are no columns.
  for (const file_source& each : file_sources()) EXPECT_FALSE(each.recognises({"GPU0 and GPU1 are fine\n", "t"}));
}

TEST(variants, paths_that_the_driver_could_not_tell) {
  const graph one = recognised("smi-topo",
                               "\tGPU0\tGPU1\tGPU2\tCPU Affinity\nGPU0\t X \tNV4\tN/A\t0-7\n"
                               "GPU1\tNV4\t X \tSYS\t0-7\nGPU2\tN/A\tN/A\t X \tN/A\n");
  EXPECT_EQ(count_of(one, node_kind::gpu), 3u);
  EXPECT_EQ(links_between(one, edge_kind::nvlink, node_kind::gpu, node_kind::gpu), 4u);
  EXPECT_TRUE(has_finding(one, "path-not-told"));
  EXPECT_FALSE(has_finding(one, "asymmetric-matrix"));  // one row that cannot tell contradicts nothing
  EXPECT_FALSE(one.tells(aspect::nvlink));
}

TEST(variants, a_fabric_with_an_adapter_of_no_host) {
  const graph machine =
      recognised("ibnetdiscover",
                 "Switch 4 \"S-0000000000000001\" # \"s1\"\n"
                 "[1] \"H-0000000000000002\"[1] # \"n1 mlx5_0\" lid 1 4xNDR\n"
                 "[2] \"H-0000000000000003\"[1] # \"n2 mlx5_0\" lid 2 4xNDR\n"
                 "[3] \"H-0000000000000004\"[1] # \"MT4129 ConnectX7 Mellanox Technologies\" lid 3 4xNDR\n");
  const summary shown = summarise(machine);
  EXPECT_EQ(shown.hosts, 2);
  EXPECT_EQ(shown.nics, 3);
  EXPECT_TRUE(has_finding(machine, "adapter-without-host"));
}

std::string kubernetes_node(const std::string& name, const std::string& labels) {
  return "apiVersion: v1\nkind: Node\nmetadata:\n  name: " + name + "\n  labels:\n" + labels + "---\n";
}

TEST(variants, kubernetes_nodes_with_cliques_and_counts_tell_nvlink) {
  const std::string clique = "    nvidia.com/gpu.clique: 3fbfc98b-7f95-4749-ab11-bd351a2aab3e.7\n";
  const std::string count = "    nvidia.com/gpu.count: \"4\"\n";
  const graph all =
      recognised("kubernetes", kubernetes_node("a", clique + count) + kubernetes_node("b", clique + count));
  const summary shown = summarise(all);
  ASSERT_TRUE(shown.nvlink_domains);
  ASSERT_EQ(shown.nvlink_domains->size(), 1u);
  EXPECT_EQ(shown.nvlink_domains->front().size(), 8u);
  const graph some = recognised("kubernetes", kubernetes_node("a", clique + count) + kubernetes_node("b", count));
  EXPECT_FALSE(summarise(some).nvlink_domains);
  // `topo -m` of one of the hosts tells of the same switches.
  graph both = all;
  topology::merge(both, read(file_source_of("smi-topo"),
                             {"\tGPU0\tGPU1\tGPU2\tGPU3\nGPU0\tX\tNV18\tNV18\tNV18\nGPU1\tNV18\tX\tNV18\tNV18\n"
                              "GPU2\tNV18\tNV18\tX\tNV18\nGPU3\tNV18\tNV18\tNV18\tX\n",
                              "m"},
                             {"a"}));
  EXPECT_EQ(links_between(both, edge_kind::nvlink, node_kind::gpu, node_kind::nvswitch), 4u * 18 + 4);
  EXPECT_EQ(count_of(both, node_kind::nvswitch), 1u);
}

TEST(variants, links_of_a_clique_count_once) {
  const std::string gpu =
      "  <fabric><state>Completed</state><status>Success</status><cliqueId>7</cliqueId>"
      "<clusterUuid>3fbfc98b-7f95-4749-ab11-bd351a2aab3e</clusterUuid></fabric>";
  std::string query = "<nvidia_smi_log><attached_gpus>2</attached_gpus>";
  for (const char* bus : {"00000000:01:00.0", "00000000:02:00.0"})
    query += "<gpu id=\"" + std::string(bus) + "\"><product_name>NVIDIA GB200</product_name>" + gpu + "</gpu>";
  const graph asked = read(file_source_of("smi-q-xml"), {query + "</nvidia_smi_log>", "q"}, {"n1"});
  const graph partition = read(file_source_of("fabric-csv"), {"n1,3fbfc98b-7f95-4749-ab11-bd351a2aab3e,7\n", "csv"});
  for (const graph* each : {&asked, &partition}) {
    EXPECT_EQ(count_of(*each, node_kind::nvswitch), 1u);
    EXPECT_TRUE(each->find(topology::identity::nvswitches("n1")));
  }
}

TEST(variants, keys_of_other_versions_of_slurm) {
  const graph machine = recognised("slurm-conf",
                                   "BlockName=b1 Nodes=n[0-3]\nBlockName=b2 Nodes=n[4-7]\nBlockLevels=0,1\n"
                                   "SwitchType=any Rack=3\n");
  EXPECT_EQ(count_of(machine, node_kind::host), 8u);
  EXPECT_EQ(times(machine.findings(), "unknown-key"), 2u);
}

TEST(variants, one_fact_is_one_finding) {
  const graph leaves = recognised(
      "slurm-conf", "SwitchName=s0 Nodes=n[0-3]\nSwitchName=s1 Nodes=n[3-7]\nSwitchName=t Switches=s[0-1]\n");
  EXPECT_EQ(times(lint(leaves), "host-under-two-leaves"), 1u);
  const graph roots = recognised("slurm-conf", "SwitchName=s0 Nodes=n[0-3]\nSwitchName=s1 Nodes=n[4-7]\n");
  EXPECT_EQ(times(lint(roots), "several-roots"), 1u);
  EXPECT_EQ(summarise(roots).switches_by_level, (std::map<int, std::int64_t>{{1, 2}}));
}

TEST(variants, a_torus_has_no_roots_to_join) {
  const graph torus =
      recognised("simgrid",
                 "<platform version=\"4.1\"><cluster id=\"c\" prefix=\"n\" suffix=\"\" radical=\"0-11\" speed=\"1Gf\" "
                 "bw=\"125MBps\" lat=\"50us\" topology=\"TORUS\" topo_parameters=\"3,2,2\"/></platform>");
  EXPECT_EQ(times(lint(torus), "several-roots"), 0u);
  const graph mesh = recognised("astra-sim",
                                "topology: [Ring, Ring, Ring]\nnpus_count: [2, 3, 4]\nbandwidth: [50, 25, 12]\n"
                                "latency: [500, 500, 500]\n");
  EXPECT_EQ(times(lint(mesh), "several-roots"), 0u);
}

}  // namespace
}  // namespace hawser::discovery
