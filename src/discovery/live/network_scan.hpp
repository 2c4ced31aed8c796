// Network interfaces and RDMA devices as /sys/class/net and /sys/class/infiniband show them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hawser/topology/bus_id.hpp>

namespace hawser::discovery {

enum class interface_kind {
  device,            ///< of a piece of hardware, or of what a virtual machine takes for one
  software,          ///< loopback, bridge, veth, bond, VLAN
  usb,               ///< a management controller, a phone
  virtual_function,  ///< SR-IOV: shares the port of a physical function that this host has too
};

struct network_interface {
  std::string name;
  interface_kind kind = interface_kind::software;
  std::optional<topology::bus_id> pci{};
  std::string state{};                 ///< "up", "down", "unknown"
  std::optional<std::int64_t> mbit{};  ///< per second
  std::string master{};                ///< the bond or bridge that it belongs to
  std::string driver{};
};

struct rdma_port {
  int number = 1;
  std::string state{};           ///< "active"
  std::string physical_state{};  ///< "linkup"
  std::string link_layer{};      ///< "InfiniBand", "Ethernet"
  std::optional<std::int64_t> mbit{};
  std::string width{};  ///< "4x"
  std::string speed{};  ///< "NDR"; empty where the kernel names none (SDR, RoCE)
  std::string lid{};
  std::string sm_lid{};
  std::vector<std::string> gids{};  ///< those that are set
};

struct rdma_device {
  std::string name;
  std::optional<topology::bus_id> pci{};
  bool is_virtual_function = false;
  std::string guid{};   ///< "0x506b4b0300c8ae42"; empty where it is zero
  std::string model{};  ///< "MT4129"
  std::string board{};
  std::vector<rdma_port> ports{};
};

struct network_scan {
  bool has_interfaces = false;  ///< the kernel shows them
  std::vector<network_interface> interfaces{};
  std::vector<rdma_device> devices{};
};

/// What is below ROOT/sys/class.
network_scan scan_network(const std::string& root);

/// Reads "400 Gb/sec (4X NDR)" into rate, width and speed of a port; leaves what is not there.
void read_rate(const std::string& text, rdma_port& port);

}  // namespace hawser::discovery
