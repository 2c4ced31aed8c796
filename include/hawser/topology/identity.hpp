// What the same part is called by every source, so that merging finds it again.
#pragma once

#include <string>
#include <string_view>

#include <hawser/topology/bus_id.hpp>

namespace hawser::topology::identity {

/// A host by its name.
inline std::string host(std::string_view name) {
  return "host/" + std::string(name);
}
/// A GPU by its number on its host, in NVML's order.
inline std::string gpu(std::string_view host_name, int index) {
  return host(host_name) + "/gpu/" + std::to_string(index);
}
/// Any PCI function.
inline std::string pci(std::string_view host_name, const bus_id& id) {
  return host(host_name) + "/pci/" + to_string(id);
}
/// A NUMA node of a host.
inline std::string numa(std::string_view host_name, int number) {
  return host(host_name) + "/numa/" + std::to_string(number);
}
/// A part that has no name of its own, by what the source can say of it ("PXB of GPU3"); only that source knows it.
inline std::string unnamed(std::string_view host_name, std::string_view what) {
  return host(host_name) + "/unnamed/" + std::string(what);
}
/// A NIC by the name of its RDMA or network device.
inline std::string nic(std::string_view host_name, std::string_view device) {
  return host(host_name) + "/nic/" + std::string(device);
}
/// "GPU-8d6b...": unique in the world.
inline std::string uuid(std::string_view value) {
  return "uuid/" + std::string(value);
}
/// A port or node GUID of InfiniBand, 16 hexadecimal digits in lower case after "0x".
inline std::string guid(std::string_view value) {
  return "guid/" + std::string(value);
}
/// The NVLink domain of GPUs that share cluster UUID and clique id; the clique id alone is not unique.
inline std::string clique(std::string_view cluster_uuid, std::string_view clique_id) {
  return "clique/" + std::string(cluster_uuid) + "/" + std::string(clique_id);
}
/// The NVSwitches of one host, where they are not told apart.
inline std::string nvswitches(std::string_view host_name) {
  return host(host_name) + "/nvswitches";
}
/// A network switch by its name.
inline std::string network_switch(std::string_view name) {
  return "switch/" + std::string(name);
}

}  // namespace hawser::topology::identity
