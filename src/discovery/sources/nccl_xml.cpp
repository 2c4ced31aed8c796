// NCCL topology XML (NCCL_TOPO_DUMP_FILE, NCCL_TOPO_FILE), also of RCCL and FlagCX
#include "nccl_xml_graph.hpp"
#include "sources.hpp"
#include "xml_sniff.hpp"

namespace hawser::discovery {
namespace {

// Also pieces of such a file, so that the error says what is wrong with them.
bool recognises(const document& file) {
  element_names names(file.text);
  const std::string_view first = names.next();
  if (first == "system") return names.next() != "gpu";
  if (first == "cpu") return names.tag().find("numaid") != std::string_view::npos;
  return first == "pci" && names.tag().find("busid") != std::string_view::npos;
}

topology::graph read(const document& file, const read_options& options) {
#ifdef HAWSER_HAS_XML
  return nccl::graph_of(nccl::parse(file), options.host);
#else
  (void)options;
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "hawser was built without an XML parser",
       "install libpugixml-dev and build hawser again");
#endif
}

}  // namespace

const file_source nccl_xml{"nccl-xml", "NCCL topology XML (NCCL_TOPO_DUMP_FILE, NCCL_TOPO_FILE)", max_markup_bytes,
                           recognises, read};

}  // namespace hawser::discovery
