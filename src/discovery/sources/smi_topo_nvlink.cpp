// NVLink as `nvidia-smi topo -m` shows it, one edge per link.
#include <algorithm>
#include <string>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_topo_graph.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;
using topology::severity;

namespace {

void add_links(topo_graph& made, topology::node_index a, topology::node_index b, int number) {
  for (int link = 0; link < number; ++link)
    made.into.add_edge({.a = a, .b = b, .kind = topology::edge_kind::nvlink, .source = provenance::file});
}

void add_switched(const topo_document& all, const nvlink_group& group, bool is_only, topo_graph& made) {
  topology::node switches{.kind = topology::node_kind::nvswitch};
  const std::string first = all.cells().columns[group.gpus.front()];
  switches.name = made.host_name + ":NVSwitch" + (is_only ? "" : " of " + first);
  switches.identities = {identity::nvswitches(made.host_name) + (is_only ? "" : "/" + first)};
  switches.attributes[attribute::virtual_part] = "1";
  const topology::node_index joined = made.into.add_node(std::move(switches));
  made.into.contain(made.host, joined);
  for (std::size_t gpu : group.gpus) {
    int links = 0;  // a GPU with a broken link shows fewer in its own row
    for (std::size_t peer : group.gpus)
      if (peer != gpu) links = std::max(links, all.nvlinks(gpu, peer));
    add_links(made, made.node_of[gpu], joined, links);
  }
}

void note_doubt(const topo_document& all, const nvlink_group& group, topo_graph& made) {
  const int links = all.nvlinks(group.gpus[0], group.gpus[1]);
  std::string gpus;
  for (std::size_t each : group.gpus) gpus += (gpus.empty() ? "" : ", ") + all.cells().columns[each];
  made.into.note({severity::info, "nvlink-direct-or-switched", made.host_name,
                  gpus + " are joined by NV" + std::to_string(links) + ", which may be " + std::to_string(links) +
                      " direct links of each two GPUs or the " + std::to_string(links) +
                      " links of each to NVSwitches that join further GPUs; it is read as direct links. NCCL's "
                      "topology file or NVML tell which"});
}

}  // namespace

void add_nvlinks(const topo_document& all, topo_graph& made) {
  const std::vector<nvlink_group> groups = all.nvlink_groups();
  const auto switched = std::ranges::count_if(groups, [](const nvlink_group& each) { return each.is_switched; });
  for (const nvlink_group& group : groups) {
    if (!group.is_certain) note_doubt(all, group, made);
    if (group.is_switched) {
      add_switched(all, group, switched == 1, made);
      continue;
    }
    for (std::size_t a : group.gpus)
      for (std::size_t b : group.gpus)
        if (a < b) add_links(made, made.node_of[a], made.node_of[b], all.nvlinks(a, b));
  }
}

}  // namespace hawser::discovery
