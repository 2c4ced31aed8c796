// What a host says of its network ports while a job runs, and what that leaves of each rank's share of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hawser::discovery {

/// One port of /sys/class/infiniband, or one interface of /sys/class/net.
struct port_state {
  std::string name;  ///< "mlx5_0/1", "eth0"
  bool is_up = false;
  double bytes_per_second = 0;  ///< 0: it does not say
  std::int64_t losses = 0;      ///< how often it has lost its carrier, since it was set up
  friend bool operator==(const port_state&, const port_state&) = default;
};

/// The ports below ROOT/sys/class that carry a job's data: `interface` alone where one is named, else the RDMA ports of
/// this host, else the interfaces of its hardware. Virtual functions and what is not told are left out; never throws
/// for what is absent.
std::vector<port_state> read_ports(const std::string& root, const std::string& interface);

/// What is left of the share of each of `ranks` ranks of a host, from 0 (nothing) to 1, by what its ports said at the
/// start of the job, when they were last looked at, and now. Ports and ranks are taken in order: where one number
/// divides the other a rank has ports, or a port ranks, of its own; else all share all. Ports that were down at the
/// start count for nothing. One that is gone or down has nothing left, nor has one that lost its carrier twice or more
/// since the last look while others of the host stayed. Empty: no port was up at the start.
std::vector<double> shares_left(const std::vector<port_state>& at_start, const std::vector<port_state>& before,
                                const std::vector<port_state>& now, int ranks);

}  // namespace hawser::discovery
