// Asks NVML: GPUs, MIG, MPS. Links and the multi-node fabric are in files of their own.
#include "nvml_query.hpp"

#include "nvml_parts.hpp"

namespace hawser::discovery::nvml {

namespace {

// More than any host has; what a broken library says beyond is not believed.
constexpr unsigned most_gpus = 1024;
constexpr unsigned most_instances = 64;

using text_call = symbol<result(device, char*, unsigned)>;

result read_text(const text_call& call, device which, unsigned size, std::string& into) {
  std::string text(size, '\0');
  const result status = call(which, text.data(), size);
  if (status == success) into = text.c_str();
  return status;
}

void ask_mig(const api& calls, device which, gpu& found) {
  unsigned current = 0, pending = 0;
  if (calls.mig_mode(which, &current, &pending) != success) return;
  found.has_mig = current != 0;
  unsigned most = 0;
  if (!*found.has_mig || calls.most_mig_devices(which, &most) != success) return;
  for (unsigned each = 0; each < most && each < most_instances; ++each) {
    device instance = nullptr;
    std::string uuid;
    if (calls.mig_by_index(which, each, &instance) != success) continue;  // a free place
    if (read_text(calls.uuid, instance, uuid_size, uuid) == success) found.mig_uuids.push_back(uuid);
  }
}

void ask_sharing(const api& calls, device which, gpu& found) {
  int mode = 0;
  if (calls.compute_mode(which, &mode) == success && mode != 0)
    found.compute_mode = mode == 2 ? "prohibited" : mode == 3 ? "exclusive_process" : "exclusive_thread";
  unsigned processes = 0;
  const result status = calls.mps_processes(which, &processes, nullptr);
  if (status == success || status == insufficient_size) found.mps_processes = processes;
}

// What tells that the GPU does not answer, rather than that it lacks something.
bool is_lost(result status) {
  return status == gpu_is_lost || status == reset_required || status == unknown_error;
}

void ask_gpu(const api& calls, device which, gpu& found) {
  const result status = read_text(calls.name, which, name_size, found.name);
  if (is_lost(status)) found.lost = to_text(status);
  pci_info pci{};
  if (const result told = calls.pci(which, &pci); told == success)
    found.id = topology::bus_id{pci.domain, pci.bus, pci.device, 0};
  else if (is_lost(told))
    found.lost = to_text(told);
  if (is_lost(read_text(calls.uuid, which, uuid_size, found.uuid)) && found.lost.empty())
    found.lost = to_text(gpu_is_lost);
  unsigned minor = 0;
  if (calls.minor(which, &minor) == success) found.minor = minor;
  if (!found.lost.empty()) return;
  int major = 0, part = 0;
  if (calls.compute(which, &major, &part) == success)
    found.compute = std::to_string(major) + "." + std::to_string(part);
  ask_mig(calls, which, found);
  ask_sharing(calls, which, found);
  ask_fabric(calls, which, found);
  ask_chip_links(calls, which, found);
  const result links = ask_links(calls, which, found);
  if (is_lost(links)) found.lost = to_text(links);
}

}  // namespace

answer ask(const library& nvml, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const api& calls = nvml.calls();
  answer all;
  char driver[80] = {};
  if (calls.driver_version(driver, static_cast<unsigned>(sizeof driver)) == success) all.driver = driver;
  unsigned count = 0;
  if (calls.count(&count) != success) all.is_complete = false;
  if (count > most_gpus) count = 0, all.is_complete = false;
  for (unsigned index = 0; index < count; ++index) {
    if (std::chrono::steady_clock::now() > end) {
      all.is_complete = false;
      break;
    }
    gpu found{.index = index};
    device which = nullptr;
    const result status = calls.by_index(index, &which);
    if (status == success)
      ask_gpu(calls, which, found);
    else
      found.lost = to_text(status);
    all.gpus.push_back(std::move(found));
  }
  return all;
}

}  // namespace hawser::discovery::nvml
