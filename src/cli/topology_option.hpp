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

/// The links between the GPUs of the same argument, where it is a graph of at most 2,048 nodes, GPUs among them,
/// whose links all have a bandwidth; else null. Call it after `topology_of`, which says what is wrong with the
/// argument.
std::shared_ptr<const cost::network> network_of(const std::string& given);

}  // namespace hawser::cli
