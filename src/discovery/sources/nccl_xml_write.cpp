// A host of the graph as NCCL's topology XML. NCCL's own reader wants no XML declaration and knows no entities; what
// the file leaves out it asks the system for (src/graph/xml.cc, ncclTopoGetXmlFromSys and following).
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <hawser/core/error.hpp>
#include <hawser/discovery/nccl_xml.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../text.hpp"
#include "nccl_xml_parse.hpp"
#include "pci_rate.hpp"

namespace hawser::discovery {

namespace {

namespace attribute = topology::attribute;
using topology::edge;
using topology::edge_index;
using topology::edge_kind;
using topology::node;
using topology::node_index;
using topology::node_kind;

constexpr const char* hidden_device = "fffffff:ff:ff.0";  // what NCCL calls a device that it cannot see

class writer {
 public:
  writer(const topology::graph& machine, std::string_view host) : graph_(machine), host_(host_node(host)) {
    for (node_index each : machine.neighbours(host_)) parts_.insert(each);
    for (node_index each : parts_) {
      at_numa_[attribute_of(each, attribute::numa)].push_back(each);
      if (part(each).kind == node_kind::nic) ports_of_[attribute_of(each, attribute::pci)].push_back(each);
    }
  }

  std::string run() {
    bool has_xgmi = false;
    for (node_index each : parts_)
      for (edge_index link : graph_.edges_of(each)) has_xgmi = has_xgmi || kind(link) == edge_kind::xgmi;
    open("system", {{"version", has_xgmi ? "2" : "1"}});
    const std::size_t empty = text_.size();
    for (node_index each : parts_)
      if (part(each).kind == node_kind::cpu) write_cpu(each);
    write_rest();
    if (text_.size() == empty)
      fail(errc::unsupported, "\"" + part(host_).name + "\" cannot be written as NCCL XML",
           "nothing of what NCCL's files hold is known of it: no CPU, GPU or NIC",
           "merge a source that knows the inside of the host, such as nvidia-smi -q");
    close("system");
    return std::move(text_);
  }

 private:
  using attributes = std::vector<std::pair<std::string, std::string>>;

  const node& part(node_index index) const { return graph_.nodes()[index]; }
  edge_kind kind(edge_index index) const { return graph_.edges()[index].kind; }
  std::string attribute_of(node_index index, const std::string& key) const {
    const auto found = part(index).attributes.find(key);
    return found == part(index).attributes.end() ? std::string() : found->second;
  }

  node_index host_node(std::string_view name) const {
    if (const auto found = graph_.find(topology::identity::host(name))) return *found;
    std::string known;
    int listed = 0;
    constexpr int most = 8;
    for (node_index each = 0; each < graph_.nodes().size(); ++each) {
      if (part(each).kind != node_kind::host) continue;
      if (part(each).name == name) return each;
      if (++listed <= most) known += (listed > 1 ? ", \"" : "\"") + part(each).name + "\"";
    }
    fail(errc::not_found, "the topology has no host \"" + std::string(name) + "\"",
         listed == 0 ? "it has no hosts" : "its hosts are " + known + (listed > most ? ", ..." : ""));
  }

  // Text
  void start(const std::string& element, const attributes& all) {
    text_.append(2 * depth_, ' ').append("<").append(element);
    for (const auto& [name, value] : all)
      text_.append(" ").append(name).append("=\"").append(xml_escaped(value)).append("\"");
  }
  void open(const std::string& element, const attributes& all) {
    start(element, all);
    text_ += ">\n";
    ++depth_;
  }
  void single(const std::string& element, const attributes& all) {
    start(element, all);
    text_ += "/>\n";
  }
  void close(const std::string& element) {
    --depth_;
    text_.append(2 * depth_, ' ').append("</").append(element).append(">\n");
  }

  // Elements
  template <typename Names>
  void add_known(node_index index, const Names& names, attributes& into) const {
    for (const auto& [in_file, in_graph] : names)
      if (part(index).attributes.contains(in_graph)) into.emplace_back(in_file, attribute_of(index, in_graph));
  }

  void open_cpu(const std::string& numa, std::optional<node_index> cpu) {
    attributes all;
    if (const std::string hash = attribute_of(host_, "host_hash"); !hash.empty()) all.emplace_back("host_hash", hash);
    if (!numa.empty()) all.emplace_back("numaid", numa);
    if (cpu) add_known(*cpu, nccl::cpu_attributes, all);
    open("cpu", all);
  }
  void write_cpu(node_index cpu) {
    const std::string numa = attribute_of(cpu, attribute::numa);
    open_cpu(numa, cpu);
    write_below(cpu);
    for (node_index each : numa.empty() ? std::vector<node_index>() : at_numa_[numa])
      if (!written_.contains(each) && is_loose(each)) write_device(each, std::nullopt);
    close("cpu");
  }
  // Devices that no CPU is known for.
  void write_rest() {
    const auto is_left = [&](node_index each) { return !written_.contains(each) && is_loose(each); };
    if (std::ranges::none_of(parts_, is_left)) return;
    open_cpu("-1", std::nullopt);
    for (node_index each : parts_)
      if (is_left(each)) write_device(each, std::nullopt);
    close("cpu");
  }
  bool is_loose(node_index index) const {
    const node_kind type = part(index).kind;
    return type == node_kind::gpu || type == node_kind::nic ||
           (type == node_kind::pci_switch && !is_below_device(index));
  }
  bool is_below_device(node_index index) const {
    return std::ranges::any_of(graph_.edges_of(index), [&](edge_index each) {
      return kind(each) == edge_kind::pci && part(graph_.other_end(each, index)).kind == node_kind::pci_switch &&
             graph_.other_end(each, index) < index;
    });
  }

