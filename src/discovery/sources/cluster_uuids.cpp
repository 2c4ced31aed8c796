// Lines of host and NVLink cluster UUID, as parallel shells print them.
#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "accelerator_domain.hpp"
#include "discovery/host_list.hpp"
#include "placement.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

constexpr std::size_t looked_at = 65536;

struct host_line {
  std::string_view hosts;
  std::string_view uuid;
};

// "HOST: UUID", "HOST,UUID" and "HOST UUID"; the host may be a list. What follows the UUID is not looked at.
std::optional<host_line> parse_line(std::string_view line) {
  const std::size_t last = line.find_last_of(": \t,;=");
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view uuid = line.substr(last + 1);
  std::string_view hosts = line.substr(0, last);
  hosts = hosts.substr(0, hosts.find_last_not_of(": \t,;=") + 1);
  if (hosts.empty() || uuid.empty() || hosts.find_first_of(" \t:;=\"{}<>") != std::string_view::npos)
    return std::nullopt;
  return host_line{hosts, uuid};
}

bool is_blank(std::string_view line) {
  return line.empty() || line.starts_with('#');
}

bool recognises(const document& file) {
  line_reader lines(file.text.substr(0, looked_at));
  int found = 0;
  while (found < 3 && lines.next()) {
    const std::string_view line = trimmed(lines.line());
    if (is_blank(line)) continue;
    const auto parsed = parse_line(line);
    if (!parsed || !cluster_uuid_of(parsed->uuid)) return false;
    ++found;
  }
  return found > 0;
}

topology::graph read(const document& file, const read_options&) {
  placement into(file, topology::provenance::file);
  std::map<std::string, std::size_t> index_of;
  std::set<std::pair<std::string, std::size_t>> seen;
  std::vector<domain_record> domains;
  std::size_t budget = max_listed_names;
  line_reader lines(file.text);
  while (lines.next()) {
    const std::string_view line = trimmed(lines.line());
    if (is_blank(line)) continue;
    const auto parsed = parse_line(line);
    if (!parsed) fail_at_line(file, lines.number(), "\"" + shortened(line) + "\" is not a host and a cluster UUID");
    const auto uuid = cluster_uuid_of(parsed->uuid);
    if (!uuid) fail_at_line(file, lines.number(), "\"" + shortened(parsed->uuid) + "\" is not a UUID");
    expanded_list hosts = expand_hosts(parsed->hosts, budget);
    if (!hosts.problem.empty()) fail_at_line(file, lines.number(), hosts.problem);
    if (uuid->is_zero()) {
      for (const std::string& each : hosts.names) {
        into.host(each);
        into.note(severity::info, "zero-cluster-uuid", each,
                  "its cluster UUID is zero: it is in no NVLink domain of several hosts");
      }
      continue;
    }
    const auto [known, is_new] = index_of.try_emplace(uuid->identity(), domains.size());
    if (is_new) domains.push_back(uuid->domain());
    for (std::string& each : hosts.names)  // a host may have one line per GPU
      if (seen.emplace(each, known->second).second) domains[known->second].hosts.push_back(std::move(each));
  }
  into.add_domains(domains, {});
  into.machine().tell(topology::aspect::hosts);
  return into.finish();
}

}  // namespace

const file_source cluster_uuids{"cluster-uuids", "lines of host and NVLink cluster UUID", max_text_bytes, recognises,
                                read};

}  // namespace hawser::discovery
