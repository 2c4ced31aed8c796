// Lines of cluster UUID and clique id: which hosts or GPUs share a multi-node NVLink domain.
#include <string>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "fabric_csv_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;

bool recognises(const document& file) {
  constexpr int looked_at = 8;
  int seen = 0;
  bool has_header = false;
  for (line_reader lines(file.text.substr(0, 4096)); seen < looked_at && lines.next();) {
    if (lines.line().find("fabric.clusterUuid") != std::string_view::npos) has_header = true;
    if (is_fabric_blank(lines.line())) continue;
    const bool is_cut = lines.line().data() + lines.line().size() == file.text.data() + 4096;
    if (is_cut) break;
    if (!parse_fabric_line(trimmed(lines.line()))) return false;
    ++seen;
  }
  return seen > 0 || has_header;
}

/// The node that joins a partition; nothing where the host is in none.
std::optional<topology::node_index> domain_of(const fabric_host& host, const std::string& name, topology::graph& into) {
  if (host.partition.uuid.empty()) return std::nullopt;
  // Sources that know no cliques call the same switches those of the host.
  return into.merge_node(
      {.kind = topology::node_kind::nvswitch,
       .name = host.partition.uuid + "." + host.partition.clique,
       .identities = {identity::clique(host.partition.uuid, host.partition.clique), identity::nvswitches(name)},
       .attributes = {{attribute::virtual_part, "1"}}});
}

topology::node described(topology::node part, const fabric_host& host) {
  const bool is_joined = !host.partition.uuid.empty();
  if (is_joined || !host.reported.empty())
    part.attributes[attribute::cluster_uuid] = is_joined ? host.partition.uuid : host.reported;
  if (is_joined) part.attributes[attribute::clique_id] = host.partition.clique;
  return part;
}

void add_host(const fabric_host& host, const std::string& name, topology::graph& into) {
  const auto domain = domain_of(host, name, into);
  topology::node part{.kind = topology::node_kind::host, .name = name, .identities = {identity::host(name)}};
  const topology::node_index added = into.add_node(host.gpus ? std::move(part) : described(std::move(part), host));
  const auto join = [&](topology::node_index end) {
    if (domain)
      into.add_edge({.a = end, .b = *domain, .kind = topology::edge_kind::nvlink, .source = provenance::assumed});
  };
  if (!host.gpus) join(added);
  for (std::size_t gpu = 0; gpu < host.gpus; ++gpu) {
    const topology::node_index number =
        into.add_node(described({.kind = topology::node_kind::gpu,
                                 .name = name + ":GPU" + std::to_string(gpu),
                                 .identities = {identity::gpu(name, static_cast<int>(gpu))},
                                 .attributes = {{attribute::index, std::to_string(gpu)}}},
                                host));
    into.contain(added, number);
    join(number);
  }
}

topology::graph read(const document& file, const read_options& options) {
  const std::vector<fabric_host> hosts = parse_fabric_csv(file);
  topology::graph into;
  bool has_gpus = true;
  for (const fabric_host& each : hosts) {
    const std::string& name = each.name.empty() ? options.host : each.name;
    if (into.find(identity::host(name)))
      fail_at_line(file, each.line, "lines with the name of \"" + shortened(name) + "\" and without one",
                   "name the host of all lines");
    add_host(each, name, into);
    has_gpus = has_gpus && each.gpus > 0;
  }
  into.tell(topology::aspect::hosts);
  if (has_gpus) into.tell(topology::aspect::gpus);
  if (has_gpus) into.tell(topology::aspect::nvlink);
  return into;
}

}  // namespace

const file_source fabric_csv{"fabric-csv", "lines of host and NVLink partition", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
