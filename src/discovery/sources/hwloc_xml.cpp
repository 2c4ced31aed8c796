// hwloc XML, versions 1 to 3 (lstopo FILE.xml)
#include "hwloc_xml_graph.hpp"
#include "sources.hpp"
#include "xml_sniff.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  element_names names(file.text);
  if (names.next() != "topology") return false;
  const std::string_view next = names.next();
  return next.empty() || next == "object" || next == "info" || next == "support";
}

#ifdef HAWSER_HAS_XML

// Not by hwloc: its version 2.9 refuses files of version 3, and damaged ones of version 2 crash it
// (docs/decisions/0007-hwloc-xml.md).
topology::graph read(const document& file, const read_options& options) {
  const hwloc::document said = hwloc::parse(file);
  std::string host = options.host;
  const auto& machine = said.objects.front().info;  // lstopo notes where it ran
  if (const auto found = machine.find("HostName"); found != machine.end() && host == read_options{}.host)
    host = found->second;
  return hwloc::graph_of(said, host);
}

#else

topology::graph read(const document& file, const read_options&) {
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "hawser was built without an XML parser",
       "install libpugixml-dev and build hawser again");
}

#endif

}  // namespace

const file_source hwloc_xml{"hwloc-xml", "hwloc XML, versions 1 to 3 (lstopo FILE.xml)", max_markup_bytes, recognises,
                            read};

}  // namespace hawser::discovery
