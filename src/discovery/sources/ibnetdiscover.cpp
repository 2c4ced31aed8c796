// ibnetdiscover: switches, channel adapters and cables of an InfiniBand fabric
#include "fabric_records.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using fabric::record_style;

bool recognises(const document& file) {
  return fabric::style_of_records(file.text) == record_style::ibnetdiscover;
}

topology::graph read(const document& file, const read_options&) {
  return fabric::to_graph(fabric::parse_records(file, record_style::ibnetdiscover), topology::provenance::file);
}

}  // namespace

const file_source ibnetdiscover{"ibnetdiscover",
                                "ibnetdiscover: switches, channel adapters and cables of an InfiniBand fabric",
                                max_text_bytes, recognises, read};

}  // namespace hawser::discovery
