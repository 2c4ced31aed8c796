// Scans with libibnetdisc: one direct-routed walk per fabric, without the help of a subnet manager.
#ifdef HAWSER_HAS_IBNETDISC
#include "ibnetdisc_scan.hpp"

#include <array>
#include <future>
#include <memory>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include <infiniband/ibnetdisc.h>
#include <infiniband/umad.h>

#include "../sources/fabric_names.hpp"
#include "../text.hpp"
#include "port_info.hpp"

namespace hawser::discovery {

using fabric::device_kind;

namespace {

constexpr unsigned port_is_active = 4;  // PortInfo, PortState
constexpr unsigned runs_at_fdr10 = 1;   // Mellanox's ExtendedPortInfo, LinkSpeedActive
constexpr unsigned smp_timeout_ms = 200;
constexpr unsigned smp_retries = 1;
constexpr unsigned smps_on_wire = 8;

struct local_port {
  std::string adapter;
  int number = 0;
  std::uint64_t guid = 0;
};

// libibumad warns on stderr where the kernel's module is absent, so this is asked first. It is asked through open(),
// which simulators replace.
bool has_management() {
  const int file = ::open("/sys/class/infiniband_mad/abi_version", O_RDONLY | O_CLOEXEC);
  if (file >= 0) ::close(file);
  return file >= 0;
}

bool may_open(const local_port& from) {
  const int port = umad_open_port(from.adapter.c_str(), from.number);
  if (port >= 0) umad_close_port(port);
  return port >= 0;
}

std::vector<local_port> active_ports() {
  std::vector<local_port> found;
  char names[UMAD_MAX_DEVICES][UMAD_CA_NAME_LEN] = {};
  const int adapters = umad_get_cas_names(names, UMAD_MAX_DEVICES);
  for (int each = 0; each < adapters; ++each) {
    umad_ca_t adapter;
    if (umad_get_ca(names[each], &adapter) < 0) continue;
    for (const umad_port_t* port : adapter.ports) {
      if (port == nullptr || port->state != port_is_active) continue;
      const std::string_view layer = port->link_layer;
      if (layer.empty() || layer == "InfiniBand" || layer == "IB")  // RoCE has no fabric to ask
        found.push_back({names[each], port->portnum, be64toh(port->port_guid)});
    }
    umad_release_ca(&adapter);
  }
  return found;
}

device_kind kind_of(const ibnd_node_t& node) {
  if (node.type == IB_NODE_SWITCH) return device_kind::network_switch;
  return node.type == IB_NODE_ROUTER ? device_kind::router : device_kind::adapter;
}

fabric::link_speed speed_of(ibnd_port_t& port) {
  const ibnd_node_t& node = *port.node;
  const ibnd_port_t* const with_mask = node.type == IB_NODE_SWITCH ? node.ports[0] : &port;
  if (with_mask == nullptr) return {};
  const bool is_fdr10 = (mad_get_field(port.ext_info, 0, IB_MLNX_EXT_PORT_LINK_SPEED_ACTIVE_F) & runs_at_fdr10) != 0;
  return speed_in(port_info(port.info), port_info(with_mask->info), is_fdr10);
}

std::size_t device_of(fabric::model& network, const ibnd_node_t& node) {
  return network.of_id(fabric::guid_text(node.guid), kind_of(node), trimmed(std::string_view(node.nodedesc)),
                       node.guid);
}

void add_fabric(fabric::model& network, const ibnd_fabric_t& found, std::unordered_set<std::uint64_t>& seen) {
  for (const ibnd_node_t* node = found.nodes; node != nullptr; node = node->next) {
    const std::size_t device = device_of(network, *node);
    network.devices[device].is_described = true;
    for (int number = 1; number <= node->numports; ++number) {
      ibnd_port_t* const port = node->ports[number];
      if (port == nullptr) continue;
      seen.insert(port->guid);
      if (port->remoteport == nullptr) {
        ++network.devices[device].down_ports;
        continue;
      }
      if (node->type != IB_NODE_SWITCH) network.add_port_guid(device, port->guid);
      const ibnd_port_t& far = *port->remoteport;
      network.ends.push_back({{device, static_cast<std::uint32_t>(number)},
                              {device_of(network, *far.node), static_cast<std::uint32_t>(far.portnum)},
                              speed_of(*port),
                              {}});
    }
  }
}

// One walk from each port that no walk before has met: several rails are most often one fabric.
fabric_scan walk(const std::vector<local_port>& ports) {
  fabric_scan scan;
  std::unordered_set<std::uint64_t> seen;
  for (const local_port& from : ports) {
    if (seen.contains(from.guid)) continue;
    if (!may_open(from)) {
      scan.problem = "the management device of " + from.adapter + " port " + std::to_string(from.number) +
                     " cannot be opened (it needs root or permission for /dev/infiniband/umad*); give the output of "
                     "ibnetdiscover as a file";
      continue;
    }
    scan.has_port = true;
    ibnd_config_t config{};
    config.max_smps = smps_on_wire;
    config.timeout_ms = smp_timeout_ms;
    config.retries = smp_retries;
    config.flags = IBND_CONFIG_MLX_EPI;  // tells FDR10 from QDR
    std::string adapter = from.adapter;
    const std::unique_ptr<ibnd_fabric_t, void (*)(ibnd_fabric_t*)> found(
        ibnd_discover_fabric(adapter.data(), from.number, nullptr, &config), ibnd_destroy_fabric);
    if (found)
      add_fabric(scan.network, *found, seen);
    else
      scan.problem = "the fabric does not answer at " + from.adapter + " port " + std::to_string(from.number);
  }
  return scan;
}

}  // namespace

fabric_scan scan_fabric(std::chrono::seconds most) {
  if (!has_management())
    return {{}, "there is no InfiniBand device that can be asked (no adapter, or ib_umad is not loaded)", false};
  if (umad_init() < 0) return {{}, "libibumad cannot be used", false};
  const std::vector<local_port> ports = active_ports();
  if (ports.empty()) return {{}, "no InfiniBand port is active", false};
  // The library waits for each answer and cannot be stopped, so a fabric that answers too slowly is left to a thread
  // of its own, which owns all that it uses.
  const auto result = std::make_shared<std::promise<fabric_scan>>();
  std::future<fabric_scan> scanned = result->get_future();
  std::thread([ports, result] {
    try {
      result->set_value(walk(ports));
    } catch (...) {
      result->set_exception(std::current_exception());
    }
  }).detach();
  if (scanned.wait_for(most) != std::future_status::ready)
    return {{}, "the fabric did not answer within " + std::to_string(most.count()) + " s", true};
  return scanned.get();
}

}  // namespace hawser::discovery
#endif
