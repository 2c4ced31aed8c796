// hwloc: packages, NUMA nodes, PCI tree, where GPUs and NICs are.
#include "live_sources.hpp"

#ifdef HAWSER_HAS_HWLOC

#include "hwloc_tree.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

topology::graph discover(const live_environment& environment) {
  topology::graph nothing;
  if (environment.root != "/") {  // hwloc looks at the machine it runs on
    nothing.note({severity::info, "hwloc-not-asked", environment.host, "another root directory than / is described"});
    return nothing;
  }
  const hwloc_view view = load_hwloc();
  if (!view.topology) {
    nothing.note({severity::warning, "hwloc-failed", environment.host, view.problem});
    return nothing;
  }
  return to_graph(view.topology.get(), environment);
}

}  // namespace

const live_source live_hwloc{"hwloc", "hwloc: packages, NUMA nodes, PCI tree, where GPUs and NICs are", discover};

}  // namespace hawser::discovery

#else

namespace hawser::discovery {
namespace {

topology::graph discover(const live_environment& environment) {
  topology::graph nothing;
  nothing.note({topology::severity::info, "hwloc-not-asked", environment.host,
                "hawser was built without hwloc: packages are not known"});
  return nothing;
}

}  // namespace

const live_source live_hwloc{"hwloc", "hwloc: packages, NUMA nodes, PCI tree, where GPUs and NICs are", discover};

}  // namespace hawser::discovery

#endif
