// SimGrid platform: clusters (fat tree, dragonfly, torus), hosts, links and routes
#include "../text.hpp"
#include "sources.hpp"

#ifdef HAWSER_HAS_XML
#include "simgrid_network.hpp"
#endif

namespace hawser::discovery {
namespace {

constexpr std::size_t most_looked_at = std::size_t{64} << 10;

// The first element, behind the declaration, comments and document type.
std::string_view first_element(std::string_view text) {
  text = text.substr(0, most_looked_at);
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("<!--"))
      at = text.find("-->", at);
    else if (rest.starts_with("<?") || rest.starts_with("<!"))
      at = text.find('>', at);
    else
      return rest.substr(1, rest.find_first_of(" \t\r\n/>") - 1);
    if (at == std::string_view::npos) return {};
  }
  return {};
}

bool recognises(const document& file) {
  return trimmed(file.text.substr(0, most_looked_at)).find('<') < 4 && first_element(file.text) == "platform";
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
