// What the descriptions of devices in an InfiniBand fabric say: hosts, their adapters, switches.
#pragma once

#include <string>
#include <string_view>

namespace hawser::discovery::fabric {

/// "node01 mlx5_0", "node01 HCA-1": the host, empty where the description names a model ("MT23108 InfiniHost Mellanox
/// Technologies") or no host, and the adapter's name on it, empty where it has none.
struct adapter_name {
  std::string host;
  std::string device;
};
adapter_name parse_adapter_name(std::string_view description);

/// "MF0;leaf1:MQM8700/U1" is leaf1 of model MQM8700; "MF0;core:MCS8500/L01/U1" is core/L01 of model MCS8500. `is_own`
/// where the name was given by a person, not by the manufacturer.
struct switch_name {
  std::string name;
  std::string model;
  bool is_own = false;
};
switch_name parse_switch_name(std::string_view description);

/// Printable ASCII; anything else is '?'.
std::string printable(std::string_view text);

/// The name of an RDMA or network device of Linux, unlike "HCA-1": "mlx5_0", "ibp11s0f0".
bool is_device_name(std::string_view word);

}  // namespace hawser::discovery::fabric
