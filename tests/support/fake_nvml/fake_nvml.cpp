// A libnvidia-ml.so.1 that tells what a JSON file says (its name in HAWSER_FAKE_NVML). With HAWSER_FAKE_NVML_IS_OLD it
// lacks what drivers before R450 lack. The file: {"init": int, "driver": str, "fabric_versions": [2, 3], "gpus":
// [GPU]}, GPU: {"lost": int, "handle": int, "name", "uuid", "bus": "0000:1b:00.0", "minor", "compute": [9, 0], "mode",
// "mig", "instances": [uuid], "mps", "fabric": {"uuid": hex, "clique", "state", "status", "health", "summary"},
// "links": [LINK], "p2p": {"1": {"read", "write", "nvlink", "ancestor"}}}, LINK: {"state", "version", "speed", "p2p",
// "type", "bus"}.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <hawser/topology/bus_id.hpp>
#include "discovery/live/nvml_api.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

using nlohmann::json;
using namespace hawser::discovery::nvml;  // NOLINT: the declarations that this library implements

namespace {

json machine;  // NOLINT: the library's state, as in the real one

struct fake_device {
  json* gpu;
  std::string instance;  // of MIG: its UUID
};
std::vector<fake_device*> handles;  // NOLINT

device to_handle(json& gpu, const std::string& instance = {}) {
  handles.push_back(new fake_device{&gpu, instance});
  return reinterpret_cast<device>(handles.back());
}
fake_device& at(device which) {
  return *reinterpret_cast<fake_device*>(which);
}
json& of(device which) {
  return *at(which).gpu;
}

// What every call to a lost GPU returns.
result state_of(device which) {
  return of(which).value("lost", success);
}

result copy(const std::string& text, char* into, unsigned size) {
  if (text.size() + 1 > size) return insufficient_size;
  std::memcpy(into, text.c_str(), text.size() + 1);
  return success;
}

result text(device which, const char* key, char* into, unsigned size) {
  if (const result status = state_of(which); status != success) return status;
  return of(which).contains(key) ? copy(of(which)[key], into, size) : not_supported;
}

template <typename Number>
result number(device which, const char* key, Number* into) {
  if (const result status = state_of(which); status != success) return status;
  if (!of(which).contains(key)) return not_supported;
  *into = of(which)[key].get<Number>();
  return success;
}

json* link_at(device which, unsigned link) {
  json& links = of(which)["links"];
  return links.is_array() && link < links.size() ? &links[link] : nullptr;
}

result link_number(device which, unsigned link, const char* key, unsigned* into) {
  if (const result status = state_of(which); status != success) return status;
  if (!of(which).contains("links")) return not_supported;
  const json* const one = link_at(which, link);
  if (!one) return 2;
  if (!one->contains(key)) return not_supported;
  *into = (*one)[key].get<unsigned>();
  return success;
}

// "hidden": what drivers say in virtual machines.
template <typename Info>
result bus(const json& text, Info* into) {
  if (text == "hidden") {
    into->domain = 0xffffffff, into->bus = 0xff, into->device = 0xff;
    return success;
  }
  const auto id = hawser::topology::parse_bus_id(text.get<std::string>());
  if (!id) return not_supported;
  into->domain = id->domain, into->bus = id->bus, into->device = id->device;
  return success;
}

template <typename Info>
result remote_bus(device which, unsigned link, Info* into) {
  if (const result status = state_of(which); status != success) return status;
  const json* const one = link_at(which, link);
  if (!one || !one->contains("bus")) return not_supported;
  std::memset(into, 0, sizeof *into);  // the whole structure, as the driver writes it
  return bus((*one)["bus"], into);
}

template <typename Info>
void fill(const json& fabric, Info& info) {
  const std::string digits = fabric.value("uuid", std::string(32, '0'));
  for (std::size_t each = 0; each < 16; ++each)
    info.cluster_uuid[each] = static_cast<std::uint8_t>(std::stoul(digits.substr(2 * each, 2), nullptr, 16));
  info.status = fabric.value("status", success);
  info.clique_id = fabric.value("clique", 0U);
  info.state = fabric.value("state", std::uint8_t{3});
}

}  // namespace

EXPORT result nvmlInit_v2() {
  const char* const name = std::getenv("HAWSER_FAKE_NVML");
  machine = name ? json::parse(std::ifstream(name), nullptr, false) : json();
  if (!machine.is_object()) return unknown_error;
  return machine.value("init", success);
}
EXPORT result nvmlShutdown() {
  for (fake_device* each : handles) delete each;
  handles.clear();
  return success;
}
EXPORT result nvmlSystemGetDriverVersion(char* into, unsigned size) {
  return copy(machine.value("driver", "580.82.07"), into, size);
}
EXPORT result nvmlDeviceGetCount_v2(unsigned* count) {
  *count = machine.contains("count") ? machine["count"].get<unsigned>() : static_cast<unsigned>(machine["gpus"].size());
  return success;
}
EXPORT result nvmlDeviceGetHandleByIndex_v2(unsigned index, device* into) {
  if (index >= machine["gpus"].size()) return 2;
  json& gpu = machine["gpus"][index];
  if (gpu.contains("handle")) return gpu["handle"];
  *into = to_handle(gpu);
  return success;
}
EXPORT result nvmlDeviceGetName(device which, char* into, unsigned size) {
  return text(which, "name", into, size);
}
EXPORT result nvmlDeviceGetUUID(device which, char* into, unsigned size) {
  if (!at(which).instance.empty()) return copy(at(which).instance, into, size);
  return text(which, "uuid", into, size);
}
EXPORT result nvmlDeviceGetPciInfo_v3(device which, pci_info* into) {
  // A GPU that fell off the bus is still known by its place.
  return bus(of(which)["bus"], into);
}
EXPORT result nvmlDeviceGetMinorNumber(device which, unsigned* into) {
  return number(which, "minor", into);
}
EXPORT result nvmlDeviceGetComputeMode(device which, int* into) {
  return number(which, "mode", into);
}
EXPORT result nvmlDeviceGetCudaComputeCapability(device which, int* major, int* minor) {
  if (const result status = state_of(which); status != success) return status;
  if (!of(which).contains("compute")) return not_supported;
  *major = of(which)["compute"][0], *minor = of(which)["compute"][1];
  return success;
}
EXPORT result nvmlDeviceGetNvLinkState(device which, unsigned link, unsigned* into) {
  return link_number(which, link, "state", into);
}
EXPORT result nvmlDeviceGetNvLinkVersion(device which, unsigned link, unsigned* into) {
  return link_number(which, link, "version", into);
}
EXPORT result nvmlDeviceGetNvLinkCapability(device which, unsigned link, unsigned, unsigned* into) {
  return link_number(which, link, "p2p", into);
}
EXPORT result nvmlDeviceGetNvLinkRemotePciInfo(device which, unsigned link, legacy_pci_info* into) {
  return remote_bus(which, link, into);
}

