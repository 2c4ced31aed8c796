// Slurm's variables and topology files.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>

#include <hawser/core/error.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/file.hpp"
#include "discovery/host_list.hpp"
#include "discovery/sources/slurm_conf_parse.hpp"
#include "discovery/sources/slurm_yaml_parse.hpp"
#include "live_sources.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

// A path of the system, below the root that tests put in its place.
std::filesystem::path below_root(const live_environment& environment, const std::filesystem::path& path) {
  return std::filesystem::path(environment.root) / path.relative_path();
}

// Where topology.conf lies: beside slurm.conf.
std::vector<std::filesystem::path> folders(const live_environment& environment) {
  if (const auto conf = environment.variable("SLURM_CONF"); conf && !conf->empty())
    return {below_root(environment, std::filesystem::path(*conf).parent_path())};
  return {below_root(environment, "/etc/slurm"), below_root(environment, "/run/slurm/conf"),
          below_root(environment, "/etc/slurm-llnl")};
}

// The hosts of the job; empty outside of one.
std::vector<std::string> hosts_of_job(const live_environment& environment, placement& into) {
  for (const char* name : {"SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
    const auto list = environment.variable(name);
    if (!list || list->empty()) continue;
    std::size_t budget = max_listed_names;
    const expanded_list expanded = expand_hosts(*list, budget);
    if (expanded.problem.empty()) return expanded.names;
    into.note(severity::warning, "malformed-variable", name, expanded.problem);
  }
  return {};
}

// Leaves the hosts of the job, and the switches and domains above them.
void keep_only(const std::set<std::string>& hosts, std::vector<std::string>& names) {
  std::erase_if(names, [&](const std::string& each) { return !hosts.contains(each); });
}

class job_view {
 public:
  explicit job_view(const std::vector<std::string>& hosts) : hosts_(hosts.begin(), hosts.end()) {}

  void narrow(std::vector<switch_record>& switches) const {
    if (hosts_.empty()) return;
    for (switch_record& each : switches) keep_only(hosts_, each.hosts);
    // Upwards until nothing changes: a tree of n levels takes n rounds, and more than 64 are refused later.
    std::set<std::string> kept;
    for (int round = 0; round <= 64; ++round) {
      const std::size_t before = kept.size();
      for (const switch_record& each : switches) {
        const auto is_kept = [&](const std::string& child) { return kept.contains(child); };
        if (!each.hosts.empty() || std::any_of(each.switches.begin(), each.switches.end(), is_kept))
          kept.insert(each.name);
      }
      if (kept.size() == before) break;
    }
    std::erase_if(switches, [&](const switch_record& each) { return !kept.contains(each.name); });
    for (switch_record& each : switches) keep_only(kept, each.switches);
  }
  // Blocks without hosts stay in their places: the larger blocks count them.
  void narrow(std::vector<domain_record>& blocks) const {
    if (hosts_.empty()) return;
    for (domain_record& each : blocks) keep_only(hosts_, each.hosts);
  }
  bool keeps(const std::string& host) const { return hosts_.empty() || hosts_.contains(host); }

 private:
  std::set<std::string> hosts_;
};

void place(placement& into, const job_view& job, std::vector<switch_record> switches, std::vector<domain_record> blocks,
           const std::vector<std::int64_t>& block_sizes) {
  job.narrow(switches);
  job.narrow(blocks);
  const bool has_switches = !switches.empty();
  into.add_switches(std::move(switches), false);
  if (has_switches) into.machine().tell(topology::aspect::switches);
  std::vector<domain_record> inhabited;
  std::copy_if(blocks.begin(), blocks.end(), std::back_inserter(inhabited),
               [](const domain_record& each) { return !each.hosts.empty(); });
  into.add_domains(inhabited, "block");
  if (!has_switches && problem_of_block_sizes(block_sizes).empty()) into.aggregate(blocks, block_sizes);
}

void place_conf(placement& into, const document& file, const job_view& job) {
  slurm_conf_document found = parse_slurm_conf(file);
  for (const topology::finding& each : found.findings) into.note(each.level, each.code, each.subject, each.message);
  place(into, job, std::move(found.switches), std::move(found.blocks), found.block_sizes);
}

void place_yaml(placement& into, const document& file, const job_view& job) {
  const std::vector<slurm_topology> all = parse_slurm_yaml(file);
  const slurm_topology& chosen = default_topology(all);
  for (const topology::finding& each : chosen.findings) into.note(each.level, each.code, each.subject, each.message);
  place(into, job, chosen.switches, chosen.blocks, chosen.block_sizes);
  place_grids(into, chosen, [&](const std::string& host) { return job.keeps(host); });
}

// The topology file, or nothing. Slurm ignores topology.conf where there is a topology.yaml.
std::string topology_file(const live_environment& environment) {
  for (const std::filesystem::path& folder : folders(environment))
    for (const char* name : {"topology.yaml", "topology.conf"}) {
      std::error_code unusable;
      if (std::filesystem::is_regular_file(folder / name, unusable)) return (folder / name).string();
    }
  return {};
}

// True where there is a file, readable or not.
bool place_file(placement& into, const live_environment& environment, const job_view& job) {
  const std::string path = topology_file(environment);
  if (path.empty()) return false;
  const bool is_yaml = path.ends_with("yaml");
  try {
    const std::string text = read_text(path, is_yaml ? max_yaml_bytes : max_text_bytes);
    is_yaml ? place_yaml(into, {text, path}, job) : place_conf(into, {text, path}, job);
  } catch (const error& failure) {
    into.note(severity::warning, "unreadable-file", path, failure.what());
  }
  return true;
}

std::vector<std::string_view> parts_of_address(std::string_view address) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t at = 0; at < address.size(); ++at) {
    depth += address[at] == '[' ? 1 : address[at] == ']' ? -1 : 0;
    if (address[at] != '.' || depth != 0) continue;
    parts.push_back(address.substr(start, at - start));
    start = at + 1;
  }
  parts.push_back(address.substr(start));
  return parts;
}

