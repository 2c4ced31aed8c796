// NCCL topology XML: document to graph. Devices first, in the order of the file, then the links between them.
#include "nccl_xml_graph.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "nccl_xml_links.hpp"
#include "nvswitch_join.hpp"
#include "pci_rate.hpp"

namespace hawser::discovery::nccl {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::edge;
using topology::edge_kind;
using topology::node;
using topology::node_index;
using topology::node_kind;
using topology::provenance;
using topology::severity;

namespace {

std::string given(const attributes& all, const char* name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string() : found->second;
}

template <typename Names>
void copy(const attributes& from, const Names& names, std::map<std::string, std::string>& into) {
  for (const auto& [in_file, in_graph] : names)
    if (const auto found = from.find(in_file); found != from.end()) into.emplace(in_graph, found->second);
}

class builder {
 public:
  builder(const document& file, std::string name) : file_(file), base_(std::move(name)) {
    for (const cpu& each : file.cpus) hosts_.insert(each.host);
    placed_.of_device.resize(file.devices.size());
  }

  topology::graph run() {
    std::size_t next = 0;
    for (std::size_t each = 0; each < file_.cpus.size(); ++each) {
      add_cpu(each);
      for (; next < file_.devices.size() && file_.devices[next].cpu == each; ++next) add_device(next);
    }
    for (const auto& [hash, name] : names_) placed_.hosts.push_back(name);
    connect(graph_, file_, placed_);
    join_switches(graph_);
    note_what_is_open();
    tell();
    return std::move(graph_);
  }

 private:
  const std::string& host_of(std::size_t cpu_number) {
    const std::string& hash = file_.cpus[cpu_number].host;
    const auto found = names_.find(hash);
    if (found != names_.end()) return found->second;
    const std::string name = hosts_.size() == 1 ? base_ : base_ + std::to_string(names_.size());
    node host{.kind = node_kind::host, .name = name, .identities = {identity::host(name)}};
    if (!hash.empty()) host.attributes["host_hash"] = hash;
    graph_.add_node(std::move(host));
    return names_.emplace(hash, name).first->second;
  }
  node_index host_node(std::size_t cpu_number) { return *graph_.find(identity::host(host_of(cpu_number))); }

  void add_cpu(std::size_t number) {
    const cpu& each = file_.cpus[number];
    const std::string host = host_of(number);
    const bool has_numa = each.numa && *each.numa >= 0;
    if (!has_numa) ++without_numa_;
    node part{.kind = node_kind::cpu};
    part.name = host + (has_numa ? ":NUMA" + std::to_string(*each.numa) : ":CPU");
    if (!has_numa && cpus_without_numa_[host]++ > 0) part.name += std::to_string(cpus_without_numa_[host] - 1);
    part.identities = {has_numa ? identity::numa(host, *each.numa) : identity::unnamed(host, part.name)};
    if (each.numa) part.attributes[attribute::numa] = std::to_string(*each.numa);
    copy(each.given, cpu_attributes, part.attributes);
    const node_index index = graph_.merge_node(std::move(part));
    graph_.contain(host_node(number), index);
    placed_.of_cpu.push_back(index);
  }

  void add_device(std::size_t number) {
    const device& each = file_.devices[number];
    const device_kind kind = kind_of(each);
    if (kind == device_kind::unknown) {
      unknown_.push_back(to_string(*each.id));
      return;
    }
    if (kind == device_kind::other) {
      others_.push_back(to_string(*each.id));
      return;
    }
    if (kind == device_kind::nic) {
      add_nics(number);
      return;
    }
    const std::string host = host_of(each.cpu);
    if (const auto known = graph_.find(identity::pci(host, *each.id))) {
      placed_.of_device[number] = *known;
      repeated_.push_back(graph_.nodes()[*known].name);
      return;
    }
    node part = described(each, kind);
    part.identities = {identity::pci(host, *each.id)};
    if (kind == device_kind::gpu) complete_gpu(each, host, part);
    placed_.of_device[number] = place(number, std::move(part));
  }

  node described(const device& each, device_kind kind) {
    const std::string host = host_of(each.cpu);
    node part;
    part.kind = kind == device_kind::gpu      ? node_kind::gpu
                : kind == device_kind::nic    ? node_kind::nic
                : kind == device_kind::bridge ? node_kind::pci_switch
                                              : node_kind::nvswitch;
    const char* const name = kind == device_kind::gpu ? "GPU-" : kind == device_kind::nvswitch ? "NVSwitch-" : "";
    if (each.id) {
      part.name = host + ":" + name + to_string(*each.id);
      part.attributes[attribute::pci] = to_string(*each.id);
    }
    if (const auto numa = file_.cpus[each.cpu].numa) part.attributes[attribute::numa] = std::to_string(*numa);
    copy(each.given, pci_attributes, part.attributes);
    if (!each.peers.empty()) {
      std::string& peers = part.attributes["pci_peers"];
      for (const std::string& peer : each.peers) peers += (peers.empty() ? "" : ",") + peer;
    }
    return part;
  }

