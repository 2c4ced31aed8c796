// Reads the cells of `nvidia-smi topo -p2p`.
#include "smi_p2p_parse.hpp"

#include <array>

namespace hawser::discovery {

namespace {

struct status {
  std::string_view name, meaning;
};
constexpr std::array<status, 8> statuses = {{{"X", "self"},
                                             {"OK", "status ok"},
                                             {"CNS", "chipset not supported"},
                                             {"GNS", "GPU not supported"},
                                             {"TNS", "topology not supported"},
                                             {"NS", "not supported"},
                                             {"DR", "disabled by a registry key"},
                                             {"U", "unknown"}}};

struct capability {
  std::string_view option, name;
};
constexpr std::array<capability, 5> capabilities = {
    {{"r", "read"}, {"w", "write"}, {"n", "nvlink"}, {"a", "atomics"}, {"p", "pcie"}}};

// The last command line before the matrix says what was asked.
std::string capability_in(std::string_view before) {
  const std::size_t option = before.rfind("-p2p ");
  if (option == std::string_view::npos) return "access";
  const auto after = words(before.substr(option + 5, 16));
  for (const capability& each : capabilities)
    if (!after.empty() && after.front() == each.option) return std::string(each.name);
  return "access";
}

std::size_t start_of_line(std::string_view text, std::size_t number) {
  std::size_t at = 0;
  for (; number > 1; --number) at = text.find('\n', at) + 1;
  return at;
}

}  // namespace

matrix_cell p2p_cell_at(std::string_view text) {
  for (std::size_t each = 0; each < statuses.size(); ++each)
    if (text.starts_with(statuses[each].name)) return {statuses[each].name.size(), static_cast<std::uint16_t>(each)};
  return {};
}

std::string p2p_cell_name(std::uint16_t code) {
  return std::string(statuses.at(code).name);
}
std::string_view p2p_cell_meaning(std::uint16_t code) {
  return statuses.at(code).meaning;
}

p2p_document parse_p2p(const document& file) {
  p2p_document all{find_matrix(file, p2p_cell_at), {}};
  const matrix& best = all.found.best;
  for (const std::string& each : best.columns)
    if (!gpu_number(each)) fail_at_line(file, best.line, "the column \"" + shortened(each) + "\" is no GPU");
  if (best.rows.empty())
    fail_at_line(file, best.cut_rows.front().line,
                 "the row of " + best.cut_rows.front().name + " ends after " +
                     std::to_string(best.cut_rows.front().cells.size()) + " of " + std::to_string(best.columns.size()) +
                     " cells");
  all.capability = capability_in(file.text.substr(0, start_of_line(file.text, best.line)));
  return all;
}

}  // namespace hawser::discovery
