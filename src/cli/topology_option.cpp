// The topology of a verb that needs no ranks.
#include "topology_option.hpp"

#include <hawser/bootstrap/launcher.hpp>
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

namespace {

/// Capacities are kept for every pair of nodes: 32 MiB.
constexpr std::size_t most_network_nodes = 2048;

}  // namespace

std::shared_ptr<const cost::network> network_of(const std::string& given) {
  const std::string arguments[] = {given.empty() ? bootstrap::read_launch().topology : given};
  const discovery::gathered read = discovery::gather(arguments);
  if (read.hierarchy || read.machine.nodes().size() > most_network_nodes) return nullptr;
  try {
    auto links = algorithm::capacities(read.machine);
    if (links.ranks() == 0) return nullptr;
    return std::make_shared<const cost::network>(
        cost::network{std::move(links), algorithm::capacity_unit_bytes_per_second});
  } catch (const error&) {  // a link of unknown bandwidth: there is only the hierarchy to plan by
    return nullptr;
  }
}

}  // namespace hawser::cli
