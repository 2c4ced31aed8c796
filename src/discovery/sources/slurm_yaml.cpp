// Slurm's topology.yaml: trees, blocks, rings, toruses.
#include "slurm_yaml_parse.hpp"

#include "discovery/value_tree.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  const first_lines lines(file.text);
  if (lines.is_json)
    return lines.mentions("\"topology\"") &&
           (lines.mentions("\"tree\"") || lines.mentions("\"block\"") || lines.mentions("\"flat\"") ||
            lines.mentions("\"ring\"") || lines.mentions("\"torus3d\""));
  bool is_list = false, has_plugin = false;
  for (std::string_view each : lines.lines) is_list = is_list || trimmed(each).starts_with("- ");
  for (std::string_view key : {"tree:", "block:", "flat:", "ring:", "torus3d:"})
    has_plugin = has_plugin || lines.has_key(key);
  return is_list && has_plugin && lines.has_key("topology:") && !lines.has_top_key("topology:");
}

topology::graph read(const document& file, const read_options&) {
  placement into(file, topology::provenance::file);
  place_slurm_yaml(into, parse_slurm_yaml(file));
  return into.finish();
}

}  // namespace

const file_source slurm_yaml{"slurm-yaml", "Slurm's topology.yaml: trees, blocks, rings, toruses", max_yaml_bytes,
                             recognises, read};

}  // namespace hawser::discovery
