// ibnetdiscover -p: one line per port
#include "fabric_lines.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  return fabric::has_port_line(file.text);
}

topology::graph read(const document& file, const read_options&) {
  return fabric::to_graph(fabric::parse_port_lines(file), topology::provenance::file);
}

}  // namespace

const file_source ibnetdiscover_ports{"ibnetdiscover-p", "ibnetdiscover -p: one line per port", max_text_bytes,
                                      recognises, read};

}  // namespace hawser::discovery
