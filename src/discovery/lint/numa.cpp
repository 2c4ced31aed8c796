// Lint: parts whose NUMA node the system does not know.
#include "rules.hpp"

namespace hawser::discovery {

void check_numa(const graph& machine, findings& found) {
  const auto unknown = [](const node& part) {
    const bool has_place = part.kind == node_kind::gpu || part.kind == node_kind::nic || part.kind == node_kind::cpu;
    return std::string(has_place && value_of(part, topology::attribute::numa).starts_with('-') ? "-1" : "");
  };
  for (const part_group& each : grouped(machine, unknown))
    found.push_back({severity::warning, "missing-numa", subject_of(machine, each),
                     "the system reports NUMA node -1 for " + listed(machine, each.parts) +
                         ": threads and staging buffers cannot be placed near them and may cross between the CPUs; "
                         "harmless with one CPU, else correct the firmware or pass the virtual NUMA nodes to the "
                         "machine"});
}

}  // namespace hawser::discovery
