// NVLink, xGMI and C2C of an NCCL topology XML: one edge per link.
#include "nccl_xml_links.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "nccl_xml_graph.hpp"

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

class connector {
 public:
  connector(topology::graph& into, const document& file, placement& placed)
      : graph_(into), file_(file), placed_(placed) {}

  void run() {
    for_each_gpu([&](std::size_t number, node_index from) { count_pairs(number, from); });
    for_each_gpu([&](std::size_t number, node_index from) {
      if (const gpu* const each = gpu_with_links(file_.devices[number])) add_links(*each, number, from);
      add_chip_links(number, from);
    });
  }

 private:
  // A GPU that two dumps tell of is asked once.
  template <typename Function>
  void for_each_gpu(Function call) {
    std::set<node_index> done;
    for (std::size_t number = 0; number < file_.devices.size(); ++number) {
      const auto at = placed_.of_device[number];
      if (!file_.devices[number].gpus.empty() && at && done.insert(*at).second) call(number, *at);
    }
  }
  // Each partition of a GPU lists all links of the whole.
  static const gpu* gpu_with_links(const device& each) {
    const auto found = std::ranges::find_if(each.gpus, [](const gpu& part) { return !part.links.empty(); });
    return found == each.gpus.end() ? nullptr : &*found;
  }

  std::string host_of(node_index index) const { return graph_.nodes()[*graph_.host_of(index)].name; }
  std::optional<node_index> target_of(const link& row, node_index from) const {
    return row.target ? graph_.find(identity::pci(host_of(from), *row.target)) : std::nullopt;
  }
  bool is_gpu(std::optional<node_index> index) const { return index && graph_.nodes()[*index].kind == node_kind::gpu; }

  void count_pairs(std::size_t number, node_index from) {
    const gpu* const each = gpu_with_links(file_.devices[number]);
    if (!each) return;
    for (const link& row : each->links)
      if (const auto to = target_of(row, from); is_gpu(to)) count_of_[{from, *to}] += row.count;
  }

  void add_links(const gpu& each, std::size_t number, node_index from) {
    int active = 0, to_self = 0, elsewhere = 0;
    for (const link& row : each.links) {
      const auto target = target_of(row, from);
      edge cable{.a = from, .kind = row.is_xgmi ? edge_kind::xgmi : edge_kind::nvlink, .source = provenance::file};
      cable.rate = rate_of(each, row);
      if (target == from) {
        to_self += row.count;
        continue;
      }
      if (is_gpu(target)) {
        add_pair(cable, *target);
      } else if (row.target_class.starts_with("0x068001")) {  // the NVLink bridge of a POWER CPU
        cable.b = placed_.of_cpu[file_.devices[number].cpu];
        if (row.target) cable.attributes["bridge"] = to_string(*row.target);
        add(cable, row.count);
      } else if (!row.target || row.target_class.starts_with("0x0680")) {
        cable.b = row.target ? visible_switch(*row.target, from) : hidden_switch(from);
        add(cable, row.count);
      } else {
        elsewhere += row.count;
        continue;
      }
      active += row.count;
    }
    if (active + elsewhere > 0) graph_.describe(from, attribute::nvlinks_active, std::to_string(active + elsewhere));
    note_lost(from, to_self, elsewhere);
  }
  void note_lost(node_index from, int to_self, int elsewhere) {
    const std::string name = graph_.nodes()[from].name;
    placed_.links_to_self += to_self;
    if (to_self > 0) {
      graph_.describe(from, "nvlinks_to_self", std::to_string(to_self));
      graph_.note(
          {severity::warning, "nvlink-to-self", name,
           std::to_string(to_self) + " NVLinks are said to lead to the GPU itself; where they lead is unknown"});
    }
    if (elsewhere > 0)
      graph_.note({severity::warning, "nvlink-to-unknown-device", name,
                   std::to_string(elsewhere) + " NVLinks lead to devices that the file does not list"});
  }

