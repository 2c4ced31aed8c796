// The topology of a verb that needs no ranks.
#include "topology_option.hpp"

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/cost/graph_network.hpp>
#include <hawser/discovery/load.hpp>

namespace hawser::cli {

topology::hosted_hierarchy hosted_topology_of(const std::string& given, std::string_view purpose) {
  const std::string argument = given.empty() ? bootstrap::read_launch().topology : given;
  if (argument.empty())
    fail(errc::invalid_argument, "there is no topology to " + std::string(purpose),
         "neither --topology nor HAWSER_TOPOLOGY is given", "write one like --topology \"rack:4 gpu:8\"");
  return discovery::load(argument);
}

topology::hierarchy topology_of(const std::string& given, std::string_view purpose) {
  return hosted_topology_of(given, purpose).tree;
}

std::shared_ptr<const cost::network> network_of(const std::string& given) {
  const std::string arguments[] = {given.empty() ? bootstrap::read_launch().topology : given};
  const discovery::gathered read = discovery::gather(arguments);
  return read.hierarchy ? nullptr : cost::network_of(read.machine);
}

}  // namespace hawser::cli
