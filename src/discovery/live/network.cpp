// Network and RDMA devices from /sys/class/net and /sys/class/infiniband: one node per NIC, whatever it is called by.
#include <algorithm>
#include <map>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../text.hpp"
#include "live_sources.hpp"
#include "network_scan.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::bus_id;
using topology::node;
using topology::node_index;
using topology::node_kind;
using topology::severity;

constexpr std::size_t most_named = 8;  // interfaces that a finding names

class builder {
 public:
  builder(const std::string& host, const network_scan& scan) : host_(host), scan_(scan) {
    host_node_ = machine_.add_node({.kind = node_kind::host, .name = host, .identities = {identity::host(host)}});
  }

  topology::graph run() {
    for (const rdma_device& each : scan_.devices)
      if (!each.is_virtual_function) add(each);
    std::set<std::string_view> masters;  // a paravirtual interface and the function that carries its traffic are one
    for (const network_interface& each : scan_.interfaces) masters.insert(each.master);
    for (const network_interface& each : scan_.interfaces)
      if (each.kind == interface_kind::device && !masters.contains(each.name)) add(each);
    note_others();
    if (!scan_.has_interfaces)
      machine_.note({severity::info, "no-network", host_, "the kernel shows no network interfaces"});
    else
      machine_.tell(topology::aspect::nics);
    if (scan_.has_interfaces && machine_.nodes().size() == 1)
      machine_.note({severity::info, "no-nic", host_, "no network interface belongs to a device"});
    return std::move(machine_);
  }

 private:
  // The first to name a NIC are RDMA devices: their name is what NCCL and the fabric's tools use.
  node_index nic(const std::string& device, const std::optional<bus_id>& pci) {
    node part{.kind = node_kind::nic, .name = host_ + ":" + device};
    if (pci) {
      part.identities = {identity::pci(host_, *pci)};
      part.attributes[attribute::pci] = to_string(*pci);
    }
    part.identities.push_back(identity::nic(host_, device));
    const node_index index = machine_.merge_node(std::move(part));
    machine_.contain(host_node_, index);
    return index;
  }
  // A second device or interface of one NIC adds what the first left open; it contradicts nothing.
  void set(node_index index, const char* key, const std::string& value) {
    if (!value.empty() && !machine_.nodes()[index].attributes.contains(key)) machine_.describe(index, key, value);
  }

  void add(const rdma_device& each) {
    if (!each.pci) {  // rdma_rxe, siw: the network stack behind an RDMA interface
      software_.push_back(each.name);
      return;
    }
    const node_index index = nic(each.name, each.pci);
    set(index, attribute::device, each.name);
    set(index, attribute::model, each.model);
    set(index, "board", each.board);
    set(index, attribute::guid, each.guid);
    if (!each.guid.empty() && !machine_.find(identity::guid(each.guid)))
      machine_.merge_node(
          {.kind = node_kind::nic, .identities = {identity::pci(host_, *each.pci), identity::guid(each.guid)}});
    if (each.ports.empty()) return;
    const auto is_active = [](const rdma_port& port) { return port.state == "active"; };
    const auto best = std::ranges::find_if(each.ports, is_active);
    describe(index, best == each.ports.end() ? each.ports.front() : *best);
    if (each.ports.size() > 1) set(index, "rdma_ports", std::to_string(each.ports.size()));
  }

  void describe(node_index index, const rdma_port& port) {
    const std::string& name = machine_.nodes()[index].name;
    set(index, attribute::link_layer, port.link_layer);
    set(index, attribute::port_state, port.state);
    set(index, "physical_state", port.physical_state);
    // The rate of a port that is down is a left-over ("10 Gb/sec (4X SDR)").
    if (port.state == "active") {
      if (port.mbit) set(index, attribute::rate_mbit, std::to_string(*port.mbit));
      set(index, attribute::width, port.width);
      set(index, attribute::speed, port.speed);
      if (port.width == "1x")
        machine_.note({severity::warning, "narrow-link", name,
                       "its port runs on one lane (" + port.width + " " + port.speed +
                           "): cables of networks have 2, 4 or more; reseat or replace the cable"});
    }
    if (!port.gids.empty()) set(index, "gid", port.gids.front());
    if (port.link_layer != "InfiniBand") return;
    set(index, "lid", port.lid);
    set(index, "sm_lid", port.sm_lid);
    if (port.physical_state == "linkup" && port.state != "active")
      machine_.note({severity::warning, "port-not-active", name,
                     "its link is up and its state is \"" + port.state +
                         "\": no subnet manager has configured the port; start OpenSM or that of the switches"});
  }

  void add(const network_interface& each) {
    const node_index index = nic(each.name, each.pci);
    set(index, attribute::device, each.name);
    const auto [known, is_first] = interface_of_.emplace(index, each.name);
    machine_.describe(index, is_first ? "interface" : ("interface " + each.name).c_str(), each.name);
    if (!each.pci) set(index, "driver", each.driver);  // else that of the PCI function, which virtio_net is not
    set(index, "bond", each.master);
    set(index, attribute::link_layer, "Ethernet");
    set(index, attribute::port_state, each.state);
    if (each.mbit && each.state != "down") set(index, attribute::rate_mbit, std::to_string(*each.mbit));
  }

  // One finding says what was seen and why it is not among the NICs.
  void note_others() {
    std::map<interface_kind, std::vector<std::string>> others;
    for (const network_interface& each : scan_.interfaces)
      if (each.kind != interface_kind::device) others[each.kind].push_back(each.name);
    for (const rdma_device& each : scan_.devices)
      if (each.is_virtual_function) others[interface_kind::virtual_function].push_back(each.name);
    std::ranges::copy(software_, std::back_inserter(others[interface_kind::software]));
    std::string text;
    const auto tell = [&](interface_kind kind, const char* what) {
      const std::vector<std::string>& names = others[kind];
      if (names.empty()) return;
      text += text.empty() ? "" : "; ";
      for (std::size_t each = 0; each < std::min(names.size(), most_named); ++each)
        text.append(each == 0 ? "" : ", ").append(shortened(names[each]));
      if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
      text.append(": ").append(what);
    };
    tell(interface_kind::software, "made by software");
    tell(interface_kind::usb, "on USB");
    tell(interface_kind::virtual_function, "SR-IOV virtual functions, which share a port that is counted");
    if (!text.empty()) machine_.note({severity::info, "other-interfaces", host_, "not counted as NICs: " + text});
  }

  topology::graph machine_;
  std::string host_;
  const network_scan& scan_;
  node_index host_node_ = 0;
  std::map<node_index, std::string> interface_of_;
  std::vector<std::string> software_;
};

topology::graph discover(const live_environment& environment) {
  return builder(environment.host, scan_network(environment.root)).run();
}

}  // namespace

const live_source live_network{"network", "Network and RDMA devices from /sys/class/net and /sys/class/infiniband",
                               discover};

}  // namespace hawser::discovery