  // Several <gpu> in one device are partitions or ranks that share it: one GPU, its attributes lists.
  void complete_gpu(const device& each, const std::string& host, node& part) {
    if (each.gpus.empty()) {
      ++known_by_class_;
      return;
    }
    const gpu& first = each.gpus.front();
    if (each.gpus.size() == 1) {
      copy(first.given, gpu_attributes, part.attributes);
      part.attributes.erase("gpu_dev");
    } else {
      for (const auto& [in_file, in_graph] : gpu_attributes) part.attributes[in_graph] = listed(each.gpus, in_file);
      part.attributes["gpu_parts"] = std::to_string(each.gpus.size());
      graph_.note({severity::info, "shared-gpu", host + ":" + to_string(*each.id),
                   std::to_string(each.gpus.size()) + " ranks or partitions share this GPU"});
    }
    if (const std::string gcn = given(first.given, "gcn"); !gcn.empty())
      part.attributes[attribute::compute] = gcn_name(gcn);
    else if (first.sm)
      part.attributes[attribute::compute] = compute_of(*first.sm);
    if (!first.dev) return;
    part.attributes[attribute::index] = std::to_string(*first.dev);
    const std::string number = identity::gpu(host, *first.dev);
    if (graph_.find(number)) {
      graph_.note({severity::warning, "duplicate-gpu-number", part.name,
                   "another GPU of the host has dev=" + std::to_string(*first.dev) + " too"});
      return;
    }
    part.name = host + ":GPU" + std::to_string(*first.dev);
    part.identities.push_back(number);
  }
  static std::string listed(const std::vector<gpu>& gpus, const char* name) {
    std::string all;
    for (const gpu& each : gpus) all += (&each == &gpus.front() ? "" : ",") + given(each.given, name);
    return all;
  }

  void add_nics(std::size_t number) {
    const device& each = file_.devices[number];
    if (each.nets.empty()) {
      add_nic(number, nullptr, true);
      return;
    }
    for (const net& port : each.nets) add_nic(number, &port, &port == &each.nets.front());
  }

  void add_nic(std::size_t number, const net* port, bool has_function) {
    const device& each = file_.devices[number];
    const std::string host = host_of(each.cpu);
    node part = described(each, device_kind::nic);
    if (port) {
      if (const auto known = graph_.find(identity::nic(host, port->name)); known && is_same(*known, each)) {
        ++repeated_nets_;
        attach(number, *known);
        return;
      } else if (known) {
        graph_.note({severity::warning, "duplicate-nic-name", graph_.nodes()[*known].name,
                     "the host has another NIC of this name at " + part.attributes[attribute::pci]});
      } else {
        part.identities.push_back(identity::nic(host, port->name));
      }
      part.name = host + ":" + port->name;
      part.attributes[attribute::device] = port->name;
      copy(port->given, net_attributes, part.attributes);
      if (!port->megabits_per_second) part.attributes.erase(attribute::rate_mbit);
      if (is_software_net(port->name)) part.attributes[attribute::software] = "1", ++software_nets_;
      note_speed(*port, part.name);
    }
    if (each.id && has_function && !graph_.find(identity::pci(host, *each.id)))
      part.identities.push_back(identity::pci(host, *each.id));
    placed_.of_device[number] = place(number, std::move(part));
  }
  // The same net under several CPUs, or in several dumps of one host.
  bool is_same(node_index known, const device& each) const {
    const auto& all = graph_.nodes()[known].attributes;
    const auto found = all.find(attribute::pci);
    return each.id ? found != all.end() && found->second == to_string(*each.id) : found == all.end();
  }
  void note_speed(const net& port, const std::string& name) {
    constexpr std::int64_t most = 3'200'000;  // Mbit/s: four times the fastest NIC of 2026
    if (port.megabits_per_second.value_or(0) > most)
      graph_.note({severity::warning, "implausible-nic-speed", name,
                   "speed is " + std::to_string(*port.megabits_per_second) + " Mbit/s"});
  }

  node_index place(std::size_t number, node part) {
    const node_index index = graph_.add_node(std::move(part));
    graph_.contain(host_node(file_.devices[number].cpu), index);
    attach(number, index);
    return index;
  }

