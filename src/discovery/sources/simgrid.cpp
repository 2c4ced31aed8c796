// SimGrid platform: clusters (fat tree, dragonfly, torus), hosts, links and routes
#include "../text.hpp"
#include "sources.hpp"
#include "xml_sniff.hpp"

#ifdef HAWSER_HAS_XML
#include "simgrid_network.hpp"
#endif

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  return element_names(file.text).next() == "platform";
}

topology::graph read(const document& file, const read_options&) {
#ifdef HAWSER_HAS_XML
  const simgrid_format::platform from = simgrid_format::parse(file);
  simgrid_format::network built(file);
  for (const topology::finding& each : from.findings) built.note(each.level, each.code, each.subject, each.message);
  simgrid_format::add_places(from, built);
  simgrid_format::add_clusters(from, built);
  simgrid_format::add_stars(from, built);
  simgrid_format::add_routes(from, built);
  if (built.size() == 0) fail_in(file, {}, "the platform has no host");
  return built.to_graph();
#else
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "hawser was built without pugixml",
       "install libpugixml-dev and build again");
#endif
}

}  // namespace

const file_source simgrid{"simgrid", "SimGrid platform: clusters (fat tree, dragonfly, torus), hosts, links and routes",
                          max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
