// Tests what Slurm's variables and files and Kubernetes' labels tell of this machine, in an environment made up here.
#include <filesystem>
#include <fstream>
#include <map>

#include <unistd.h>

#include <hawser/discovery/live.hpp>
#include <hawser/topology/identity.hpp>
#include <hawser/topology/merge.hpp>

#include "support/placement.hpp"

namespace hawser::discovery {
namespace {

using names = std::vector<std::string>;

class live_scheduler : public ::testing::Test {
 protected:
  ~live_scheduler() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  topology::graph discover(std::string_view source, std::map<std::string, std::string> variables) const {
    live_environment environment;
    environment.host = "n3.cluster";
    environment.root = root_.string();
    environment.variable = [&](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    // A job's hosts ask "slurm" each and "slurm-files" once.
    topology::graph machine;
    int asked = 0;
    for (const live_source& each : live_sources()) {
      if (!each.name.starts_with(source)) continue;
      topology::merge(machine, each.discover(environment));
      ++asked;
    }
    EXPECT_GT(asked, 0) << "no source " << source;
    return machine;
  }
  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("hawser_live_" + std::to_string(getpid()));
};

TEST_F(live_scheduler, rings_and_toruses_of_the_job_only) {
  write("etc/slurm/topology.yaml",
        "- topology: t\n  cluster_default: true\n  torus3d:\n    toruses:\n      - name: pod\n        dims: {x: 2, y: "
        "2, z: 1}\n"
        "        nodes: n[1-4]\n");
  const topology::graph machine = discover("slurm", {{"SLURM_JOB_ID", "1"}, {"SLURM_JOB_NODELIST", "n[2,4]"}});
  ASSERT_TRUE(machine.find(topology::identity::network_switch("pod")));
  EXPECT_EQ(testing::count(machine, topology::node_kind::host), 2u);
  const auto host = machine.find(topology::identity::host("n4"));
  ASSERT_TRUE(host);
  EXPECT_EQ(machine.nodes()[*host].attributes.at("torus_position"), "1,1,0");
}

constexpr const char* tree =
    "SwitchName=s0 Nodes=n[1-2]\nSwitchName=s1 Nodes=n[3-4]\nSwitchName=s2 Nodes=n[5-9]\nSwitchName=top "
    "Switches=s[0-2]\n";

TEST_F(live_scheduler, nothing_is_said_once) {
  EXPECT_EQ(testing::codes(discover("slurm", {})), names{"no-slurm"});
  EXPECT_EQ(testing::codes(discover("kubernetes", {})), names{"no-node-labels"});
  EXPECT_TRUE(discover("slurm", {}).nodes().empty());
}

TEST_F(live_scheduler, tree_of_the_job_only) {
  write("etc/slurm/topology.conf", tree);
  const topology::graph all = discover("slurm", {});
  EXPECT_EQ(testing::levels(all), (names{"rack:3", "node:9"}));
  const topology::graph job =
      discover("slurm", {{"SLURM_JOB_NODELIST", "n[2-4]"}, {"SLURMD_NODENAME", "n3"}, {"SLURM_JOB_ID", "1"}});
  EXPECT_TRUE(job.findings().empty());
  EXPECT_EQ(testing::levels(job), (names{"rack:2", "node:3"}));
  EXPECT_FALSE(job.find("switch/s2"));
  EXPECT_TRUE(job.tells(topology::aspect::hosts));
  EXPECT_EQ(job.edges().front().source, topology::provenance::reported);
  // this host under both of its names
  EXPECT_EQ(job.find("host/n3"), job.find("host/n3.cluster"));
}

TEST_F(live_scheduler, conf_variable_yaml_first_and_blocks) {
  write("opt/slurm/topology.conf", "nonsense");
  write("opt/slurm/topology.yaml",
        "- topology: t\n  block:\n    block_sizes: [2, 4]\n    blocks:\n      - {block: b1, nodes: 'n[1-2]'}\n"
        "      - {block: b2, nodes: 'n[3-4]'}\n      - {block: b3, nodes: 'n[5-6]'}\n      - {block: b4, nodes: "
        "'n[7-8]'}\n");
  const topology::graph job =
      discover("slurm", {{"SLURM_CONF", "/opt/slurm/slurm.conf"}, {"SLURM_NODELIST", "n[1-2,5-8]"}});
  EXPECT_EQ(testing::levels(job), (names{"block_4:2", "block:3", "node:6"}));
  write("opt/slurm/topology.yaml", "- topology: [\n");
  EXPECT_EQ(testing::codes(discover("slurm", {{"SLURM_CONF", "/opt/slurm/slurm.conf"}})), names{"unreadable-file"});
}

TEST_F(live_scheduler, address_where_there_is_no_file) {
  const std::map<std::string, std::string> job = {{"SLURM_JOB_NODELIST", "n[3-4]"},
                                                  {"SLURMD_NODENAME", "n3"},
                                                  {"SLURM_TOPOLOGY_ADDR", "core[0-1]..leaf2.n3"},
                                                  {"SLURM_TOPOLOGY_ADDR_PATTERN", "switch.switch.switch.node"}};
  const topology::graph machine = discover("slurm", job);
  EXPECT_EQ(testing::count(machine, topology::node_kind::host), 2u);
  EXPECT_EQ(testing::roots(machine), (names{"core0", "core1"}));
  const auto leaf = machine.find("switch/leaf2"), host = machine.find("host/n3");
  ASSERT_TRUE(leaf && host);
  EXPECT_EQ(machine.nodes()[*leaf].kind, topology::node_kind::leaf_switch);
  EXPECT_EQ(machine.edges_of(*leaf).size(), 3u);
  auto block = job;
  block["SLURM_TOPOLOGY_ADDR"] = "b7.n3.cluster";
  block["SLURM_TOPOLOGY_ADDR_PATTERN"] = "block.node";
  EXPECT_EQ(testing::hosts_of_domains(discover("slurm", block)), (std::map<std::string, std::size_t>{{"b7", 1}}));
  block["SLURM_TOPOLOGY_ADDR"] = "n3";
  EXPECT_EQ(testing::codes(discover("slurm", block)).front(), "malformed-variable");
}

TEST_F(live_scheduler, damaged_variables_are_findings) {
  EXPECT_EQ(testing::codes(discover("slurm", {{"SLURM_JOB_NODELIST", "n[3-"}})), names{"malformed-variable"});
}

TEST_F(live_scheduler, labels_of_this_node) {
  write("etc/podinfo/labels",
        "app=\"x\"\nnvidia.com/gpu.clique=\"0a1b2c3d-0000-1111-2222-333344445555.3\"\nnvidia.com/gpu.count=\"4\"\n"
        "topology.kubernetes.io/zone=\"z1\"\nfabric.topograph.run/tier-0=\"leaf\"\nnetwork.topology.nvidia.com/"
        "spine=\"a\\\"b\"\n");
  const topology::graph machine = discover("kubernetes", {});
  EXPECT_EQ(testing::codes(machine), names{"malformed-label"});
  EXPECT_TRUE(machine.find(topology::identity::clique("0a1b2c3d-0000-1111-2222-333344445555", "3")));
  EXPECT_TRUE(machine.find("switch/leaf"));
  EXPECT_TRUE(machine.find("zone/z1"));
  EXPECT_EQ(testing::count(machine, topology::node_kind::gpu), 0u);
  write("labels/here", "unrelated=\"1\"\n");
  EXPECT_EQ(testing::codes(discover("kubernetes", {{"HAWSER_NODE_LABELS", "/labels/here"}})), names{"no-node-labels"});
}

}  // namespace
}  // namespace hawser::discovery
