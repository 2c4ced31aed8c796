// The one topology argument of the program and of HAWSER_TOPOLOGY: a synthetic string, a preset, a file or `auto`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/graph.hpp>
#include <hawser/topology/hosted.hpp>

namespace hawser::discovery {

/// Reads, in this order: `auto` (what `discover` finds), `preset:NAME[*UNITS]`, a synthetic string, else a file of any
/// kind of `file_sources`, written FILE, KIND:FILE or KIND@HOST:FILE. A file that describes a graph is derived for one
/// rank per GPU, or per host where it has no GPU, in the order of the file. A file whose name would read as a synthetic
/// string is written ./NAME. Throws errc::parse where it is none of them, errc::not_found for an unknown preset,
/// errc::io where the file cannot be read.
topology::hosted_hierarchy load(std::string_view argument);

/// What `load` reads, and the graph that it was derived of; none where the argument is a hierarchy itself.
struct loaded {
  topology::hosted_hierarchy hosted;
  std::optional<topology::graph> machine;
};
/// Throws as `load`.
loaded load_machine(std::string_view argument);

/// What several topology arguments describe together.
struct gathered {
  topology::graph machine;
  /// Where the only argument was a hierarchy itself. It says more than a graph that is made of it (topology::expand),
  /// so `machine` is empty then.
  std::optional<topology::hosted_hierarchy> hierarchy;
  std::vector<phase> phases;  ///< of discovery, where `auto` was among the arguments
};

/// Reads each argument as `load` does and merges the graphs in this order. Files of one unnamed host are taken to
/// describe this host where `auto` is among the arguments. Throws what `load` throws, errc::invalid_argument where
/// there is no argument.
gathered gather(std::span<const std::string> arguments, const discover_options& options = {});

}  // namespace hawser::discovery
