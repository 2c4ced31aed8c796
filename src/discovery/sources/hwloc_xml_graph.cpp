// hwloc XML: document to graph.
#include "hwloc_xml_graph.hpp"

#include <algorithm>
#include <cctype>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "nvswitch_join.hpp"

namespace hawser::discovery::hwloc {

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

std::string info_of(const object& each, const char* name) {
  const auto found = each.info.find(name);
  return found == each.info.end() ? std::string() : found->second;
}

class builder {
 public:
  builder(const document& file, std::string host)
      : file_(file), name_(std::move(host)), place_of_(file.objects.size()), devices_of_(file.objects.size()) {
    for (std::size_t at = 0; at < file.objects.size(); ++at) {
      const object& each = file.objects[at];
      if (each.type == "OSDev" && each.parent) devices_of_[*each.parent].push_back(at);
      has_nvml_ = has_nvml_ || number_after(each, {"nvml", "rsmi"}).has_value();
      has_io_ = has_io_ || each.type == "PCIDev" || each.type == "OSDev";
    }
  }

  topology::graph run() {
    host_ = graph_.add_node({.kind = node_kind::host, .name = name_, .identities = {identity::host(name_)}});
    find_numa_nodes();
    find_useful();
    for (std::size_t index = 0; index < file_.objects.size(); ++index)
      if (at(index).type == "NUMANode") place_of_[index] = add_numa_node(at(index), index);
    for (std::size_t index = 0; index < file_.objects.size(); ++index) add(index);
    place_packages();
    connect(graph_, file_, place_of_);
    join_switches(graph_);
    tell();
    return std::move(graph_);
  }

 private:
  const object& at(std::size_t index) const { return file_.objects[index]; }

  // The number of "nvml0"; empty where the name is another.
  static std::optional<int> number_after(const object& each, std::initializer_list<std::string_view> prefixes) {
    const std::string_view name = each.name;
    if (each.type != "OSDev") return std::nullopt;
    for (std::string_view prefix : prefixes)
      if (name.starts_with(prefix))
        if (const auto number = to_integer<int>(name.substr(prefix.size())); number && *number >= 0) return number;
    return std::nullopt;
  }
  // A device that computes: CUDA, NVML, RSMI, Level Zero, OpenCL. DRM's "card0" is there for any display.
  static bool is_compute(const object& each) {
    if (each.type != "OSDev" || (each.osdev & (gpu | coprocessor)) == 0) return false;
    if (info_of(each, "OpenCLDeviceType") == "CPU") return false;
    return !each.name.starts_with("card") && !each.name.starts_with("render") && !each.name.starts_with("control") &&
           !each.name.starts_with(":");
  }
  bool is_gpu(std::size_t index) const {
    const object& each = at(index);
    if (each.type != "PCIDev") return false;
    const bool is_display =
        each.pci_class == "0300" || each.pci_class == "0302" || each.pci_class == "0380" || each.pci_class == "1200";
    if (is_display && (each.pci_vendor == "10de" || each.pci_vendor == "1002")) return true;
    return std::ranges::any_of(devices_of_[index], [&](std::size_t device) { return is_compute(at(device)); });
  }
  static bool is_net(const object& each) { return (each.osdev & (network | openfabrics)) != 0; }
  bool is_nic(std::size_t index) const {
    return std::ranges::any_of(devices_of_[index], [&](std::size_t device) { return is_net(at(device)); });
  }
  bool is_nvswitch(std::size_t index) const {
    const object& each = at(index);
    return each.type == "PCIDev" &&
           (each.subtype == "NVSwitch" || (each.pci_class == "0680" && each.pci_vendor == "10de"));
  }

  // NUMA nodes below each object.
  void find_numa_nodes() {
    numa_below_.resize(file_.objects.size());
    for (std::size_t index = file_.objects.size(); index-- > 0;) {
      numa_count count = numa_below_[index];
      if (at(index).type == "NUMANode") count = {1, index};
      numa_below_[index] = count;
      if (!at(index).parent || count.number == 0) continue;
      numa_count& above = numa_below_[*at(index).parent];
      above = {above.number + count.number, count.first};
    }
  }
  void find_useful() {
    is_useful_.resize(file_.objects.size());
    for (std::size_t index = file_.objects.size(); index-- > 0;) {
      if (is_gpu(index) || is_nic(index) || is_nvswitch(index)) is_useful_[index] = true;
      if (is_useful_[index] && at(index).parent && at(*at(index).parent).type == "Bridge")
        is_useful_[*at(index).parent] = true;
    }
  }

  void add(std::size_t index) {
    const object& each = at(index);
    if (each.type == "Bridge" && each.pci && is_useful_[index])
      place_of_[index] = attach(index, described(each, node_kind::pci_switch));
    else if (each.type == "PCIDev" && is_gpu(index))
      place_of_[index] = add_gpu(index);
    else if (each.type == "PCIDev" && is_nvswitch(index))
      place_of_[index] = attach(index, described(each, node_kind::nvswitch));
    else if (each.type == "PCIDev" && is_nic(index))
      add_nics(index);
    else if (each.type == "OSDev" && each.parent && at(*each.parent).type == "PCIDev")
      place_of_[index] = place_of_[*each.parent];
    else if (each.type == "OSDev" && is_gpu_without_pci(each))
      place_of_[index] = add_gpu_without_pci(index);
  }

