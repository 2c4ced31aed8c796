// Ports of a /sys made for the test, and what their changes leave of each rank's share.
#include <hawser/discovery/ports.hpp>

#include "support/sysfs_tree.hpp"

#include <gtest/gtest.h>

namespace hawser::discovery {
namespace {

using testing::sysfs_tree;
using shares = std::vector<double>;

class host {
 public:
  host() { testing::make_dgx(tree); }
  std::vector<port_state> ports(const std::string& interface = {}) const {
    return read_ports(tree.environment().root, interface);
  }
  void set_state(int port, const std::string& state) { tree.write(file(port, "state"), state); }
  void set_rate(int port, const std::string& rate) { tree.write(file(port, "rate"), rate); }
  void set_losses(int port, int losses) { tree.write(file(port, "counters/link_downed"), std::to_string(losses)); }
  static std::string file(int port, const std::string& name) {
    return "sys/class/infiniband/mlx5_" + std::to_string(port) + "/ports/1/" + name;
  }

  sysfs_tree tree;
};

TEST(ports, of_rdma_devices_come_before_interfaces) {
  const host here;
  const auto ports = here.ports();
  ASSERT_EQ(ports.size(), 8u);
  EXPECT_EQ(ports[3], (port_state{"mlx5_3/1", true, 50e9, 0}));
  const auto named = here.ports("ib2");
  ASSERT_EQ(named.size(), 1u);
  EXPECT_EQ(named[0], (port_state{"ib2", true, 50e9, 0}));
  EXPECT_TRUE(here.ports("eth7").empty());
}

TEST(ports, of_hosts_without_rdma_are_the_interfaces_of_hardware) {
  sysfs_tree tree;
  tree.pci("pci0000:00/0000:00:03.0", "0x020000", "0x8086", 0);
  tree.interface("eth0", "pci0000:00/0000:00:03.0", "up", "25000");
  tree.interface("docker0", "virtual", "up", "10000");
  tree.write("sys/devices/pci0000:00/0000:00:03.0/net/eth0/carrier_changes", "4");
  const auto ports = read_ports(tree.environment().root, {});
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_EQ(ports[0], (port_state{"eth0", true, 25e9 / 8, 2}));
  EXPECT_EQ(read_ports(tree.environment().root, "docker0").at(0).bytes_per_second, 1.25e9);
  EXPECT_TRUE(read_ports("/nowhere", {}).empty());
}

TEST(ports, that_go_down_or_slow_cost_their_ranks) {
  host here;
  const auto start = here.ports();
  EXPECT_EQ(shares_left(start, start, here.ports(), 8), shares(8, 1.0));
  here.set_state(2, "1: DOWN");
  here.set_rate(5, "100 Gb/sec (4X EDR)");
  const auto now = here.ports();
  EXPECT_EQ(shares_left(start, start, now, 8), (shares{1, 1, 0, 1, 1, 0.25, 1, 1}));
  EXPECT_EQ(shares_left(start, start, now, 4), (shares{1, 0.5, 0.625, 1}));           // two ports per rank
  EXPECT_EQ(shares_left(start, start, now, 16).at(5), 0);                              // two ranks per port
  EXPECT_EQ(shares_left(start, start, now, 3), shares(3, (6 + 0.25) / 8));             // all share all
  here.set_state(2, "4: ACTIVE");
  here.set_rate(5, "800 Gb/sec (4X XDR)");  // more than at the start is no more than whole
  EXPECT_EQ(shares_left(start, now, here.ports(), 8), shares(8, 1.0));
}

TEST(ports, that_were_down_at_the_start_count_for_nothing) {
  host here;
  for (int port = 4; port < 8; ++port) here.set_state(port, "1: DOWN");
  const auto start = here.ports();
  here.set_state(7, "4: ACTIVE");
  EXPECT_EQ(shares_left(start, start, here.ports(), 4), shares(4, 1.0));
  for (int port = 0; port < 4; ++port) here.set_state(port, "1: DOWN");
  EXPECT_EQ(shares_left(start, start, here.ports(), 4), shares(4, 0.0));
  EXPECT_TRUE(shares_left({}, {}, here.ports(), 4).empty());
}

TEST(ports, that_lose_their_carrier_again_and_again_are_left_out_while_there_are_others) {
  host here;
  const auto start = here.ports();
  here.set_losses(1, 1);  // a cable was plugged in again
  const auto once = here.ports();
  EXPECT_EQ(shares_left(start, start, once, 8), shares(8, 1.0));
  here.set_losses(1, 4);
  const auto unsteady = here.ports();
  EXPECT_EQ(shares_left(start, once, unsteady, 8).at(1), 0);
  EXPECT_EQ(shares_left(start, unsteady, here.ports(), 8).at(1), 1);  // steady since the last look
  const std::vector<port_state> only{{"eth0", true, 1e9, 0}}, flaps{{"eth0", true, 1e9, 9}};
  EXPECT_EQ(shares_left(only, only, flaps, 2), shares(2, 1.0));
}

TEST(ports, without_a_rate_count_as_long_as_they_are_up) {
  const std::vector<port_state> start{{"eth0", true, 0, 0}, {"eth1", true, 0, 0}};
  EXPECT_EQ(shares_left(start, start, {{"eth0", true, 0, 0}}, 2), (shares{1, 0}));
  EXPECT_EQ(shares_left(start, start, {{"eth1", false, 0, 0}, {"eth0", true, 5, 0}}, 1), shares{0.5});
}

}  // namespace
}  // namespace hawser::discovery