  void write_below(node_index from) {
    bool in_nic = false;  // nets that are no PCI devices follow each other in one <nic>
    const auto leave_nic = [&] {
      if (in_nic) close("nic");
      in_nic = false;
    };
    for (edge_index each : graph_.edges_of(from)) {
      const node_index below = graph_.other_end(each, from);
      if (kind(each) != edge_kind::pci || !parts_.contains(below) || part(below).kind == node_kind::cpu) continue;
      const bool is_net = part(below).kind == node_kind::nic && attribute_of(below, attribute::pci).empty();
      if (!is_net && written_.contains(below)) continue;
      if (!is_net) {
        leave_nic();
        write_device(below, each);
        continue;
      }
      if (!in_nic) open("nic", {});
      in_nic = true;
      write_net(below);
    }
    leave_nic();
  }

  void write_device(node_index index, std::optional<edge_index> link) {
    written_.insert(index);
    const bool is_nic = part(index).kind == node_kind::nic;
    if (is_nic && attribute_of(index, attribute::pci).empty()) {
      open("nic", {});
      write_net(index);
      close("nic");
      return;
    }
    const attributes all = pci_attributes_of(index, link);
    const bool is_leaf = is_nic ? !has_net(index) : part(index).kind == node_kind::gpu && !has_gpu(index);
    if (is_leaf || part(index).kind == node_kind::nvswitch) {
      single("pci", all);
      return;
    }
    open("pci", all);
    if (is_nic)
      write_ports(index);
    else if (part(index).kind == node_kind::gpu)
      write_gpus(index);
    else
      write_below(index);
    if (const std::string peers = attribute_of(index, "pci_peers"); !peers.empty())
      for (std::string_view each : split(peers, ',')) single("pcilink", {{"target", std::string(each)}});
    close("pci");
  }

  attributes pci_attributes_of(node_index index, std::optional<edge_index> link) {
    std::string id = attribute_of(index, attribute::pci);
    if (id.empty() && part(index).kind == node_kind::pci_switch)
      id = to_string(topology::bus_id{0xffff, 0xff, next_bridge_ / 8, next_bridge_ % 8}), ++next_bridge_;
    if (id.empty())
      fail(errc::unsupported, "\"" + part(index).name + "\" cannot be written as NCCL XML", "its PCI bus id is unknown",
           "merge a source that knows it, such as nvidia-smi -q");
    attributes all{{"busid", id}};
    const bool has_class = part(index).attributes.contains("pci_class");
    if (!has_class && part(index).kind == node_kind::pci_switch) all.emplace_back("class", "0x060400");
    if (!has_class && part(index).kind == node_kind::nvswitch) all.emplace_back("class", "0x068000");
    add_known(index, nccl::pci_attributes, all);
    if (!link) return all;
    const auto& known = graph_.edges()[*link].attributes;
    if (const auto found = known.find(attribute::speed); found != known.end()) {
      if (const pci_generation* each = pci_generation_named(found->second))
        all.emplace_back("link_speed", each->spelling);
    } else if (const auto odd = known.find("link_speed"); odd != known.end()) {
      all.emplace_back("link_speed", odd->second);
    }
    if (const auto found = known.find(attribute::width); found != known.end())
      if (const auto lanes = to_integer<int>(std::string_view(found->second).substr(0, found->second.find('x'))))
        all.emplace_back("link_width", std::to_string(*lanes));
    return all;
  }

  // NICs that are ports of one PCI function share its element.
  void write_ports(node_index first) {
    open("nic", {});
    for (node_index each : ports_of_[attribute_of(first, attribute::pci)])
      if (each == first || !written_.contains(each)) write_net(each);
    close("nic");
  }
  bool has_net(node_index nic) const { return part(nic).attributes.contains(attribute::device); }
  void write_net(node_index nic) {
    written_.insert(nic);
    attributes all{{"name", attribute_of(nic, attribute::device)}};
    add_known(nic, nccl::net_attributes, all);
    single("net", all);
  }

  bool has_gpu(node_index index) const {
    const auto& all = part(index).attributes;
    return all.contains(attribute::index) || all.contains("sm") || all.contains("nccl_rank") || has_links(index);
  }
  bool has_links(node_index index) const {
    return part(index).attributes.contains("nvlinks_to_self") ||
           std::ranges::any_of(graph_.edges_of(index), [&](edge_index each) {
             return kind(each) == edge_kind::nvlink || kind(each) == edge_kind::xgmi ||
                    kind(each) == edge_kind::interconnect;
           });
  }