  node_index add_numa_node(const object& each, std::size_t index) {
    const int number = each.os_index.value_or(-1);
    node part{.kind = node_kind::cpu, .name = name_ + ":NUMA" + std::to_string(number)};
    part.attributes[attribute::numa] = std::to_string(number);
    const std::string id = identity::numa(name_, number);
    if (number >= 0 && !graph_.find(id)) part.identities = {id};
    for (auto above = each.parent; above; above = at(*above).parent)
      if (const std::string model = info_of(at(*above), "CPUModel"); !model.empty())
        part.attributes[attribute::model] = model;
    const node_index cpu = graph_.add_node(std::move(part));
    graph_.contain(host_, cpu);
    cpu_of_.emplace(index, cpu);
    return cpu;
  }

  node described(const object& each, node_kind kind) {
    node part{.kind = kind};
    if (each.pci) {
      const std::string id = to_string(*each.pci);
      const char* const what = kind == node_kind::nvswitch ? "NVSwitch-" : kind == node_kind::gpu ? "GPU-" : "";
      part.name = name_ + ":" + what + id;
      part.attributes[attribute::pci] = id;
      part.attributes["pci_class"] = "0x" + each.pci_class + "00";
      part.attributes["pci_vendor"] = "0x" + each.pci_vendor;
      part.attributes["pci_device"] = "0x" + each.pci_device;
      identify(part, identity::pci(name_, *each.pci));
    }
    if (const std::string model = info_of(each, "PCIDevice"); !model.empty()) part.attributes[attribute::model] = model;
    return part;
  }
  // A file may repeat what ought to be unique (virtual functions share a GUID).
  void identify(node& part, const std::string& id) {
    if (!graph_.find(id) && std::ranges::find(part.identities, id) == part.identities.end())
      part.identities.push_back(id);
    else
      graph_.note({severity::warning, "duplicate-identity", part.name, "another part is " + id + " too"});
  }

  node_index add_gpu(std::size_t index) {
    node part = described(at(index), node_kind::gpu);
    for (std::size_t device : devices_of_[index]) describe_gpu(at(device), part);
    return attach(index, std::move(part));
  }
  void describe_gpu(const object& device, node& part) {
    if (!is_compute(device)) return;
    if (const std::string model = info_of(device, "GPUModel"); !model.empty())
      part.attributes[attribute::model] = model;
    for (const char* key : {"NVIDIAUUID", "AMDUUID"})
      if (const std::string uuid = info_of(device, key); !uuid.empty() && !part.attributes.contains(attribute::uuid)) {
        part.attributes[attribute::uuid] = uuid;
        identify(part, identity::uuid(uuid));
      }
    const auto by_manager = number_after(device, {"nvml", "rsmi"});
    const auto by_cuda = number_after(device, {"cuda"});  // an order that CUDA_VISIBLE_DEVICES changes
    const auto number = by_manager ? by_manager : has_nvml_ ? std::nullopt : by_cuda;
    if (!number || part.attributes.contains(attribute::index)) return;
    part.attributes[attribute::index] = std::to_string(*number);
    part.name = name_ + ":GPU" + std::to_string(*number);
    if (by_manager) identify(part, identity::gpu(name_, *number));
  }
  // Where the PCI tree was left out.
  bool is_gpu_without_pci(const object& each) const {
    return is_compute(each) && number_after(each, has_nvml_ ? std::initializer_list<std::string_view>{"nvml", "rsmi"}
                                                            : std::initializer_list<std::string_view>{"cuda"});
  }
  node_index add_gpu_without_pci(std::size_t index) {
    node part{.kind = node_kind::gpu};
    describe_gpu(at(index), part);
    return attach(index, std::move(part));
  }