// "root.s[0-1].leaf.node" with "switch.switch.switch.node": outermost first; a level without a switch is empty, one
// with several is a host list. Slurm's block plugin says "block.node".
void place_address(placement& into, const live_environment& environment, const std::string& self) {
  const auto address = environment.variable("SLURM_TOPOLOGY_ADDR"),
             pattern = environment.variable("SLURM_TOPOLOGY_ADDR_PATTERN");
  if (!address || !pattern || address->size() > 65536) return;
  const std::vector<std::string_view> kinds = split(*pattern, '.');
  std::vector<std::string_view> parts = parts_of_address(*address);
  // The name of the node may have dots itself.
  while (parts.size() > kinds.size() && kinds.back() == "node") parts.pop_back();
  if (parts.size() != kinds.size() || kinds.size() > 65)
    return into.note(severity::warning, "malformed-variable", "SLURM_TOPOLOGY_ADDR",
                     "\"" + shortened(*address) + "\" does not fit \"" + shortened(*pattern) + "\"");
  std::vector<switch_record> switches;
  std::vector<std::string> below{self};
  std::size_t budget = max_listed_names;
  for (std::size_t at = kinds.size(); at-- > 0;) {
    const expanded_list names = expand_hosts(parts[at], budget);
    if (!names.problem.empty())
      return into.note(severity::warning, "malformed-variable", "SLURM_TOPOLOGY_ADDR", names.problem);
    if (kinds[at] == "block" && !names.names.empty())
      into.add_domains({{names.names.front(), {self}, "block/" + names.names.front(), {}}}, "block");
    if (kinds[at] != "switch" || names.names.empty()) continue;
    for (const std::string& each : names.names) {
      switch_record record{each, {}, {}, {}};
      (switches.empty() || below.front() == self ? record.hosts : record.switches) = below;
      switches.push_back(std::move(record));
    }
    below = names.names;
  }
  into.add_switches(std::move(switches), true);
}

// Slurm may call this host by another name than the system does.
topology::graph with_alias(topology::graph machine, const live_environment& environment, const std::string& self) {
  const auto node = machine.find(topology::identity::host(self));
  if (!node || self == environment.host) return machine;
  machine.merge_node(
      {topology::node_kind::host, self, {topology::identity::host(self), topology::identity::host(environment.host)}});
  return machine;
}

std::string name_of_this_host(const live_environment& environment) {
  return environment.variable("SLURMD_NODENAME").value_or(environment.host);
}

topology::graph discover_files(const live_environment& environment) {
  const document file{{}, "Slurm's files"};
  placement into(file, topology::provenance::reported);
  const std::vector<std::string> hosts = hosts_of_job(environment, into);
  for (const std::string& each : hosts) into.host(each);
  const bool has_file = place_file(into, environment, job_view(hosts));
  const bool is_in_job = !hosts.empty() || environment.variable("SLURM_JOB_ID").has_value();
  if (!has_file && !is_in_job && into.machine().findings().empty())
    into.note(severity::info, "no-slurm", environment.host, "no Slurm job and no topology file of Slurm is visible");
  if (!hosts.empty()) into.machine().tell(topology::aspect::hosts);
  // Without a file nothing is known of the network: how the hosts are joined is left open.
  topology::graph machine = has_file && !into.machine().nodes().empty() ? into.finish() : std::move(into.machine());
  return with_alias(std::move(machine), environment, name_of_this_host(environment));
}

topology::graph discover_address(const live_environment& environment) {
  const document file{{}, "Slurm's environment"};
  placement into(file, topology::provenance::reported);
  const std::string self = name_of_this_host(environment);
  const bool is_in_job = environment.variable("SLURM_JOB_ID") || environment.variable("SLURM_JOB_NODELIST");
  if (is_in_job && topology_file(environment).empty()) place_address(into, environment, self);
  if (into.machine().nodes().empty()) return std::move(into.machine());
  return with_alias(into.finish(), environment, self);
}

}  // namespace

const live_source live_slurm_files{"slurm-files", "Slurm's topology files and the hosts of the job", discover_files,
                                   scope::network};
const live_source live_slurm{"slurm", "Where Slurm says that this host is", discover_address, scope::placement};

}  // namespace hawser::discovery
