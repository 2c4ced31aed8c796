// Ports of /sys while a job runs; the devices are found as discovery finds them.
#include <hawser/discovery/ports.hpp>

#include <algorithm>
#include <optional>

#include "network_scan.hpp"
#include "sysfs.hpp"

namespace hawser::discovery {
namespace {

constexpr double bytes_per_mbit = 1e6 / 8;
/// A cable that is plugged in again loses its carrier once.
constexpr std::int64_t losses_of_an_unsteady_port = 2;

port_state port_of(const std::string& root, const rdma_device& device, const rdma_port& port) {
  const std::string counters =
      root + "/sys/class/infiniband/" + device.name + "/ports/" + std::to_string(port.number) + "/counters";
  return {device.name + "/" + std::to_string(port.number), port.state == "active",
          static_cast<double>(port.mbit.value_or(0)) * bytes_per_mbit,
          sysfs::number<std::int64_t>(counters + "/link_downed").value_or(0)};
}

/// Also of software: a container's only way out is one end of a veth.
std::optional<port_state> interface_of(const std::string& root, const std::string& name) {
  const std::string folder = root + "/sys/class/net/" + name;
  const auto state = sysfs::line(folder + "/operstate");
  if (!state) return std::nullopt;
  const auto mbit = sysfs::number<std::int64_t>(folder + "/speed").value_or(-1);
  const bool is_told = mbit > 0 && mbit < 0xffffffffLL;
  // Drivers that tell no state say "unknown", and run; each loss of a carrier is one of two changes.
  return port_state{name, *state == "up" || *state == "unknown",
                    is_told ? static_cast<double>(mbit) * bytes_per_mbit : 0,
                    sysfs::number<std::int64_t>(folder + "/carrier_changes").value_or(0) / 2};
}

const port_state* find(const std::vector<port_state>& among, const std::string& name) {
  const auto found = std::ranges::find(among, name, &port_state::name);
  return found == among.end() ? nullptr : &*found;
}

/// What a port is worth now, in the unit of its worth at the start; 1 stands for a rate that is not told.
double worth(const port_state& at_start, const port_state* now) {
  const double whole = at_start.bytes_per_second > 0 ? at_start.bytes_per_second : 1;
  if (!now || !now->is_up) return 0;
  return at_start.bytes_per_second > 0 && now->bytes_per_second > 0 ? std::min(now->bytes_per_second, whole) : whole;
}

bool is_unsteady(const port_state* before, const port_state* now) {
  return before && now && now->losses - before->losses >= losses_of_an_unsteady_port;
}

}  // namespace

std::vector<port_state> read_ports(const std::string& root, const std::string& interface) {
  std::vector<port_state> found;
  if (!interface.empty()) {
    if (const auto only = interface_of(root, interface)) found.push_back(*only);
    return found;
  }
  const network_scan scan = scan_network(root);
  for (const rdma_device& device : scan.devices)
    if (!device.is_virtual_function && device.pci)
      for (const rdma_port& port : device.ports) found.push_back(port_of(root, device, port));
  if (!found.empty()) return found;
  for (const network_interface& each : scan.interfaces)
    if (each.kind == interface_kind::device)
      if (const auto port = interface_of(root, each.name)) found.push_back(*port);
  return found;
}

std::vector<double> shares_left(const std::vector<port_state>& at_start, const std::vector<port_state>& before,
                                const std::vector<port_state>& now, int ranks) {
  std::vector<double> whole, left;
  bool is_any_steady = false;
  for (const port_state& each : at_start)
    is_any_steady = is_any_steady || (each.is_up && worth(each, find(now, each.name)) > 0 &&
                                      !is_unsteady(find(before, each.name), find(now, each.name)));
  for (const port_state& each : at_start) {
    if (!each.is_up) continue;
    const port_state* const told = find(now, each.name);
    whole.push_back(worth(each, &each));
    left.push_back(is_any_steady && is_unsteady(find(before, each.name), told) ? 0 : worth(each, told));
  }
  if (whole.empty() || ranks < 1) return {};
  const auto ports = whole.size(), count = static_cast<std::size_t>(ranks);
  std::vector<double> shares;
  for (std::size_t r = 0; r < count; ++r) {
    const bool is_own = ports % count == 0 || count % ports == 0;
    const std::size_t first = is_own ? r * ports / count : 0;
    const std::size_t end = is_own ? std::max(first + 1, (r + 1) * ports / count) : ports;
    double mine = 0, all = 0;
    for (std::size_t port = first; port < end; ++port) mine += left[port], all += whole[port];
    shares.push_back(mine / all);
  }
  return shares;
}

}  // namespace hawser::discovery
