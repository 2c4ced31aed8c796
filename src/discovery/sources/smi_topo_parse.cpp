// Reads the cells of `nvidia-smi topo -m`, and tells direct NVLinks from those to NVSwitches.
#include "smi_topo_parse.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <hawser/topology/derive.hpp>

namespace hawser::discovery {

namespace {

constexpr std::array<std::string_view, 8> path_names = {"X", "PIX", "PXB", "PHB", "NODE", "SYS", "SOC", "N/A"};
constexpr auto untold_code = static_cast<std::uint16_t>(pci_path::untold);

// NVLinks of one GPU: at most 18 from H100 to B300; a cell above that is of a later one, with at most 36.
constexpr int most_links_of(int cell) {
  return cell > 18 ? 36 : 18;
}
// NVLinks of a GPU that is made for NVSwitches: V100 6, A800 and H800 8, A100 12, H100 and later 18.
constexpr std::array switched_link_counts = {6, 8, 12, 18, 36};

}  // namespace

matrix_cell topo_cell_at(std::string_view text) {
  for (std::size_t each = 0; each < path_names.size(); ++each)
    if (text.starts_with(path_names[each])) return {path_names[each].size(), static_cast<std::uint16_t>(each)};
  if (!text.starts_with("NV")) return {};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789", 2), text.size()) - 2;
  const auto links = to_integer<int>(text.substr(2, digits));
  if (!links || *links < 1 || *links > most_nvlinks) return {};
  return {2 + digits, static_cast<std::uint16_t>(nvlink_code + *links)};
}

std::string topo_cell_name(std::uint16_t code) {
  if (is_nvlink_cell(code)) return "NV" + std::to_string(nvlinks_of_cell(code));
  return std::string(path_names.at(code));
}

topo_document::topo_document(const document& file, found_matrix found) : found_(std::move(found)) {
  const matrix& all = found_.best;
  std::map<std::string_view, std::size_t> column_of;
  for (std::size_t each = 0; each < all.columns.size(); ++each) {
    column_of.emplace(all.columns[each], each);
    (is_gpu(each) ? gpus_ : nics_).push_back(each);
  }
  rows_.resize(all.columns.size());
  for (const auto* rows : {&all.rows, &all.cut_rows})
    for (const matrix_row& each : *rows) rows_[column_of.at(each.name)] = &each;
  check_gpus(file);
  for (std::size_t a = 0; a < rows_.size() && !asymmetry_; ++a)
    for (std::size_t b = 0; b < a && !asymmetry_; ++b)
      if (const auto here = written(a, b), there = written(b, a);
          here && there && *here != *there && *here != untold_code && *there != untold_code)
        asymmetry_ = {b, a};
}

const matrix_row* topo_document::row_of(std::size_t column) const {
  return rows_[column];
}

void topo_document::check_gpus(const document& file) {
  for (std::size_t a : gpus_)
    for (std::size_t b : gpus_) {
      if (a == b || cell(a, b)) continue;
      if (written(a, b) || written(b, a)) {
        if (!untold_) untold_ = std::minmax(a, b);
        continue;
      }
      const matrix_row* const row = row_of(a);
      const std::string who = "the path between " + found_.best.columns[a] + " and " + found_.best.columns[b];
      const std::string why = row ? "the row of " + row->name + " ends after " + std::to_string(row->cells.size()) +
                                        " of " + std::to_string(rows_.size()) + " cells"
                                  : found_.best.columns[a] + " has no row";
      fail_at_line(file, row ? row->line : found_.best.line, who + " is not told: " + why,
                   "give the whole matrix that nvidia-smi printed");
    }
}

std::optional<std::uint16_t> topo_document::cell(std::size_t row, std::size_t column) const {
  for (const auto& found : {written(row, column), written(column, row)})
    if (found && *found != untold_code) return found;
  return std::nullopt;
}

std::optional<std::uint16_t> topo_document::written(std::size_t row, std::size_t column) const {
  if (!rows_[row] || column >= rows_[row]->cells.size()) return std::nullopt;
  return rows_[row]->cells[column];
}

int topo_document::nvlinks(std::size_t a, std::size_t b) const {
  return std::min(nvlinks_of_cell(cell(a, b).value_or(0)), nvlinks_of_cell(cell(b, a).value_or(0)));
}

std::vector<std::string> topo_document::missing_rows() const {
  std::vector<std::string> missing;
  for (std::size_t each = 0; each < rows_.size(); ++each)
    if (!rows_[each]) missing.push_back(found_.best.columns[each]);
  return missing;
}

std::vector<nvlink_group> topo_document::nvlink_groups() const {
  topology::detail::disjoint_sets sets(rows_.size());
  for (std::size_t a : gpus_)
    for (std::size_t b : gpus_)
      if (a < b && nvlinks(a, b)) sets.unite(a, b);
  std::map<std::size_t, nvlink_group> group_of;
  for (std::size_t gpu : gpus_) group_of[sets.find(gpu)].gpus.push_back(gpu);
  std::vector<nvlink_group> groups;
  for (auto& [first, group] : group_of) {
    if (group.gpus.size() < 2) continue;
    judge(group);
    groups.push_back(std::move(group));
  }
  return groups;
}

// A cell is the number of links of one path. Behind switches that is all that the GPU has, to each peer the same ones;
// direct links are each for one peer, so their sum is bounded by what a GPU has.
void topo_document::judge(nvlink_group& group) const {
  int most = 0, largest_sum = 0;
  bool are_alike = true;
  for (std::size_t a : group.gpus) {
    int sum = 0;
    for (std::size_t b : group.gpus) {
      if (a == b) continue;
      const int links = nvlinks(a, b);
      are_alike = are_alike && (most == 0 || links == most);
      most = std::max(most, links);
      sum += links;
    }
    largest_sum = std::max(largest_sum, sum);
  }
  group.is_switched = largest_sum > most_links_of(most);
  const bool is_bridge = group.gpus.size() == 2 && gpus_.size() > 2;  // switches would join the other GPUs, too
  const bool may_be_all = std::ranges::find(switched_link_counts, most) != switched_link_counts.end();
  group.is_certain = group.is_switched || !are_alike || is_bridge || !may_be_all;
}

std::vector<std::size_t> topo_document::nearest_nics(std::size_t gpu, std::uint16_t& nearest) const {
  const auto distance = [](std::uint16_t code) { return is_nvlink_cell(code) ? 0 : static_cast<int>(code); };
  std::vector<std::size_t> found;
  for (std::size_t nic : nics_) {
    const auto path = cell(gpu, nic);
    if (!path || (!found.empty() && distance(*path) > distance(nearest))) continue;
    if (!found.empty() && distance(*path) < distance(nearest)) found.clear();
    nearest = *path;
    found.push_back(nic);
  }
  return found;
}

topo_document::affinity topo_document::affinity_of(std::size_t gpu) const {
  const matrix_row* const row = row_of(gpu);
  if (!row || found_.best.fields.empty()) return {};
  std::vector<std::string> fields = row->fields;
  const bool has_memory_node = found_.best.fields.size() == 3;  // "GPU NUMA ID"
  if (has_memory_node && !fields.empty()) {
    std::string& last = fields.back();
    if (last.size() > 3 && last.ends_with("N/A"))
      last.resize(last.size() - 3);  // "0N/A": two columns run together
    else if (fields.size() == 3 || last == "N/A")
      fields.pop_back();
  }
  affinity told;
  if (!fields.empty() && fields[0] != "N/A") told.cpus = fields[0];
  if (fields.size() < 2) return told;
  told.is_numa_absent = fields[1] == "N/A";
  if (!told.is_numa_absent) told.numa = fields[1];
  return told;
}

}  // namespace hawser::discovery
