// Lint: GPUs that cannot be used as others can, and hosts that have different numbers of them.
#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

void check_lost_gpus(const graph& machine, findings& found) {
  for (const node& each : machine.nodes())
    if (each.kind == node_kind::gpu && !value_of(each, attribute::lost).empty())
      found.push_back({severity::error, "gpu-lost", each.name,
                       "the driver cannot talk to the GPU (" + std::string(value_of(each, attribute::lost)) +
                           "): a job on it fails or hangs; reset it or drain the host"});
}

void check_mig(const graph& machine, findings& found) {
  const auto enabled = [](const node& part) {
    const bool is_on = part.kind == node_kind::gpu && plain(value_of(part, attribute::mig)) == "enabled";
    return std::string(is_on ? "enabled" : "");
  };
  for (const part_group& each : grouped(machine, enabled))
    found.push_back({severity::warning, "mig-enabled", subject_of(machine, each),
                     "MIG divides " + listed(machine, each.parts) +
                         ": instances have no peer access and no NVLink, so ranks on them exchange data through host "
                         "memory; disable MIG for jobs of several GPUs"});
}

void check_ragged_hosts(const graph& machine, findings& found) {
  std::map<std::size_t, std::vector<node_index>> hosts_with;
  for (const host_parts& each : parts_of_hosts(machine))
    if (!each.gpus.empty()) hosts_with[each.gpus.size()].push_back(each.host);
  if (hosts_with.size() < 2) return;
  const std::size_t usual = most_common(hosts_with);
  for (const auto& [gpus, hosts] : hosts_with)
    if (gpus != usual)
      found.push_back({severity::info, "ragged-hosts", listed(machine, hosts),
                       counted(gpus, "GPU") + " where most hosts have " + std::to_string(usual) +
                           ": hierarchical algorithms need a form for ragged groups, and the smallest host bounds the "
                           "rails"});
}

}  // namespace hawser::discovery
