// Ranks on several hosts discover together what joins them. The hosts are names: each rank's own UTS namespace.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <hawser/topology/describe.hpp>
#include <hawser/topology/fingerprint.hpp>
#include <hawser/topology/json.hpp>
#include <multiprocess/local_job.hpp>
#include <multiprocess/named_hosts.hpp>

namespace hawser {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class discovery_of_hosts : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::may_name_hosts()) GTEST_SKIP() << test::why_hosts_cannot_be_named;
    fs::create_directories(folder_);
    // The machine that runs the test may be in a job or have a configuration of its own.
    setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
    for (const char* name : {"SLURM_TOPOLOGY_ADDR", "SLURM_TOPOLOGY_ADDR_PATTERN", "SLURM_JOB_NODELIST",
                             "SLURM_NODELIST", "SLURMD_NODENAME", "HAWSER_NODE_LABELS"})
      unsetenv(name);
  }
  ~discovery_of_hosts() override { fs::remove_all(folder_); }

  void tell_racks(const std::string& text) const {
    std::ofstream(folder_ / "slurm.conf") << "ClusterName=test\nTopologyPlugin=topology/tree\n";
    std::ofstream(folder_ / "topology.conf") << text;
  }

  /// Whether hosts can tell each other what they are; where not, they are told apart and no more.
  static bool can_describe_hosts() {
    try {
      return !topology::to_json(topology::graph()).empty();
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::unsupported) << refused.what();
      return false;
    }
  }

  /// Ranks 0, 1, ... on the hosts n0, n1, ... in turn; each says its hierarchy, the codes of findings, and a sum.
  std::vector<test::rank_end> run(int ranks, int hosts, const communicator_options& options = {}) const {
    return test::run_job(ranks, milliseconds(10'000), [&](std::unique_ptr<bootstrap::bootstrap> door) {
      if (!test::become_host("n" + std::to_string(door->self().value % hosts)))
        throw error(errc::io, "cannot name the host");
      communicator members(std::move(door), options);
      std::vector<long> sum{members.rank().value + 1L};
      members.all_reduce(sum, sum);
      std::set<std::string> codes;
      for (const topology::finding& each : members.discovered().findings) codes.insert(each.code);
      std::string said = describe(members.hierarchy()) + "; " + topology::fingerprint_text(members.hierarchy()) + "; " +
                         std::to_string(sum[0]) + ";";
      for (const std::string& each : codes) said += " " + each;
      said += ";";
      for (const discovery::phase& each : members.discovered().phases) said += " " + each.name;
      return said;
    });
  }

  const fs::path folder_ = fs::temp_directory_path() / ("hawser_discovery_test_" + std::to_string(getpid()));
};

std::string agreed(const std::vector<test::rank_end>& ends) {
  for (const test::rank_end& each : ends) {
    EXPECT_EQ(each.exit_code, 0) << each.said;
    const auto first = ends[0].said, mine = each.said;
    EXPECT_EQ(mine.substr(0, mine.rfind(';')), first.substr(0, first.rfind(';')));  // all but the phases
  }
  return ends[0].said;
}

TEST_F(discovery_of_hosts, racks_come_from_the_scheduler) {
  if (!can_describe_hosts()) GTEST_SKIP() << "built without nlohmann-json";
  tell_racks("SwitchName=s1 Nodes=n[0-1]\nSwitchName=s2 Nodes=n[2-9]\nSwitchName=top Switches=s[1-2]\n");
  const std::string said = agreed(run(6, 3));
  EXPECT_TRUE(said.starts_with("rack:2 node:[2,1] rank:2, ranks out of order;")) << said;
  EXPECT_NE(said.find("; 21;"), std::string::npos) << said;
}

TEST_F(discovery_of_hosts, hosts_are_told_apart_where_nobody_knows_the_racks) {
  const std::string said = agreed(run(4, 2));
  EXPECT_TRUE(said.starts_with("node:2 gpu:2, ranks out of order;")) << said;
  EXPECT_NE(said.find(" no-hierarchy"), std::string::npos) << said;
}

TEST_F(discovery_of_hosts, one_rank_per_host_asks_it) {
  tell_racks("SwitchName=s1 Nodes=n[0-1]\n");
  const auto ends = run(4, 2);
  agreed(ends);
  for (std::size_t r = 0; r < ends.size(); ++r)
    EXPECT_EQ(ends[r].said.find(" nvml") != std::string::npos, r < 2) << ends[r].said;
}

TEST_F(discovery_of_hosts, hardware_is_asked_once_per_boot) {
  if (!can_describe_hosts()) GTEST_SKIP() << "built without nlohmann-json";
  tell_racks("SwitchName=s1 Nodes=n[0-1]\n");
  communicator_options options;
  options.cache_directory = folder_ / "cache";
  const std::string first = agreed(run(2, 2, options)), second = agreed(run(2, 2, options));
  EXPECT_NE(first.find(" nvml"), std::string::npos) << first;
  EXPECT_EQ(second.find(" nvml"), std::string::npos) << second;
  EXPECT_EQ(first.substr(0, first.rfind(';')), second.substr(0, second.rfind(';')));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache"), {}), 2) << "one file per host, and no drafts";
}

TEST_F(discovery_of_hosts, hosts_alone_on_request) {
  tell_racks("SwitchName=s1 Nodes=n[0-1]\n");
  communicator_options options;
  options.topology = "hosts";
  const std::string said = agreed(run(2, 2, options));
  EXPECT_TRUE(said.starts_with("node:2 gpu:1;")) << said;
}

}  // namespace
}  // namespace hawser
