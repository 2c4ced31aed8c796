// Ports that go down or slow while a job runs, as their hosts' /sys says: all ranks plan anew. Hosts are names, each
// rank's own UTS namespace; /sys is a tree made for the test.
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>
#include <hawser/schedule/rail_shares.hpp>
#include <hawser/transport/tcp.hpp>
#include <multiprocess/local_job.hpp>
#include <multiprocess/named_hosts.hpp>
#include <support/sysfs_tree.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;

class links : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::may_name_hosts()) GTEST_SKIP() << test::why_hosts_cannot_be_named;
  }
};

communicator_options over(transport::factory line, const testing::sysfs_tree& tree) {
  communicator_options options;
  options.topology = "hosts";
  options.transports = {std::move(line)};
  options.system_root = tree.environment().root;
  return options;
}

void require(bool holds, const std::string& what) {
  if (!holds) throw error(errc::internal, "not so: " + what);
}

void require_sums(communicator& members, const std::string& algorithm = {}) {
  call_options options;
  options.algorithm = algorithm;
  std::vector<std::int32_t> data(100'003);
  std::iota(data.begin(), data.end(), members.rank().value);
  members.all_reduce(data, op::sum, options);
  const int n = members.size();
  for (std::size_t i = 0; i < data.size(); i += 331)
    require(data[i] == n * static_cast<int>(i) + n * (n - 1) / 2, "a sum");
}

std::vector<std::int64_t> shares(communicator& members) {
  schedule::request what;
  what.count = 1 << 22;
  what.algorithm = "multi_rail";
  return schedule::parse_rail_shares(members.plan_for(what).prepared).weight;
}

void set_port(testing::sysfs_tree& tree, int port, const std::string& state, const std::string& rate) {
  tree.port("mlx5_" + std::to_string(port), 1, "InfiniBand", state, "5: LinkUp", rate);
}

void expect_all_well(const std::vector<test::rank_end>& ends) {
  for (const test::rank_end& each : ends) EXPECT_EQ(each.exit_code, 0) << each.said;
}

/// Two hosts of four ranks, each rank with two of its host's eight ports.
TEST_F(links, of_rails_that_are_lost_or_slower_are_planned_around_and_come_back) {
  expect_all_well(test::run_job(8, milliseconds(10'000), [](std::unique_ptr<bootstrap::bootstrap> door) {
    const int self = door->self().value;
    if (!test::become_host("n" + std::to_string(self / 4))) throw error(errc::io, "cannot name the host");
    testing::sysfs_tree tree;
    testing::make_dgx(tree);
    transport::factory rails = transport::tcp_factory();
    rails.name = "rails";  // hawser's own TCP would use one interface
    communicator members(std::move(door), over(std::move(rails), tree));
    require(members.check_links().empty(), "all is well at the start");
    const auto before = shares(members);
    if (self / 4 == 1) {
      set_port(tree, 2, "1: DOWN", "400 Gb/sec (4X NDR)");
      set_port(tree, 3, "1: DOWN", "400 Gb/sec (4X NDR)");
      set_port(tree, 4, "4: ACTIVE", "200 Gb/sec (4X HDR)");
    }
    auto known = members.check_links();
    require(known == std::vector<degraded_link>{{5, "node", 0}, {6, "node", 0.75}}, "what is lost is known to all");
    const auto after = shares(members);
    require(after.at(1) == 0 && after.at(2) * 4 == after.at(0) * 3, "shares follow");
    require_sums(members);
    require_sums(members, "multi_rail");
    // The application knows better of rank 6.
    known = members.check_links(self == 6 ? std::vector<degraded_link>{{6, "", 0.5}} : std::vector<degraded_link>{});
    require(known.size() == 2 && known.back() == degraded_link{6, "node", 0.5}, "the application is heard");
    require(members.check_links() == known, "what has not changed is not said again");
    if (self / 4 == 1)
      for (const int port : {2, 3, 4}) set_port(tree, port, "4: ACTIVE", "400 Gb/sec (4X NDR)");
    require(members.check_links().empty(), "repaired");
    require(shares(members) == before, "as before");
    require_sums(members);
    return std::string();
  }));
}

/// hawser's own TCP uses one interface: all ranks of its host share what is left of it.
TEST_F(links, of_the_interface_that_tcp_uses_are_those_of_all_ranks_of_its_host) {
  expect_all_well(test::run_job(4, milliseconds(10'000), [](std::unique_ptr<bootstrap::bootstrap> door) {
    const int self = door->self().value;
    if (!test::become_host("n" + std::to_string(self / 2))) throw error(errc::io, "cannot name the host");
    testing::sysfs_tree tree;
    testing::make_dgx(tree);  // whose ports do not matter
    tree.interface("lo", "virtual", "up", "10000");
    communicator_options options = over(transport::tcp_factory(), tree);
    options.topology = "node:2@400MB/s,5us gpu:2@20GB/s,1us";
    communicator members(std::move(door), options);
    schedule::request what;
    what.count = 1 << 22;
    const seconds before = members.plan_for(what).predicted;
    const auto tell = [&](const std::string& state, const std::string& speed) {
      if (self / 2 != 1) return;
      tree.write("sys/class/net/lo/operstate", state);
      tree.write("sys/class/net/lo/speed", speed);
    };
    tell("up", "1000");
    require(members.check_links() == std::vector<degraded_link>{{2, "node", 0.1}, {3, "node", 0.1}}, "a tenth is left");
    require(members.plan_for(what).predicted > before, "it takes longer");
    require_sums(members);
    tell("down", "-1");
    require(members.check_links() == std::vector<degraded_link>{{2, "node", 0}, {3, "node", 0}}, "nothing is left");
    require_sums(members);  // there is no other way, and messages still pass
    tell("up", "10000");
    require(members.check_links().empty(), "repaired");
    require(members.plan_for(what).predicted == before, "as before");
    return std::string();
  }));
}

}  // namespace
}  // namespace hawser