  void add(const edge& cable, int count) {
    for (int each = 0; each < count; ++each) graph_.add_edge(cable);
  }
  // Both ends list the links between them.
  void add_pair(edge cable, node_index to) {
    const node_index from = cable.a;
    if (!joined_.insert(std::minmax(from, to)).second) return;
    const int here = count_of_[{from, to}], there = count_of_[{to, from}];
    if (here != there)
      graph_.note({severity::warning, "asymmetric-nvlink", graph_.nodes()[from].name + " - " + graph_.nodes()[to].name,
                   "one end lists " + std::to_string(here) + " links, the other " + std::to_string(there)});
    cable.b = to;
    add(cable, std::max(here, there));
  }
  static std::optional<bandwidth> rate_of(const gpu& each, const link& row) {
    const auto gcn = each.given.find("gcn");
    if (row.is_xgmi) return gcn == each.given.end() ? std::nullopt : std::optional(xgmi_rate(gcn_name(gcn->second)));
    return each.sm ? std::optional(nvlink_rate(*each.sm)) : std::nullopt;
  }

  node_index visible_switch(const topology::bus_id& id, node_index from) {
    const std::string host = host_of(from);
    if (const auto known = graph_.find(identity::pci(host, id))) return *known;
    const node_index index = graph_.add_node({.kind = node_kind::nvswitch,
                                              .name = host + ":NVSwitch-" + to_string(id),
                                              .identities = {identity::pci(host, id)},
                                              .attributes = {{attribute::pci, to_string(id)}}});
    graph_.contain(*graph_.host_of(from), index);
    return index;
  }
  // As in NCCL one for all that is hidden: its dumps hold several hosts where NVLink joins them.
  node_index hidden_switch(node_index from) {
    const std::string host = host_of(from);
    if (const auto known = graph_.find(identity::nvswitches(host))) return *known;
    node part{.kind = node_kind::nvswitch,
              .name = placed_.hosts.size() == 1 ? host + ":NVSwitch" : "NVSwitch",
              .attributes = {{attribute::virtual_part, "1"}}};
    for (const std::string& each : placed_.hosts) part.identities.push_back(identity::nvswitches(each));
    const node_index index = graph_.add_node(std::move(part));
    if (placed_.hosts.size() == 1) graph_.contain(*graph_.host_of(from), index);
    return index;
  }

  void add_chip_links(std::size_t number, node_index from) {
    for (const gpu& each : file_.devices[number].gpus) {
      if (each.chip_links.empty()) continue;
      for (const chip_link& row : each.chip_links) {
        edge cable{.a = placed_.of_cpu[file_.devices[number].cpu],
                   .b = from,
                   .kind = edge_kind::interconnect,
                   .source = provenance::file,
                   .attributes = {{"link", "c2c"}}};
        if (row.megabytes_per_second > 0) cable.rate = bandwidth{static_cast<double>(row.megabytes_per_second) * 1e6};
        add(cable, row.count);
      }
      return;  // as above: the partitions share them
    }
  }

  topology::graph& graph_;
  const document& file_;
  placement& placed_;
  std::map<std::pair<node_index, node_index>, int> count_of_;
  std::set<std::pair<node_index, node_index>> joined_;
};

}  // namespace

void connect(topology::graph& into, const document& file, placement& placed) {
  connector(into, file, placed).run();
}

bandwidth nvlink_rate(int sm) {
  struct generation {
    int sm;
    double gigabytes;
  };
  constexpr std::array<generation, 5> generations = {{{100, 40.1}, {90, 20.6}, {80, 20}, {70, 20}, {60, 18}}};
  if (sm == 86) return {12e9};
  for (const generation& each : generations)
    if (sm >= each.sm) return {each.gigabytes * 1e9};
  return {20e9};
}

bandwidth xgmi_rate(std::string_view gcn) {
  if (gcn == "gfx90a") return {36e9};
  return gcn.starts_with("gfx94") || gcn.starts_with("gfx95") ? bandwidth{48e9} : bandwidth{24e9};
}

}  // namespace hawser::discovery::nccl
