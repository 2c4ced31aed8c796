// Discovery: asks the live sources one after the other, times and merges them.
#include <hawser/discovery/discover.hpp>

#include <chrono>
#include <functional>

#include <unistd.h>

#include <hawser/core/error.hpp>
#include <hawser/topology/identity.hpp>
#include <hawser/topology/merge.hpp>

#include "cache.hpp"

namespace hawser::discovery {

namespace {

using clock = std::chrono::steady_clock;
using topology::severity;

topology::graph this_host_only(const live_environment& environment) {
  topology::graph machine;
  topology::node host{.kind = topology::node_kind::host,
                      .name = environment.host,
                      .identities = {topology::identity::host(environment.host)}};
  // Schedulers and fabrics leave the domain out; Slurm may know the host by yet another name.
  const std::string plain = environment.host.substr(0, environment.host.find('.', 1));
  if (plain != environment.host) host.identities.push_back(topology::identity::host(plain));
  const auto in_slurm = environment.variable("SLURMD_NODENAME");
  if (in_slurm && !in_slurm->empty() && *in_slurm != environment.host && *in_slurm != plain)
    host.identities.push_back(topology::identity::host(*in_slurm));
  machine.add_node(std::move(host));
  machine.tell(topology::aspect::hosts);
  return machine;
}

void timed(discovery& found, std::string_view name, const std::function<void()>& work) {
  const auto start = clock::now();
  work();
  found.phases.push_back({std::string(name), clock::now() - start});
}

void ask(discovery& found, const live_environment& environment, scope wanted) {
  for (const live_source& each : live_sources()) {
    if (each.tells != wanted) continue;
    timed(found, each.name, [&] {
      try {
        topology::merge(found.machine, each.discover(environment));
      } catch (const error& failure) {
        found.machine.note({severity::error, "source-failed", std::string(each.name), failure.what()});
      }
    });
  }
}

void ask_hardware(discovery& found, const live_environment& environment, const std::string& cache_folder) {
  const cache kept(cache_folder, environment);
  bool is_known = false;
  topology::graph of_cache;  // its findings, which are not kept themselves
  if (!cache_folder.empty())
    timed(found, "cache", [&] {
      if (const auto known = kept.read(of_cache)) {
        topology::merge(found.machine, *known);
        is_known = true;
      }
    });
  if (is_known) return;
  ask(found, environment, scope::hardware);
  if (!cache_folder.empty()) timed(found, "cache", [&] { kept.write(found.machine); });
  topology::merge(found.machine, of_cache);
}

}  // namespace

live_environment this_host() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return {.host = "localhost"};
  return {.host = name};
}

discovery discover(const live_environment& environment, const discover_options& options) {
  const auto asks = [&](scope what) { return options.asks[static_cast<std::size_t>(what)]; };
  discovery found;
  found.machine = this_host_only(environment);
  if (asks(scope::hardware)) ask_hardware(found, environment, options.cache_folder);
  for (const scope each : {scope::placement, scope::network})
    if (asks(each)) ask(found, environment, each);
  return found;
}

}  // namespace hawser::discovery
