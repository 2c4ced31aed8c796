// Discovery at the start of a job: one rank per host asks its host, all ranks merge what all hosts say.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>
#include <hawser/topology/json.hpp>
#include <hawser/topology/merge.hpp>

#include "state.hpp"

namespace hawser::detail {

namespace {

using topology::hierarchy;
using topology::severity;

/// The lowest rank of each host asks it; the network is asked by rank 0 alone.
std::string ask_this_host(job& owner, discovery_report& report) {
  const std::vector<int>& hosts = owner.host_numbers();
  const int self = owner.self().value;
  if (self >= owner.ranks()) return {};  // no rank is placed on an aggregator's host
  if (std::find(hosts.begin(), hosts.end(), hosts[static_cast<std::size_t>(self)]) - hosts.begin() != self) return {};
  discovery::live_environment here = discovery::this_host();
  here.host = owner.host_names()[static_cast<std::size_t>(self)];
  discovery::discover_options options;
  options.asks = {true, true, self == 0};
  options.cache_folder = owner.options().cache_directory;
  discovery::discovery found = discovery::discover(here, options);
  report.phases = std::move(found.phases);
  try {
    return topology::to_json(found.machine);
  } catch (const error&) {  // built without JSON: the others learn of it by the empty text
    return {};
  }
}

/// What a host-memory rank meets on its way: where the links' figures are unknown, those of memory and of Ethernet.
hierarchy with_host_figures(const hierarchy& tree) {
  std::vector<topology::level> levels = tree.levels();
  for (topology::level& each : levels)
    if (each.up.source == topology::provenance::assumed) each.up = each.name == "rank" ? memory_link : network_link;
  std::vector<rank> rank_at;
  for (std::int64_t position = 0; position < tree.size(); ++position) rank_at.push_back(tree.rank_at(position));
  return hierarchy(std::move(levels), std::move(rank_at));
}

}  // namespace

std::optional<hierarchy> discover_hierarchy(job& owner, discovery_report& report) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> pieces = owner.exchange("discovery", ask_this_host(owner, report));
  topology::graph machine;
  // From here on all ranks do the same with the same pieces, so all find a hierarchy or none.
  try {
    if (std::ranges::all_of(pieces, &std::string::empty))
      fail(errc::unsupported, "the hosts cannot tell each other what they are", "hawser was built without JSON",
           "install nlohmann-json3-dev and build again, or give the topology (HAWSER_TOPOLOGY)");
    for (const std::string& piece : pieces)
      if (!piece.empty()) topology::merge(machine, topology::graph_from_json(piece, "what a host discovered"));
    report.phases.push_back({"agreement", std::chrono::steady_clock::now() - start});
    report.findings = machine.findings();
    std::vector<topology::node_index> host_of_rank;
    for (const std::string& name : owner.host_names()) {
      const auto host = machine.find(topology::identity::host(name));
      if (!host) fail(errc::not_found, "host \"" + name + "\" did not describe itself");
      host_of_rank.push_back(*host);
    }
    topology::derived found = topology::derive(machine, host_of_rank);
    report.findings.insert(report.findings.end(), found.findings.begin(), found.findings.end());
    return with_host_figures(found.hosted.tree);
  } catch (const error& failure) {  // not to know the racks is no reason not to run
    report.findings.push_back({severity::warning, "no-hierarchy", "the job", failure.what()});
    return std::nullopt;
  }
}

}  // namespace hawser::detail
