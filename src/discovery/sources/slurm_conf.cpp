// Slurm's topology.conf: tree or blocks.
#include <algorithm>
#include <cctype>

#include "slurm_conf_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

constexpr std::size_t looked_at = 65536;

// Case is of no matter to Slurm, nor are blanks around '='.
bool begins_with_key(std::string_view line, std::string_view key) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (line.size() <= key.size() ||
      !std::equal(key.begin(), key.end(), line.begin(), [&](char k, char c) { return same(c, k); }))
    return false;
  return trimmed(line.substr(key.size())).starts_with('=');
}

// A definition, be it commented out. Other statements of Slurm's files are those of slurm.conf.
bool recognises(const document& file) {
  line_reader lines(file.text.substr(0, looked_at));
  while (lines.next()) {
    std::string_view line = trimmed(lines.line());
    while (line.starts_with('#')) line = trimmed(line.substr(1));
    for (std::string_view key : {"switchname", "blockname", "blocksizes"})
      if (begins_with_key(line, key)) return true;
    if (!line.empty() && !trimmed(lines.line()).starts_with('#') && !line.starts_with("Include")) return false;
  }
  return false;
}

topology::graph read(const document& file, const read_options&) {
  slurm_conf_document found = parse_slurm_conf(file);
  placement into(file, topology::provenance::file);
  for (const topology::finding& each : found.findings) into.note(each.level, each.code, each.subject, each.message);
  const bool has_none = found.switches.empty() && found.blocks.empty();
  if (found.commented_out > 0)
    into.note(has_none ? severity::warning : severity::info, "commented-out", shortened(file.name),
              std::to_string(found.commented_out) + " definitions of switches or blocks are commented out");
  if (has_none) {
    into.note(severity::error, "no-definitions", shortened(file.name),
              "no switch and no block is defined; Slurm refuses that");
    return into.finish();
  }
  place_slurm(into, std::move(found.switches), found.blocks, found.block_sizes);
  into.machine().tell(topology::aspect::hosts);
  if (found.blocks.empty()) into.machine().tell(topology::aspect::switches);
  return into.finish();
}

}  // namespace

const file_source slurm_conf{"slurm-conf", "Slurm's topology.conf: tree or blocks", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
