// FlagCX XML: GPUs and their NICs, or the route between two servers
#include <algorithm>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "flagcx_xml_parse.hpp"
#include "sources.hpp"
#include "xml_sniff.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::edge_kind;
using topology::node;
using topology::node_index;
using topology::node_kind;
using topology::provenance;

bool recognises(const document& file) {
  element_names names(file.text);
  const std::string_view first = names.next();
  return first == "interserver_route" || (first == "system" && names.next() == "gpu");
}

#ifdef HAWSER_HAS_XML

// A GPU is near the net that it is to use: a virtual bridge stands for that.
void add_gpus(topology::graph& machine, const flagcx::document& file, const std::string& host_name) {
  const node_index host =
      machine.add_node({.kind = node_kind::host, .name = host_name, .identities = {identity::host(host_name)}});
  const auto part = [&](node&& each) {
    const node_index index = machine.merge_node(std::move(each));
    machine.contain(host, index);
    return index;
  };
  for (const flagcx::gpu_net& each : file.gpus) {
    const std::string number = std::to_string(each.dev);
    const std::string id = identity::gpu(host_name, each.dev);
    if (machine.find(id)) {
      machine.note({topology::severity::warning, "duplicate-gpu-number", host_name + ":GPU" + number,
                    "is listed again, with net \"" + each.net + "\"; the first counts"});
      continue;
    }
    const node_index gpu = part({.kind = node_kind::gpu,
                                 .name = host_name + ":GPU" + number,
                                 .identities = {id},
                                 .attributes = {{attribute::index, number}}});
    if (each.net.empty()) continue;
    const std::string bridge_id = identity::host(host_name) + "/near/" + each.net;
    const bool is_new = !machine.find(bridge_id);
    const node_index bridge = part({.kind = node_kind::pci_switch,
                                    .name = host_name + ":near " + each.net,
                                    .identities = {bridge_id},
                                    .attributes = {{attribute::virtual_part, "1"}}});
    if (is_new) {
      const node_index nic = part({.kind = node_kind::nic,
                                   .name = host_name + ":" + each.net,
                                   .identities = {identity::nic(host_name, each.net)},
                                   .attributes = {{attribute::device, each.net}}});
      machine.add_edge({.a = bridge, .b = nic, .kind = edge_kind::pci, .source = provenance::file});
    }
    machine.add_edge({.a = bridge, .b = gpu, .kind = edge_kind::pci, .source = provenance::file});
  }
  machine.tell(topology::aspect::hosts);
  machine.tell(topology::aspect::gpus);
}

// The NICs and between them one switch per hop; the same switch in two routes is not known to be the same.
void add_route(topology::graph& machine, const flagcx::route& each, std::size_t number) {
  const auto nic = [&](const std::string& guid) {
    return machine.merge_node({.kind = node_kind::nic,
                               .name = "NIC " + guid,
                               .identities = {"net_guid/" + guid},
                               .attributes = {{"net_guid", guid}}});
  };
  const auto join = [&](node_index a, node_index b, double gigabytes, int links) {
    if (a == b) return;
    topology::edge cable{.a = a, .b = b, .kind = edge_kind::infiniband, .source = provenance::file};
    if (gigabytes > 0) cable.rate = bandwidth{gigabytes * 1e9};
    for (int link = 0; link < links; ++link) machine.add_edge(cable);
  };
  const node_index to = nic(each.to);
  node_index last = nic(each.from);
  const flagcx::hop* below = nullptr;
  for (std::size_t at = 0; at < each.hops.size(); ++at) {
    const flagcx::hop& now = each.hops[at];
    const std::size_t tier = 1 + std::min(at, each.hops.size() - 1 - at);
    const node_index here =
        machine.add_node({.kind = tier == 1   ? node_kind::leaf_switch
                                  : tier == 2 ? node_kind::spine_switch
                                              : node_kind::core_switch,
                          .name = "route " + std::to_string(number) + " switch " + std::to_string(at),
                          .identities = {"flagcx/" + each.from + "/" + each.to + "/" + std::to_string(number) + "/" +
                                         std::to_string(at)},
                          .tier = tier > 2 ? static_cast<int>(tier) : 0});
    // Links between two switches are those upwards of the lower one.
    const flagcx::hop& lower = below && !below->is_top ? *below : now;
    if (below)
      join(last, here, lower.up, std::max(1, lower.up_links));
    else
      join(last, here, now.down, 1);
    last = here;
    below = &now;
  }
  join(last, to, below ? below->down : 0, 1);
}

topology::graph read(const document& file, const read_options& options) {
  const flagcx::document said = flagcx::parse(file);
  topology::graph machine;
  if (!said.gpus.empty()) add_gpus(machine, said, options.host);
  for (const flagcx::route& each : said.routes)
    add_route(machine, each, static_cast<std::size_t>(&each - said.routes.data()));
  return machine;
}

#else

topology::graph read(const document& file, const read_options&) {
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "hawser was built without an XML parser",
       "install libpugixml-dev and build hawser again");
}

#endif

}  // namespace

const file_source flagcx_xml{"flagcx-xml", "FlagCX XML: GPUs and their NICs, or the route between two servers",
                             max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
