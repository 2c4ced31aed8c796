// The network ports of this rank's host, from the start of a job on.
#pragma once

#include <string>
#include <vector>

#include <hawser/discovery/ports.hpp>

namespace hawser::detail {

class link_watch {
 public:
  /// Remembers what the ports below ROOT/sys say now; see `discovery::read_ports`.
  link_watch(std::string root, std::string interface)
      : root_(std::move(root)),
        interface_(std::move(interface)),
        at_start_(discovery::read_ports(root_, interface_)),
        before_(at_start_) {}

  /// What is left of the share of each of the host's ranks, and looks from now on the next time; empty: nobody knows.
  std::vector<double> look(int ranks) {
    std::vector<discovery::port_state> now = discovery::read_ports(root_, interface_);
    std::vector<double> shares = discovery::shares_left(at_start_, before_, now, ranks);
    before_ = std::move(now);
    return shares;
  }

 private:
  std::string root_, interface_;
  std::vector<discovery::port_state> at_start_, before_;
};

}  // namespace hawser::detail
