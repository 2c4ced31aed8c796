// The topology of a verb that needs no ranks.
#include "topology_option.hpp"

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/cost/graph_network.hpp>
#include <hawser/discovery/load.hpp>

namespace hawser::cli {

namespace {

std::string argument_of(const std::string& given, std::string_view purpose) {
  std::string argument = given.empty() ? bootstrap::read_launch().topology : given;
  if (argument.empty())
    fail(errc::invalid_argument, "there is no topology to " + std::string(purpose),
         "neither --topology nor HAWSER_TOPOLOGY is given", "write one like --topology \"rack:4 gpu:8\"");
  return argument;
}

}  // namespace

topology::hosted_hierarchy hosted_topology_of(const std::string& given, std::string_view purpose) {
  return discovery::load(argument_of(given, purpose));
}

topology::hierarchy topology_of(const std::string& given, std::string_view purpose) {
  return hosted_topology_of(given, purpose).tree;
}

machine_option machine_of(const std::string& given, std::string_view purpose) {
  discovery::loaded read = discovery::load_machine(argument_of(given, purpose));
  return {std::move(read.hosted.tree), read.machine ? cost::network_of(*read.machine) : nullptr};
}

}  // namespace hawser::cli
