// Lint: NIC ports that are down, and hosts whose NICs differ.
#include <algorithm>

#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

namespace {

bool is_up(const node& nic) {
  const std::string state = plain(value_of(nic, attribute::port_state));
  return is_absent(state) || state == "unknown" || state.find("active") == 0 || state.find(": active") == 1 ||
         state.find("up") == 0;
}

// The bandwidth of all links of a NIC to the network; 0 where it is not known.
double rate_of(const graph& machine, node_index nic) {
  double rate = 0;
  for (edge_index each : machine.edges_of(nic)) {
    const edge& between = machine.edges()[each];
    if (is_network(between.kind) && between.rate) rate += between.rate->bytes_per_second;
  }
  return rate;
}

// NICs are comparable within their link layer and model.
std::string sort_of(const node& nic) {
  return plain(value_of(nic, attribute::link_layer)) + "/" + plain(value_of(nic, attribute::model));
}

void check_rates(const graph& machine, const host_parts& host, findings& found) {
  std::map<std::string, std::map<double, std::vector<node_index>>> sorts;
  for (node_index nic : host.nics)
    if (const double rate = rate_of(machine, nic); rate > 0) sorts[sort_of(machine.nodes()[nic])][rate].push_back(nic);
  for (const auto& [sort, nics_at] : sorts) {
    if (nics_at.size() < 2) continue;
    const auto& [least, slow] = *nics_at.begin();
    found.push_back({severity::warning, "asymmetric-nics", machine.nodes()[host.host].name,
                     "its NICs differ: " + listed(machine, slow) + " at " + to_string(bandwidth{least}) +
                         ", the fastest at " + to_string(bandwidth{nics_at.rbegin()->first}) +
                         "; a collective that stripes over all runs at the pace of the slowest: leave it out or make "
                         "them alike"});
  }
}

}  // namespace

void check_nic_ports(const graph& machine, findings& found) {
  for (const node& each : machine.nodes()) {
    if (each.kind != node_kind::nic || each.attributes.contains(attribute::software) || is_up(each)) continue;
    const bool is_fabric = plain(value_of(each, attribute::link_layer)) == "infiniband";
    found.push_back(
        {is_fabric ? severity::warning : severity::info, "nic-down", each.name,
         "its port is not active (\"" + std::string(value_of(each, attribute::port_state)) +
             "\"): it carries nothing, and the GPU whose rail it is uses another's NIC; check cable, switch "
             "port and subnet manager, or leave it out"});
  }
}

void check_asymmetric_nics(const graph& machine, findings& found) {
  const std::vector<host_parts> hosts = parts_of_hosts(machine);
  const bool has_gpus = std::any_of(hosts.begin(), hosts.end(), [](const auto& each) { return !each.gpus.empty(); });
  std::map<std::size_t, std::vector<node_index>> hosts_with;
  for (const host_parts& each : hosts) {
    check_rates(machine, each, found);
    if (!each.nics.empty() && (!has_gpus || !each.gpus.empty())) hosts_with[each.nics.size()].push_back(each.host);
  }
  if (hosts_with.size() < 2) return;
  const std::size_t usual = most_common(hosts_with);
  for (const auto& [nics, those] : hosts_with)
    if (nics != usual)
      found.push_back({has_gpus ? severity::warning : severity::info, "asymmetric-nics", listed(machine, those),
                       counted(nics, "NIC") + " where most hosts have " + std::to_string(usual) +
                           ": a collective over all hosts can use only the smaller number of rails; find the missing "
                           "devices or leave the host out"});
}

void check_missing_nics(const graph& machine, findings& found) {
  const std::vector<host_parts> hosts = parts_of_hosts(machine);
  const auto has_both = [](const host_parts& each) { return !each.gpus.empty() && !each.nics.empty(); };
  if (!std::any_of(hosts.begin(), hosts.end(), has_both)) return;
  std::vector<node_index> without;
  for (const host_parts& each : hosts)
    if (!each.gpus.empty() && each.nics.empty()) without.push_back(each.host);
  if (without.empty()) return;
  found.push_back({severity::warning, "gpu-without-nic", listed(machine, without),
                   "GPUs here have no NIC where those of other hosts have: their traffic to other hosts has no known "
                   "path; load the NICs' driver or describe them"});
}

}  // namespace hawser::discovery
