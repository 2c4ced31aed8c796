// Peer access between this host's GPUs: NVML's status of each pair, in words.
#include <hawser/discovery/peer_access.hpp>

#include <chrono>
#include <vector>

#include "nvml_graph.hpp"
#include "nvml_library.hpp"

namespace hawser::discovery {

namespace {

using topology::severity;

// A pair takes microseconds; this ends the question to a driver that hangs between two calls.
constexpr std::chrono::seconds time_limit{10};
constexpr unsigned most_gpus = 64;

std::string status_in_words(unsigned status) {
  switch (status) {
    case 1: return "the chipset does not support it";
    case 2: return "a GPU does not support it";
    case 3: return "the path between their PCIe root ports does not support it";
    case 4: return "it is disabled by a setting of the driver's module";
    case 5: return "it is not supported";
    default: return "the driver does not know whether it works";
  }
}

std::string nearest_in_words(unsigned ancestor) {
  switch (ancestor) {
    case 0: return "one board";
    case 10: return "one PCIe switch";
    case 20: return "several PCIe switches";
    case 30: return "one host bridge";
    case 40: return "one NUMA node";
    case 50: return "different CPUs";
    default: return {};
  }
}

struct member {
  nvml::device handle = nullptr;
  std::string name{};
  std::string problem{};
};

member open(const nvml::api& calls, const std::string& host, unsigned index) {
  member found{.name = nvml::gpu_name(host, index)};
  const nvml::result status = calls.by_index(index, &found.handle);
  if (status != nvml::success) found.problem = found.name + ": " + nvml::to_text(status);
  unsigned current = 0, pending = 0;
  if (found.problem.empty() && calls.mig_mode(found.handle, &current, &pending) == nvml::success && current != 0)
    found.problem = "MIG is enabled on " + found.name + ", and its instances have no peer access";
  return found;
}

bool has(const nvml::api& calls, const member& gpu, const member& peer, unsigned what, std::string& why_not) {
  unsigned status = 0;
  const nvml::result told = calls.p2p(gpu.handle, peer.handle, what, &status);
  if (told == nvml::success && status == 0) return true;
  if (why_not.empty()) why_not = told == nvml::success ? status_in_words(status) : nvml::to_text(told);
  return false;
}

peer_access ask_pair(const nvml::api& calls, const member& gpu, const member& peer) {
  peer_access found{.gpu = gpu.name, .peer = peer.name};
  if (!gpu.problem.empty() || !peer.problem.empty()) {
    found.why_not = gpu.problem.empty() ? peer.problem : gpu.problem;
    return found;
  }
  unsigned ancestor = 0;
  if (calls.common_ancestor(gpu.handle, peer.handle, &ancestor) == nvml::success)
    found.nearest = nearest_in_words(ancestor);
  found.can_read = has(calls, gpu, peer, nvml::p2p_read, found.why_not);
  found.can_write = has(calls, gpu, peer, nvml::p2p_write, found.why_not);
  std::string without_nvlink;
  const bool has_nvlink = has(calls, gpu, peer, nvml::p2p_nvlink, without_nvlink);
  if (found.can_read || found.can_write) found.path = has_nvlink ? peer_path::nvlink : peer_path::pcie;
  return found;
}

}  // namespace

peer_report ask_peer_access(const live_environment& environment) {
  const auto end = std::chrono::steady_clock::now() + time_limit;
  peer_report report;
  const nvml::library library(environment.nvml, environment.host);
  unsigned count = 0;
  if (!library.is_usable())
    report.findings.push_back(library.why());
  else if (const nvml::result status = library.calls().count(&count); status != nvml::success || count > most_gpus)
    report.findings.push_back({severity::warning, "nvml-incomplete", environment.host,
                               "NVIDIA's management library cannot count the GPUs (" +
                                   (status == nvml::success ? std::to_string(count) : nvml::to_text(status)) + ")"});
  else if (count > 1 && !library.calls().p2p.address)
    report.findings.push_back({severity::info, "old-nvml", environment.host,
                               "this version of NVIDIA's management library does not tell peer access"});
  if (!report.findings.empty()) return report;
  std::vector<member> gpus;
  for (unsigned index = 0; index < count; ++index) gpus.push_back(open(library.calls(), environment.host, index));
  for (const member& gpu : gpus)
    for (const member& peer : gpus) {
      if (&gpu == &peer) continue;
      if (std::chrono::steady_clock::now() > end) {
        report.findings.push_back({severity::warning, "nvml-incomplete", environment.host,
                                   "NVIDIA's management library is too slow: not every pair was asked"});
        return report;
      }
      report.pairs.push_back(ask_pair(library.calls(), gpu, peer));
    }
  return report;
}

}  // namespace hawser::discovery