#ifndef HAWSER_FAKE_NVML_IS_OLD
EXPORT result nvmlDeviceGetNvLinkRemotePciInfo_v2(device which, unsigned link, pci_info* into) {
  return remote_bus(which, link, into);
}
EXPORT result nvmlDeviceGetNvLinkRemoteDeviceType(device which, unsigned link, remote_type* into) {
  unsigned type = 0;
  const result status = link_number(which, link, "type", &type);
  if (status == success) *into = static_cast<remote_type>(type);
  return status;
}
EXPORT result nvmlDeviceGetFieldValues(device which, int count, field_value* values) {
  if (const result status = state_of(which); status != success) return status;
  for (int each = 0; each < count; ++each) {
    field_value& value = values[each];
    unsigned told = 0;
    value.status = not_supported;
    if (value.field == field_link_count && of(which).contains("links"))
      value.status = success, told = static_cast<unsigned>(of(which)["links"].size());
    else if (value.field == field_chip_links && of(which).contains("c2c"))
      value.status = success, told = of(which)["c2c"];
    else if (value.field == field_chip_link_state || value.field == field_chip_link_speed)
      value.status = success, told = value.field == field_chip_link_state ? value.scope < 4 : 44712;
    else if (value.field == field_link_speed)
      value.status = link_number(which, value.scope, "speed", &told);
    else if (value.field == field_link_state)
      value.status = link_number(which, value.scope, "state", &told);
    else if (value.field == field_link_version)
      value.status = link_number(which, value.scope, "version", &told);
    value.value.integer = told;
  }
  return success;
}
EXPORT result nvmlDeviceGetMigMode(device which, unsigned* current, unsigned* pending) {
  *pending = 0;
  return number(which, "mig", current);
}
EXPORT result nvmlDeviceGetMaxMigDeviceCount(device, unsigned* into) {
  *into = 7;
  return success;
}
EXPORT result nvmlDeviceGetMigDeviceHandleByIndex(device which, unsigned index, device* into) {
  const json& instances = of(which)["instances"];
  if (!instances.is_array() || index >= instances.size()) return 6;
  *into = to_handle(of(which), instances[index]);
  return success;
}
EXPORT result nvmlDeviceGetMPSComputeRunningProcesses_v3(device which, unsigned* count, void*) {
  const result status = number(which, "mps", count);
  return status == success && *count > 0 ? insufficient_size : status;
}
EXPORT result nvmlDeviceGetGpuFabricInfoV(device which, void* into) {
  if (const result status = state_of(which); status != success) return status;
  if (!of(which).contains("fabric")) return not_supported;
  fabric_info_v3 info{};
  std::memcpy(&info.version, into, sizeof info.version);
  const json known = machine.value("fabric_versions", json::array({2, 3}));
  const unsigned version = info.version >> 24;
  const std::size_t size = info.version & 0xffffffU;
  const bool fits = size == (version == 2 ? sizeof(fabric_info_v2) : sizeof(fabric_info_v3));
  if (std::find(known.begin(), known.end(), version) == known.end() || !fits) return argument_version_mismatch;
  const json& fabric = of(which)["fabric"];
  fill(fabric, info);
  info.health_mask = fabric.value("health", 0U);
  info.health_summary = fabric.value("summary", std::uint8_t{0});
  std::memcpy(into, &info, size);  // version 2 is what version 3 begins with
  return success;
}
EXPORT result nvmlDeviceGetP2PStatus(device which, device peer, unsigned what, unsigned* into) {
  if (const result status = state_of(which); status != success) return status;
  const std::string name = std::to_string(of(peer).value("minor", 0));
  const char* const keys[] = {"read", "write", "nvlink"};
  *into = of(which).value("p2p", json::object()).value(name, json::object()).value(keys[what], 5U);
  return success;
}
EXPORT result nvmlDeviceGetTopologyCommonAncestor(device which, device peer, unsigned* into) {
  const std::string name = std::to_string(of(peer).value("minor", 0));
  *into = of(which).value("p2p", json::object()).value(name, json::object()).value("ancestor", 50U);
  return success;
}
#else
EXPORT result nvmlDeviceGetGpuFabricInfo(device which, fabric_info_v1* into) {
  if (!of(which).contains("fabric")) return not_supported;
  fill(of(which)["fabric"], *into);
  return success;
}
#endif
