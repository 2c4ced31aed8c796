// The topology of a verb that needs no ranks: --topology, else HAWSER_TOPOLOGY.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <hawser/cost/network_load.hpp>
#include <hawser/topology/hosted.hpp>

namespace hawser::cli {

/// `given` is the option's value, `purpose` ends the sentence "there is no topology to ...". Throws
/// errc::invalid_argument where neither is given, and what discovery::load throws.
topology::hosted_hierarchy hosted_topology_of(const std::string& given, std::string_view purpose);
topology::hierarchy topology_of(const std::string& given, std::string_view purpose);

/// The same with what a graph tells of the links between its GPUs (cost::network_of), which may be null.
struct machine_option {
  topology::hierarchy tree;
  std::shared_ptr<const cost::network> links;
};
machine_option machine_of(const std::string& given, std::string_view purpose);

}  // namespace hawser::cli
