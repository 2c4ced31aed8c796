// iblinkinfo, also with -l
#include "fabric_lines.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  return fabric::has_link_line(file.text);
}

topology::graph read(const document& file, const read_options&) {
  return fabric::to_graph(fabric::parse_link_lines(file), topology::provenance::file);
}

}  // namespace

const file_source iblinkinfo{"iblinkinfo", "iblinkinfo, also with -l", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
