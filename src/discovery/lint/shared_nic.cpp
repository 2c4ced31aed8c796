// Lint: GPUs whose nearest NICs are fewer than they are.
#include <hawser/topology/nearest.hpp>

#include "rules.hpp"

namespace hawser::discovery {

namespace {

// Each GPU is held against all parts of its host; more than any machine needs are not.
constexpr std::size_t most_looked_at = std::size_t{1} << 20;

bool is_too_large(const graph& machine, const host_parts& host) {
  return host.gpus.size() * machine.edges_of(host.host).size() > most_looked_at;
}

}  // namespace

void check_shared_nics(const graph& machine, findings& found) {
  for (const host_parts& host : parts_of_hosts(machine)) {
    if (host.nics.empty() || is_too_large(machine, host)) continue;
    constexpr auto considered = topology::nics_considered::hardware;
    std::map<std::vector<node_index>, std::vector<node_index>> gpus_of;
    for (node_index gpu : host.gpus)
      if (std::vector<node_index> nics = topology::nearest_nics(machine, gpu, considered).nics; !nics.empty())
        gpus_of[std::move(nics)].push_back(gpu);
    const bool is_by_design = host.nics.size() < host.gpus.size();
    for (const auto& [nics, gpus] : gpus_of) {
      if (gpus.size() <= nics.size()) continue;
      found.push_back({is_by_design ? severity::info : severity::warning, "shared-nic", machine.nodes()[host.host].name,
                       listed(machine, gpus) + " share " + listed(machine, nics) +
                           " as their nearest: each gets its part of that bandwidth when all send to other hosts" +
                           (is_by_design ? "; prefer hierarchical algorithms, which send once per host"
                                         : ", while other NICs of the host lie idle; spread the ranks over the NICs or "
                                           "move the cards")});
    }
  }
}

}  // namespace hawser::discovery