  // The link to the nearest bridge above, or to the CPU.
  void attach(std::size_t number, node_index index) {
    const device& each = file_.devices[number];
    std::optional<std::size_t> above = each.parent;
    while (above && kind_of(file_.devices[*above]) != device_kind::bridge) above = file_.devices[*above].parent;
    edge link{.a = above && placed_.of_device[*above] ? *placed_.of_device[*above] : placed_.of_cpu[each.cpu],
              .b = index,
              .kind = edge_kind::pci,
              .source = provenance::file};
    if (link.a == index || !attached_.insert({link.a, index}).second) return;
    if (!each.id)
      link.attributes[attribute::virtual_part] = "1";  // a net that is no PCI device is "at" a CPU
    else
      describe_link(each, link);
    graph_.add_edge(std::move(link));
  }
  void describe_link(const device& each, edge& link) {
    const std::string speed = given(each.given, "link_speed");
    const auto lanes = to_integer<int>(trimmed(given(each.given, "link_width")));
    const pci_generation* const generation = pci_generation_of(speed);
    if (lanes && *lanes > 0 && *lanes <= 32) link.attributes[attribute::width] = std::to_string(*lanes) + "x";
    if (generation) link.attributes[attribute::speed] = generation->name;
    if (!generation && !speed.empty()) link.attributes["link_speed"] = speed;
    if (generation && link.attributes.contains(attribute::width))
      link.rate = pci_rate(*generation, *lanes);
    else
      ++without_rate_;
  }

  void note_what_is_open() {
    const auto note = [&](severity level, const char* code, std::size_t number, const std::string& message) {
      if (number > 0) graph_.note({level, code, base_, std::to_string(number) + message});
    };
    note(severity::warning, "unknown-pci-class", unknown_.size(),
         " PCI devices have no class that is known, so they may be GPUs, NICs or neither: " + joined(unknown_));
    note(severity::info, "other-device", others_.size(),
         " PCI devices are neither GPU nor NIC by their class (storage, USB and the like): " + joined(others_));
    note(severity::info, "unknown-link-speed", without_rate_, " PCI links have no known speed or width");
    note(severity::info, "repeated-net", repeated_nets_, " times a net is listed again; it counts once");
    note(severity::info, "repeated-device", repeated_.size(), " devices are listed again: " + joined(repeated_));
    note(severity::info, "software-net", software_nets_,
         " nets are made by the operating system (veth, bridges) and are no part of a fabric");
    note(severity::info, "nvlink-not-told", known_by_class_,
         " GPUs are known by their PCI class only; whether they have NVLink is not told");
    for (const auto& [name, times] : file_.unknown_elements)
      note(severity::info, "unknown-element", static_cast<std::size_t>(times), " elements <" + name + "> are ignored");
    if (file_.version > 2)
      graph_.note({severity::warning, "unknown-version", base_,
                   "version is " + std::to_string(file_.version) + "; NCCL writes 1 and RCCL 2"});
  }
  static std::string joined(const std::vector<std::string>& names) {
    constexpr std::size_t most = 8;
    std::string all;
    for (std::size_t each = 0; each < std::min(most, names.size()); ++each) all += (each ? ", " : "") + names[each];
    return names.size() > most ? all + ", ..." : all;
  }

  void tell() {
    using topology::aspect;
    graph_.tell(aspect::hosts);
    graph_.tell(aspect::gpus);
    graph_.tell(aspect::nics);
    if (without_numa_ == 0) graph_.tell(aspect::numa);
    const bool has_gpus = std::ranges::any_of(file_.devices, [](const device& each) { return !each.gpus.empty(); });
    if (has_gpus && known_by_class_ == 0 && placed_.links_to_self == 0) graph_.tell(aspect::nvlink);
  }

  const document& file_;
  std::string base_;
  topology::graph graph_;
  std::set<std::string> hosts_;  // hashes
  std::map<std::string, std::string> names_;
  std::map<std::string, int> cpus_without_numa_;
  placement placed_;
  std::set<std::pair<node_index, node_index>> attached_;
  std::vector<std::string> unknown_, others_, repeated_;
  std::size_t without_numa_ = 0, known_by_class_ = 0, without_rate_ = 0, repeated_nets_ = 0, software_nets_ = 0;
};

}  // namespace

topology::graph graph_of(const document& file, const std::string& name) {
  return builder(file, name).run();
}

std::string compute_of(int sm) {
  return std::to_string(sm / 10) + "." + std::to_string(sm % 10);
}

std::string gcn_name(std::string_view gcn) {
  if (gcn == "910") return "gfx90a";
  return gcn.starts_with("gfx") ? std::string(gcn) : "gfx" + std::string(gcn);
}

bool is_software_net(std::string_view name) {
  constexpr std::array<std::string_view, 12> prefixes = {"veth", "docker", "br-", "virbr", "cni",   "flannel",
                                                         "cali", "vxlan",  "tun", "tap",   "dummy", "lxc"};
  return name == "lo" || std::ranges::any_of(prefixes, [&](std::string_view each) { return name.starts_with(each); });
}

}  // namespace hawser::discovery::nccl
