// NVIDIA's management library: GPUs, NVLink, NVSwitch, the multi-node fabric.
#include "live_sources.hpp"
#include "nvml_graph.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

// A driver that wakes eight GPUs without persistence mode needs a few seconds; one that hangs needs for ever.
constexpr std::chrono::milliseconds time_limit{15000};
constexpr std::size_t most_named = 6;

void note_missing(topology::graph& machine, const std::string& host, const std::vector<std::string>& missing) {
  if (missing.empty()) return;
  std::string names;
  for (std::size_t each = 0; each < missing.size() && each < most_named; ++each)
    names.append(each == 0 ? "" : ", ").append(missing[each]);
  if (missing.size() > most_named) names += " and " + std::to_string(missing.size() - most_named) + " more";
  machine.note({severity::info, "old-nvml", host,
                "this version of NVIDIA's management library lacks " + names + ": what they tell is not known"});
}

topology::graph discover(const live_environment& environment) {
  const nvml::library library(environment.nvml, environment.host);
  if (!library.is_usable()) {
    topology::graph nothing;
    nothing.note(library.why());
    return nothing;
  }
  nvml::answer told = nvml::ask(library, time_limit);
  nvml::find_lost(told, environment.root);
  topology::graph machine = nvml::to_graph(told, environment);
  note_missing(machine, environment.host, library.missing());
  return machine;
}

}  // namespace

const live_source live_nvml{"nvml", "NVIDIA's management library: GPUs, NVLink, NVSwitch, the multi-node fabric",
                            discover};

}  // namespace hawser::discovery
