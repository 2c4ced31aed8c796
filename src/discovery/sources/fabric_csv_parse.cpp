// Reads what nvidia-smi --query-gpu=fabric.clusterUuid,fabric.cliqueId --format=csv prints, also through pdsh.
#include "fabric_csv_parse.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_map>

namespace hawser::discovery {

namespace {

bool is_absent(std::string_view value) {
  return value == "N/A" || value == "[N/A]" || value == "[Not Supported]" || value == "Not Supported";
}

bool is_uuid(std::string_view text) {
  const auto may_be = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; };
  return is_absent(text) || (!text.empty() && text.size() <= 64 && std::ranges::all_of(text, may_be));
}
bool is_clique(std::string_view text) {
  return is_absent(text) || to_integer<std::uint32_t>(text).has_value();
}
bool is_host(std::string_view text) {
  const auto may_be = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  };
  return !text.empty() && std::ranges::all_of(text, may_be);
}

std::string lower(std::string_view text) {
  std::string all(text);
  for (char& c : all) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return all;
}

void add_line(const document& file, const fabric_line& told, std::size_t number, fabric_host& host) {
  if (!told.is_of_host) ++host.gpus;
  if (!names_fabric_domain(told)) {
    host.reported = told.uuid;
    return;
  }
  const fabric_partition partition{lower(told.uuid), std::string(told.clique)};
  if (host.partition.uuid.empty()) host.partition = partition;
  if (host.partition == partition) return;
  const std::string who = host.name.empty() ? "one node" : "\"" + shortened(host.name) + "\"";
  fail_at_line(file, number,
               "ambiguous: " + who + " reports two NVLink partitions " + host.partition.uuid + "." +
                   host.partition.clique + " and " + partition.uuid + "." + partition.clique,
               "give the lines of each host with its name before them, or correct the partitions of the fabric");
}

}  // namespace

std::optional<fabric_line> parse_fabric_line(std::string_view line) {
  fabric_line told;
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    told.host = trimmed(line.substr(0, colon));
    line = line.substr(colon + 1);
    if (!is_host(told.host)) return std::nullopt;
  }
  if (std::ranges::count(line, ',') > 2) return std::nullopt;
  const std::vector<std::string_view> cells = split(line, ',');
  const std::size_t first = cells.size() == 3 && told.host.empty() ? 1 : 0;
  if (cells.size() != first + 2) return std::nullopt;
  if (first) {
    told.host = trimmed(cells[0]);
    told.is_of_host = true;
    if (!is_host(told.host)) return std::nullopt;
  }
  told.uuid = trimmed(cells[first]);
  told.clique = trimmed(cells[first + 1]);
  if (!is_uuid(told.uuid) || !is_clique(told.clique)) return std::nullopt;
  return told;
}

bool is_fabric_blank(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.empty() || text.starts_with('#') || text.find("fabric.cl") != std::string_view::npos;
}

bool names_fabric_domain(const fabric_line& line) {
  return !is_absent(line.uuid) && !is_absent(line.clique) &&
         line.uuid.find_first_not_of("0-") != std::string_view::npos;
}

std::vector<fabric_host> parse_fabric_csv(const document& file) {
  std::vector<fabric_host> hosts;
  std::unordered_map<std::string_view, std::size_t> number_of;
  std::size_t gpus = 0;
  for (line_reader lines(file.text); lines.next();) {
    if (is_fabric_blank(lines.line())) continue;
    const auto told = parse_fabric_line(trimmed(lines.line()));
    if (!told)
      fail_at_line(file, lines.number(),
                   "\"" + shortened(trimmed(lines.line())) + "\" is no cluster UUID and clique id",
                   "the lines are \"UUID, CLIQUE\", with \"HOST: \" before them where there are several hosts");
    const auto [entry, is_new] = number_of.emplace(told->host, hosts.size());
    if (is_new) hosts.push_back({.name = std::string(told->host), .line = lines.number()});
    if (++gpus > max_fabric_hosts) fail_at_line(file, lines.number(), "more than a million lines");
    add_line(file, *told, lines.number(), hosts[entry->second]);
  }
  if (hosts.empty()) fail_in(file, {}, "it has no line of cluster UUID and clique id");
  return hosts;
}

}  // namespace hawser::discovery
