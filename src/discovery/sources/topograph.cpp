// Topograph's models and NetQ's nodes: switches, blocks of hosts, NVLink domains.
#include <algorithm>
#include <map>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "accelerator_domain.hpp"
#include "discovery/value_tree.hpp"
#include "sources.hpp"
#include "topograph_parse.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

bool recognises(const document& file) {
  const first_lines lines(file.text);
  if (lines.is_json)
    return lines.mentions("\"DomainUUID\"") ||
           (lines.mentions("\"switches\"") && (lines.mentions("\"blocks\"") || lines.mentions("\"capacity_blocks\"")));
  return lines.has_top_key("switches:") || lines.has_top_key("blocks:") || lines.has_top_key("capacity_blocks:") ||
         lines.has_key("DomainUUID:");
}

// Domains in the order in which the file names them.
class domain_list {
 public:
  std::vector<std::string>& hosts_of(const std::string& name) {
    const domain_record made = accelerator_domain(name);
    const auto [known, is_new] = index_of_.try_emplace(made.identity, all_.size());
    if (is_new) all_.push_back(made);
    return all_[known->second].hosts;
  }
  const std::vector<domain_record>& all() const { return all_; }

 private:
  std::map<std::string, std::size_t> index_of_;
  std::vector<domain_record> all_;
};

// A block's hosts are below its switch; a switch that only blocks or parents name is defined by that.
void place_model(placement& into, topograph_document& found) {
  std::map<std::string, std::size_t> index_of;
  for (std::size_t at = 0; at < found.switches.size(); ++at) index_of.emplace(found.switches[at].name, at);
  domain_list domains;
  for (const capacity_block& each : found.blocks) {
    for (const std::string& host : each.hosts) into.host(host);
    if (!each.switch_name.empty()) {
      const auto [known, is_new] = index_of.try_emplace(each.switch_name, found.switches.size());
      if (is_new) found.switches.push_back({each.switch_name, {}, {}, {}});
      std::vector<std::string>& below = found.switches[known->second].hosts;
      below.insert(below.end(), each.hosts.begin(), each.hosts.end());
    }
    if (each.domain.empty()) continue;
    std::vector<std::string>& members = domains.hosts_of(each.domain);
    members.insert(members.end(), each.hosts.begin(), each.hosts.end());
  }
  for (const auto& [host, domain] : found.domain_of_host)
    if (into.host(host); !domain.empty()) domains.hosts_of(domain).push_back(host);
  const bool has_switches = !found.switches.empty();
  into.add_switches(std::move(found.switches), true);
  into.add_domains(domains.all(), {});
  for (const capacity_block& each : found.blocks)
    for (const std::string& host : each.hosts) {
      if (!each.domain.empty()) into.machine().describe(into.host(host), "accelerator_domain", each.domain);
      if (!each.sub_domain.empty()) into.machine().describe(into.host(host), "accelerator_sub_domain", each.sub_domain);
    }
  if (into.machine().nodes().empty()) return;
  into.machine().tell(topology::aspect::hosts);
  if (has_switches) into.machine().tell(topology::aspect::switches);
}

void place_netq(placement& into, const std::vector<netq_node>& nodes) {
  std::map<std::string, topology::node_index> domain_of;
  std::size_t without_domain = 0;
  for (const netq_node& each : nodes) {
    const auto host = into.host(each.name);
    if (!each.health.empty() && each.health != "HEALTHY")
      into.note(severity::warning, "unhealthy-node", each.name, "NetQ says that its health is " + each.health);
    if (each.domain.empty()) ++without_domain;
    std::vector<topology::node_index> gpus;
    for (const std::string& id : each.gpus) {
      topology::node gpu{topology::node_kind::gpu,
                         each.name + ":GPU" + std::to_string(gpus.size()),
                         {topology::identity::gpu(each.name, static_cast<int>(gpus.size()))}};
      gpu.attributes = {{topology::attribute::index, std::to_string(gpus.size())}, {"netq_id", id}};
      gpus.push_back(into.machine().merge_node(std::move(gpu)));
      into.machine().contain(host, gpus.back());
    }
    if (each.domain.empty()) continue;
    if (!domain_of.contains(each.domain)) {
      const auto uuid = cluster_uuid_of(each.domain);
      domain_record made = uuid ? uuid->domain() : accelerator_domain(each.domain);
      into.add_domains({made}, {});
      domain_of[each.domain] = *into.machine().find(made.identity);
    }
    if (gpus.empty()) gpus.push_back(host);
    for (topology::node_index part : gpus)
      into.machine().add_edge(
          {.a = part, .b = domain_of[each.domain], .kind = topology::edge_kind::nvlink, .source = into.source()});
  }
  if (without_domain > 0)
    into.note(severity::info, "no-domain", shortened(into.file().name),
              std::to_string(without_domain) + " nodes have no DomainUUID");
  for (const topology::aspect each : {topology::aspect::hosts, topology::aspect::gpus, topology::aspect::nvlink})
    into.machine().tell(each);
}

topology::graph read(const document& file, const read_options&) {
  topograph_document found = parse_topograph(file);
  placement into(file, topology::provenance::file);
  if (!found.netq_nodes.empty()) place_netq(into, found.netq_nodes);
  place_model(into, found);
  if (into.machine().nodes().empty()) fail_in(file, {}, "it names no switch and no node");
  return into.finish();
}

}  // namespace

const file_source topograph{"topograph", "Topograph's models, NVLink domain lists and NetQ nodes", max_markup_bytes,
                            recognises, read};

}  // namespace hawser::discovery
