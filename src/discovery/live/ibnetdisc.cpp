// The InfiniBand fabric through libibnetdisc
#include <hawser/topology/finding.hpp>

#include "live_sources.hpp"

#ifdef HAWSER_HAS_IBNETDISC
#include "ibnetdisc_scan.hpp"
#endif

namespace hawser::discovery {
namespace {

using topology::severity;

topology::graph nothing(severity level, const std::string& subject, std::string message) {
  topology::graph none;
  none.note({level, "no-fabric", subject, std::move(message)});
  return none;
}

#ifdef HAWSER_HAS_IBNETDISC

topology::graph discover(const live_environment& environment) {
  if (environment.root != "/")
    return nothing(severity::info, environment.host, "the fabric can only be asked from the machine itself");
  fabric_scan scan = scan_fabric();
  if (!scan.network.devices.empty()) {
    topology::graph machine = fabric::to_graph(std::move(scan.network), topology::provenance::reported);
    if (!scan.problem.empty()) machine.note({severity::warning, "no-fabric", environment.host, scan.problem});
    return machine;
  }
  return nothing(scan.has_port ? severity::warning : severity::info, environment.host, std::move(scan.problem));
}

#else

topology::graph discover(const live_environment& environment) {
  return nothing(severity::info, environment.host,
                 "hawser was built without libibnetdisc (install libibnetdisc-dev, libibmad-dev and libibumad-dev); "
                 "the output of ibnetdiscover can be given as a file");
}

#endif

}  // namespace

const live_source live_ibnetdisc{"ibnetdisc", "The InfiniBand fabric through libibnetdisc", discover, scope::network};

}  // namespace hawser::discovery