  // One NIC per RDMA device, else per network device; a network device beside an RDMA device is another name of it.
  void add_nics(std::size_t index) {
    std::vector<std::size_t> rdma, nets;
    for (std::size_t device : devices_of_[index])
      if (is_net(at(device))) ((at(device).osdev & openfabrics) != 0 ? rdma : nets).push_back(device);
    for (std::size_t device : rdma.empty() ? nets : rdma) {
      node part = described(at(index), node_kind::nic);
      if (place_of_[index]) part.identities.clear();  // the first one is the PCI function
      part.name = name_ + ":" + at(device).name;
      part.attributes[attribute::device] = at(device).name;
      identify(part, identity::nic(name_, at(device).name));
      describe_nic(at(device), part);
      if (rdma.size() == 1)
        for (std::size_t net : nets) identify(part, identity::nic(name_, at(net).name));
      const node_index nic = attach(index, std::move(part));
      if (!place_of_[index]) place_of_[index] = nic;
    }
  }
  void describe_nic(const object& device, node& part) {
    if (const std::string guid = guid_of(info_of(device, "NodeGUID")); !guid.empty()) {
      part.attributes[attribute::guid] = guid;
      identify(part, identity::guid(guid));
    }
    const std::string state = info_of(device, "Port1State");  // as in ibv_port_state
    if (state == "4") part.attributes[attribute::port_state] = "active";
    if (state == "1") part.attributes[attribute::port_state] = "down";
    const std::string lid = info_of(device, "Port1LID");
    if (lid.starts_with("0x") && lid.find_first_not_of('0', 2) != std::string::npos)
      part.attributes[attribute::link_layer] = "InfiniBand";
  }
  // "248a:0703:001e:39fe"
  static std::string guid_of(const std::string& text) {
    std::string digits;
    for (char c : text)
      if (std::isxdigit(static_cast<unsigned char>(c)))
        digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      else if (c != ':')
        return {};
    constexpr std::size_t length = 16;
    return digits.size() == length && digits.find_first_not_of('0') != std::string::npos ? "0x" + digits : "";
  }

  // Below the next bridge, else at the NUMA nodes of the nearest object that is no I/O.
  node_index attach(std::size_t index, node part) {
    auto above = at(index).parent;
    while (above && !place_of_[*above] && is_io(at(*above))) above = at(*above).parent;
    const bool is_below_bridge = above && place_of_[*above] && at(*above).type == "Bridge";
    const std::vector<node_index> cpus = is_below_bridge ? std::vector<node_index>() : cpus_near(above);
    if (const std::string numa = is_below_bridge ? numa_of_[*place_of_[*above]] : number_of(cpus); !numa.empty())
      part.attributes[attribute::numa] = numa;
    const std::string numa = part.attributes[attribute::numa];
    const node_index here = graph_.add_node(std::move(part));
    numa_of_[here] = numa;
    graph_.contain(host_, here);
    edge link{.b = here, .kind = edge_kind::pci, .source = provenance::file};
    if (at(index).link_gigabytes > 0) link.rate = bandwidth{at(index).link_gigabytes * 1e9};
    for (node_index each : is_below_bridge ? std::vector<node_index>{*place_of_[*above]} : cpus) {
      link.a = each;
      graph_.add_edge(link);
    }
    return here;
  }
  static bool is_io(const object& each) {
    return each.type == "Bridge" || each.type == "PCIDev" || each.type == "OSDev" || each.type == "Misc";
  }
  // Where several are equally near the part hangs at each; at the whole machine of several the place is unknown.
  std::vector<node_index> cpus_near(std::optional<std::size_t> from) const {
    constexpr std::size_t most = 16;
    while (from && numa_below_[*from].number == 0) from = at(*from).parent;
    if (!from || numa_below_[*from].number > most) return {};
    if (at(*from).type == "Machine" && numa_below_[*from].number > 1) return {};
    std::vector<node_index> found;
    auto next = cpu_of_.lower_bound(numa_below_[*from].first);
    for (; found.size() < numa_below_[*from].number && next != cpu_of_.end(); ++next) found.push_back(next->second);
    return found;
  }
  std::string number_of(const std::vector<node_index>& cpus) const {
    return cpus.size() == 1 ? graph_.nodes()[cpus[0]].attributes.at(attribute::numa) : cpus.empty() ? "-1" : "";
  }

  // Matrices may name packages (POWER): the first NUMA node stands for it.
  void place_packages() {
    for (std::size_t index = 0; index < file_.objects.size(); ++index)
      if (at(index).type == "Package" && numa_below_[index].number > 0)
        place_of_[index] = cpu_of_.at(numa_below_[index].first);
  }

  void tell() {
    using topology::aspect;
    graph_.tell(aspect::hosts);
    if (!cpu_of_.empty()) graph_.tell(aspect::numa);
    if (has_io_) graph_.tell(aspect::gpus), graph_.tell(aspect::nics);
    for (const matrix& each : file_.matrices)
      if (each.name == "NVLinkBandwidth" || each.name == "XGMIBandwidth") graph_.tell(aspect::nvlink);
  }

  struct numa_count {
    std::size_t number = 0;
    std::size_t first = 0;
  };
  const document& file_;
  std::string name_;
  topology::graph graph_;
  node_index host_ = 0;
  std::vector<std::optional<node_index>> place_of_;
  std::vector<std::vector<std::size_t>> devices_of_;
  std::vector<numa_count> numa_below_;
  std::vector<bool> is_useful_;
  std::map<std::size_t, node_index> cpu_of_;
  std::map<node_index, std::string> numa_of_;
  bool has_nvml_ = false;
  bool has_io_ = false;
};

}  // namespace

topology::graph graph_of(const document& file, const std::string& host) {
  return builder(file, host).run();
}

}  // namespace hawser::discovery::hwloc
