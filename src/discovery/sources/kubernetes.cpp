// Kubernetes: nodes and their labels, ComputeDomains, kind's clusters.
#include <algorithm>
#include <map>

#include "accelerator_domain.hpp"
#include "discovery/value_tree.hpp"
#include "kubernetes_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

constexpr std::string_view label_words[] = {"nvidia.com/gpu.clique",           "accelerator.topograph.run/",
                                            "fabric.topograph.run/",           "network.topology.nvidia.com/",
                                            "network.topology.kubernetes.io/", "topology.kubernetes.io/"};

bool recognises(const document& file) {
  const first_lines lines(file.text);
  if (lines.is_json)
    return lines.mentions("\"apiVersion\"") && (lines.mentions("\"kind\"") || lines.mentions("\"metadata\""));
  if (lines.has_top_key("switches:") || lines.has_top_key("blocks:"))
    return false;  // a model of Topograph has labels too
  if (lines.has_key("apiVersion:") && lines.has_key("kind:")) return true;
  if (lines.has_top_key("topology:") && lines.has_key("domains:") &&
      (lines.has_key("cliques:") || lines.has_key("uuid:")))
    return true;
  return std::any_of(std::begin(label_words), std::end(label_words),
                     [&](std::string_view each) { return lines.has_key(each); });
}

void place_members(placement& into, const kubernetes_document& found) {
  std::map<std::string, domain_record> domains;
  const auto add = [&](const cluster_uuid& uuid, const std::string& host) {
    domains.try_emplace(uuid.identity(), uuid.domain()).first->second.hosts.push_back(host);
  };
  for (const clique_member& each : found.members) {
    into.host(each.host);
    if (!each.is_ready)
      into.note(severity::warning, "clique-not-ready", each.host, "its daemon of the NVLink domain is not ready");
    const auto uuid = cluster_uuid_of(each.clique);
    if (uuid && !uuid->is_zero())
      add(*uuid, each.host);
    else if (!uuid && !each.clique.empty())
      into.note(severity::warning, "malformed-clique", each.host,
                "its clique \"" + shortened(each.clique) + "\" is not UUID.CLIQUE");
    else
      into.note(severity::info, "no-clique", each.host, "it is in no NVLink domain of several hosts");
  }
  for (const mock_domain& each : found.domains)
    for (const auto& [id, hosts] : each.cliques) {
      const auto uuid = cluster_uuid_of(each.uuid + "." + id);
      if (!uuid)
        into.note(severity::warning, "malformed-clique", shortened(each.uuid),
                  "is not a UUID, or the clique \"" + shortened(id) + "\" is no number");
      for (const std::string& host : hosts)
        if (into.host(host); uuid && !uuid->is_zero()) add(*uuid, host);
    }
  std::vector<domain_record> all;
  all.reserve(domains.size());
  for (auto& [identity, domain] : domains) all.push_back(std::move(domain));
  into.add_domains(all, {});
}

topology::graph read(const document& file, const read_options& options) {
  const kubernetes_document found = parse_kubernetes(file, options.host);
  placement into(file, topology::provenance::file);
  place_nodes(into, found.nodes);
  place_members(into, found);
  for (const compute_domain_record& each : found.compute_domains)
    if (found.members.empty() && each.nodes)
      into.note(severity::info, "compute-domain-request", each.name,
                "asks for " + std::to_string(*each.nodes) + " nodes; which ones is not told yet");
  if (into.machine().nodes().empty())
    into.note(severity::info, "no-placement", shortened(file.name),
              "none of its " + std::to_string(found.kinds.size()) + " objects says where a node is");
  else
    into.machine().tell(topology::aspect::hosts);
  return into.finish();
}

}  // namespace

const file_source kubernetes{"kubernetes", "Kubernetes Nodes, as JSON or YAML: topology labels; ComputeDomains",
                             max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
