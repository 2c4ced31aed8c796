// nvidia-smi topo -p2p r|w|n|a|p: whether each two GPUs of a host may access each other, and why not.
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_p2p_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::severity;

constexpr std::size_t most_text_before = std::size_t{64} << 10;  // logs often precede the matrix

// A header without affinities, and a row with a status that only this matrix has.
bool recognises(const document& file) {
  std::optional<matrix> header;
  for (line_reader lines(file.text.substr(0, most_text_before)); lines.next();) {
    if (lines.line().size() > max_matrix_line) continue;
    const std::string line = plain_line(lines.line());
    if (auto found = matrix_header(line, p2p_cell_at)) {
      header = found->fields.empty() ? std::move(found) : std::nullopt;
      continue;
    }
    const auto row = header ? matrix_row_of(line, *header, p2p_cell_at) : std::nullopt;
    if (row && row->cells.size() == header->columns.size()) return true;
  }
  return false;
}

// One finding for each status that says no: with 8 GPUs there may be 56 cells.
void note_refusals(const p2p_document& all, const std::string& host, topology::graph& into) {
  std::map<std::uint16_t, std::vector<std::string>> pairs;
  for (const matrix_row& row : all.found.best.rows)
    for (std::size_t column = 0; column < row.cells.size(); ++column)
      if (row.cells[column] != p2p_self && row.cells[column] != p2p_ok && row.name != all.found.best.columns[column])
        pairs[row.cells[column]].push_back(row.name + " - " + all.found.best.columns[column]);
  for (const auto& [status, refused] : pairs) {
    constexpr std::size_t most_listed = 4;
    std::string those;
    for (std::size_t each = 0; each < std::min(refused.size(), most_listed); ++each)
      those += (those.empty() ? "" : ", ") + refused[each];
    if (refused.size() > most_listed) those += " and " + std::to_string(refused.size() - most_listed) + " more";
    into.note({severity::warning, "no-peer-access", host,
               "no peer-to-peer " + all.capability + " (" + p2p_cell_name(status) + ", " +
                   std::string(p2p_cell_meaning(status)) + "): " + those});
  }
}

void note_gaps(const document& file, const found_matrix& found, topology::graph& into) {
  const std::string subject(file.name);
  if (found.best.rows.size() < found.best.columns.size())
    into.note({severity::warning, "matrix-incomplete", subject,
               std::to_string(found.best.rows.size()) + " of " + std::to_string(found.best.columns.size()) +
                   " rows are complete"});
  if (found.count > 1)
    into.note({severity::info, "several-matrices", subject,
               "the text has " + std::to_string(found.count) + " matrices; the one at line " +
                   std::to_string(found.best.line) + " is read"});
}

topology::graph read(const document& file, const read_options& options) {
  const p2p_document all = parse_p2p(file);
  topology::graph into;
  const auto host = into.add_node(
      {.kind = topology::node_kind::host, .name = options.host, .identities = {identity::host(options.host)}});
  for (const std::string& name : all.found.best.columns) {
    const int number = *gpu_number(name);
    into.contain(host, into.add_node({.kind = topology::node_kind::gpu,
                                      .name = options.host + ":" + name,
                                      .identities = {identity::gpu(options.host, number)},
                                      .attributes = {{attribute::index, std::to_string(number)}}}));
  }
  for (const matrix_row& row : all.found.best.rows) {
    std::string statuses;
    for (std::uint16_t cell : row.cells) statuses += (statuses.empty() ? "" : " ") + p2p_cell_name(cell);
    into.describe(*into.find(identity::gpu(options.host, *gpu_number(row.name))), "p2p_" + all.capability, statuses);
  }
  note_refusals(all, options.host, into);
  note_gaps(file, all.found, into);
  into.tell(topology::aspect::hosts);
  into.tell(topology::aspect::gpus);
  return into;
}

}  // namespace

const file_source smi_p2p{"smi-p2p", "nvidia-smi topo -p2p r|w|n|a|p", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