  void write_gpus(node_index index) {
    const auto parts = to_integer<std::size_t>(attribute_of(index, "gpu_parts")).value_or(1);
    for (std::size_t number = 0; number < parts; ++number) {
      attributes all;
      for (const auto& [in_file, in_graph] : nccl::gpu_attributes) {
        const std::string value = gpu_value(index, in_file, in_graph);
        const auto values = split(value, ',');
        const std::string_view own = values.size() == parts ? values[number] : std::string_view(value);
        if (!own.empty()) all.emplace_back(in_file, own);
      }
      if (!has_links(index)) {
        single("gpu", all);
        continue;
      }
      open("gpu", all);
      write_links(index);
      close("gpu");
    }
  }
  // Sources other than NCCL's dump tell number and compute capability.
  std::string gpu_value(node_index index, std::string_view in_file, const char* in_graph) const {
    if (part(index).attributes.contains(in_graph)) return attribute_of(index, in_graph);
    if (in_file == "dev") return attribute_of(index, attribute::index);
    const std::string compute = attribute_of(index, attribute::compute);
    const std::size_t dot = compute.find('.');
    if (in_file != "sm" || dot == std::string::npos) return {};
    const std::string number = compute.substr(0, dot) + compute.substr(dot + 1);
    return to_integer<std::int32_t>(number).value_or(-1) > 0 ? number : std::string();  // AMD's are names: gfx942
  }

  struct row {
    std::string element, target, target_class;
    std::int64_t megabytes = 0;
    int count = 0;
  };
  void write_links(node_index gpu) {
    std::vector<row> rows;
    std::map<std::pair<node_index, std::string>, std::size_t> place_of;
    for (edge_index each : graph_.edges_of(gpu)) {
      const node_index other = graph_.other_end(each, gpu);
      const bool is_chip = kind(each) == edge_kind::interconnect && part(other).kind == node_kind::cpu;
      if (!is_chip && kind(each) != edge_kind::nvlink && kind(each) != edge_kind::xgmi) continue;
      row now = row_of(graph_.edges()[each], other, is_chip);
      const auto [known, is_new] = place_of.try_emplace({other, now.element + now.target}, rows.size());
      if (is_new)
        rows.push_back(std::move(now));
      else
        ++rows[known->second].count;
    }
    if (const std::string lost = attribute_of(gpu, "nvlinks_to_self"); !lost.empty()) {
      count_links(gpu, to_integer<int>(lost).value_or(0));
      single("nvlink", {{"target", attribute_of(gpu, attribute::pci)}, {"count", lost}, {"tclass", class_of(gpu)}});
    }
    for (const row& each : rows) {
      count_links(gpu, each.count);
      if (each.element == "c2c")
        single("c2c", {{"bw", std::to_string(each.megabytes)}, {"count", std::to_string(each.count)}});
      else
        single(each.element,
               {{"target", each.target}, {"count", std::to_string(each.count)}, {"tclass", each.target_class}});
    }
  }
  // As many as can be read again.
  void count_links(node_index gpu, int links) {
    all_links_ += static_cast<std::size_t>(links);
    if (links <= nccl::max_links && all_links_ <= nccl::max_all_links) return;
    fail(errc::unsupported, "the links of \"" + part(gpu).name + "\" cannot be written as NCCL XML",
         std::to_string(links) + " lead to one part, " + std::to_string(all_links_) + " are written so far",
         "at most " + std::to_string(nccl::max_links) + " and " + std::to_string(nccl::max_all_links) +
             " are read again: is the source right?");
  }
  row row_of(const edge& link, node_index other, bool is_chip) const {
    if (is_chip) {
      const double rate = link.rate ? link.rate->bytes_per_second : 0;
      return {"c2c", "", "", std::llround(rate / 1e6), 1};
    }
    row now{link.kind == edge_kind::xgmi ? "xgmi" : "nvlink", attribute_of(other, attribute::pci), class_of(other)};
    if (const auto bridge = link.attributes.find("bridge"); bridge != link.attributes.end())
      now.target = bridge->second;
    if (now.target.empty()) now.target = hidden_device;
    now.count = 1;
    return now;
  }
  std::string class_of(node_index index) const {
    if (std::string known = attribute_of(index, "pci_class"); !known.empty()) return known;
    if (part(index).kind == node_kind::cpu) return "0x068001";
    return part(index).kind == node_kind::nvswitch ? "0x068000" : "0x030200";
  }

  const topology::graph& graph_;
  node_index host_;
  std::set<node_index> parts_;
  std::set<node_index> written_;
  std::map<std::string, std::vector<node_index>> at_numa_;   // by number; by nothing where there is none
  std::map<std::string, std::vector<node_index>> ports_of_;  // NICs by PCI function
  std::string text_;
  std::size_t depth_ = 0;
  std::size_t all_links_ = 0;
  std::uint32_t next_bridge_ = 8;  // from ffff:ff:01.0 on, as the files of AWS number switches that do not exist
};

}  // namespace

std::string to_nccl_xml(const topology::graph& machine, std::string_view host) {
  return writer(machine, host).run();
}

}  // namespace hawser::discovery
