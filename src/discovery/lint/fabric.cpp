// Lint: GPUs whose registration with the NVLink fabric is not complete, failed or unhealthy.
#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

namespace {

std::string gpu_value(const node& part, const char* key) {
  if (part.kind != node_kind::gpu || !value_of(part, attribute::lost).empty()) return {};
  const std::string_view value = value_of(part, key);
  return is_absent(value) ? std::string() : plain(value);
}

}  // namespace

void check_fabric_state(const graph& machine, findings& found) {
  const auto unfinished = [](const node& part) {
    const std::string state = gpu_value(part, attribute::fabric_state);
    return state == "completed" ? std::string() : state;
  };
  for (const part_group& each : grouped(machine, unfinished))
    found.push_back({severity::warning, "fabric-not-ready", subject_of(machine, each),
                     listed(machine, each.parts) + (each.parts.size() == 1 ? " is" : " are") +
                         " not registered with the NVLink fabric (state \"" + each.value +
                         "\"): CUDA or NVLink may fail until it is completed, and no multi-node domain is used; start "
                         "the fabric manager (nvidia-fabricmanager, or NMX on the switch trays)"});
}

void check_fabric_status(const graph& machine, findings& found) {
  const auto failed = [](const node& part) {
    const std::string status = gpu_value(part, attribute::fabric_status);
    return status == "success" || status == "ok" ? std::string() : status;
  };
  for (const part_group& each : grouped(machine, failed)) {
    const std::string state = gpu_value(machine.nodes()[each.parts.front()], attribute::fabric_state);
    if (!state.empty() && state != "completed") continue;  // NVML defines the status only then
    found.push_back({severity::error, "fabric-failed", subject_of(machine, each),
                     "registering " + listed(machine, each.parts) + " with the NVLink fabric failed (\"" + each.value +
                         "\"): they have no NVLink to peers behind switches; see the fabric manager's log"});
  }
}

void check_fabric_health(const graph& machine, findings& found) {
  const auto unhealthy = [](const node& part) {
    const std::string health = gpu_value(part, attribute::fabric_health);
    return health == "ok" || health == "healthy" ? std::string() : health;
  };
  for (const part_group& each : grouped(machine, unhealthy))
    found.push_back({severity::warning, "fabric-health", subject_of(machine, each),
                     "the NVLink fabric reports \"" + each.value + "\" for " + listed(machine, each.parts) +
                         ": transfers are slower than the model assumes or may fail while routes recover; drain the "
                         "host, or plan without its NVLink"});
}

}  // namespace hawser::discovery
