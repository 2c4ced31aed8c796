// nvidia-smi -q: the GPUs of one host and the state of their NVLink fabric, as text.
#include "smi_query_document.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  const std::string_view start = file.text.substr(0, std::size_t{64} << 10);
  const auto has = [&](std::string_view words) { return start.find(words) != std::string_view::npos; };
  if (trimmed(start).starts_with('<') || trimmed(start).starts_with('{')) return false;
  return has("NVSMI LOG") || (has("Product Name  ") && has("GPU UUID  ")) || has("device handle for GPU");
}

topology::graph read(const document& file, const read_options& options) {
  return graph_of(file, parse_smi_query(file), options.host);
}

}  // namespace

const file_source smi_query{"smi-q", "nvidia-smi -q", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
