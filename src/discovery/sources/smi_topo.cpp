// nvidia-smi topo -m: GPUs and NICs of one host, the NVLinks and the PCIe paths between them.
#include <string>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_topo_graph.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::severity;

constexpr std::size_t most_text_before = std::size_t{64} << 10;  // logs often precede the matrix

// A header with affinities, or a row with a path that only this matrix has.
bool recognises(const document& file) {
  std::optional<matrix> header;
  for (line_reader lines(file.text.substr(0, most_text_before)); lines.next();) {
    if (lines.line().size() > max_matrix_line) continue;
    const std::string line = plain_line(lines.line());
    if (auto found = matrix_header(line, topo_cell_at)) header = std::move(found);
    if (!header || line.find(header->columns.front()) == std::string::npos) continue;
    if (!header->fields.empty()) return true;
    if (const auto row = matrix_row_of(line, *header, topo_cell_at))
      for (std::uint16_t each : row->cells)
        if (each != static_cast<std::uint16_t>(pci_path::self) && each != static_cast<std::uint16_t>(pci_path::untold))
          return true;
  }
  return false;
}

void add_gpu(const topo_document& all, std::size_t column, topo_graph& made) {
  const std::string& name = all.cells().columns[column];
  const int number = *gpu_number(name);
  topology::node gpu{.kind = topology::node_kind::gpu,
                     .name = made.host_name + ":" + name,
                     .identities = {identity::gpu(made.host_name, number)},
                     .attributes = {{attribute::index, std::to_string(number)}}};
  const topo_document::affinity told = all.affinity_of(column);
  if (!told.cpus.empty()) gpu.attributes["cpus"] = told.cpus;
  if (told.is_numa_absent) gpu.attributes[attribute::numa] = "-1";
  if (to_integer<int>(told.numa)) gpu.attributes[attribute::numa] = told.numa;
  if (!told.numa.empty() && !to_integer<int>(told.numa)) {
    gpu.attributes["numa_nodes"] = told.numa;
    made.into.note({severity::info, "numa-affinity-spans", gpu.name,
                    "it is near the NUMA nodes " + shortened(told.numa) +
                        ": nothing says which, as in virtual machines that do not show it"});
  }
  std::uint16_t nearest = 0;
  std::string nics;
  for (std::size_t nic : all.nearest_nics(column, nearest)) {
    const auto named = all.cells().nic_names.find(all.cells().columns[nic]);
    nics +=
        (nics.empty() ? "" : ", ") + (named == all.cells().nic_names.end() ? all.cells().columns[nic] : named->second);
  }
  if (!nics.empty()) gpu.attributes["nearest_nics"] = topo_cell_name(nearest) + ": " + nics;
  made.node_of[column] = made.into.add_node(std::move(gpu));
}

void add_nic(const topo_document& all, std::size_t column, topo_graph& made) {
  const std::string& label = all.cells().columns[column];
  const auto named = all.cells().nic_names.find(label);
  std::string device = named == all.cells().nic_names.end() ? label : named->second;
  if (made.into.find(identity::nic(made.host_name, device))) {
    made.into.note({severity::warning, "repeated-nic", made.host_name + ":" + device,
                    "the legend gives two NICs this name; " + label + " is told apart by its number"});
    device = label;
  }
  const std::string unique = made.into.find(identity::nic(made.host_name, device)) ? device + "/" + label : device;
  made.node_of[column] = made.into.add_node({.kind = topology::node_kind::nic,
                                             .name = made.host_name + ":" + unique,
                                             .identities = {identity::nic(made.host_name, unique)},
                                             .attributes = {{attribute::device, unique}}});
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
  return all;
}

void note_gaps(const document& file, const topo_document& all, topology::graph& into) {
  const matrix& cells = all.cells();
  const std::string subject(file.name);
  for (const matrix_row& each : cells.cut_rows)
    into.note({severity::warning, "matrix-incomplete", subject,
               "line " + std::to_string(each.line) + ": the row of " + each.name + " ends after " +
                   std::to_string(each.cells.size()) + " of " + std::to_string(cells.columns.size()) + " cells"});
  if (const auto missing = all.missing_rows(); !missing.empty())
    into.note({severity::warning, "matrix-incomplete", subject, "there is no row for " + joined(missing)});
  if (all.found().count > 1)
    into.note({all.found().others_differ ? severity::warning : severity::info, "several-matrices", subject,
               "the text has " + std::to_string(all.found().count) + " matrices" +
                   (all.found().others_differ ? ", which differ" : "") + "; the one at line " +
                   std::to_string(cells.line) + " is read"});
  if (!cells.contradictory_rows.empty())
    into.note({severity::warning, "contradictory-rows", subject,
               joined(cells.contradictory_rows) + " occurs with different cells; the first row is taken"});
  if (const auto& pair = all.untold())
    into.note({severity::warning, "path-not-told", cells.columns[pair->first] + " - " + cells.columns[pair->second],
               "the matrix says N/A of these GPUs, and maybe of others: neither their path nor whether NVLink joins "
               "them is known; the driver could not read it, so ask again or look at the driver's log"});
  if (const auto& pair = all.asymmetry())
    into.note({severity::warning, "asymmetric-matrix", cells.columns[pair->first] + " - " + cells.columns[pair->second],
               "the rows say " + topo_cell_name(*all.cell(pair->first, pair->second)) + " and " +
                   topo_cell_name(*all.cell(pair->second, pair->first)) + " of the same path"});
}

topology::graph read(const document& file, const read_options& options) {
  const topo_document all(file, find_matrix(file, topo_cell_at));
  topology::graph into;
  topo_graph made{.into = into, .host_name = options.host};
  made.node_of.resize(all.cells().columns.size());
  made.host = into.add_node(
      {.kind = topology::node_kind::host, .name = options.host, .identities = {identity::host(options.host)}});
  for (std::size_t gpu : all.gpus()) add_gpu(all, gpu, made);
  for (std::size_t nic : all.nics()) add_nic(all, nic, made);
  for (topology::node_index each : made.node_of) into.contain(made.host, each);
  add_nvlinks(all, made);
  add_pci_paths(all, made);
  note_gaps(file, all, into);
  for (auto what : {topology::aspect::hosts, topology::aspect::gpus, topology::aspect::nics}) into.tell(what);
  if (!all.untold()) into.tell(topology::aspect::nvlink);
  return into;
}

}  // namespace

const file_source smi_topo{"smi-topo", "nvidia-smi topo -m", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
