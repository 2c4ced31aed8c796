// ibsim's simulated fabric (.net)
#include "fabric_records.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using fabric::record_style;

bool recognises(const document& file) {
  return fabric::style_of_records(file.text) == record_style::ibsim;
}

topology::graph read(const document& file, const read_options&) {
  return fabric::to_graph(fabric::parse_records(file, record_style::ibsim), topology::provenance::file);
}

}  // namespace

const file_source ibsim_net{"ibsim-net", "ibsim's simulated fabric (.net)", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
