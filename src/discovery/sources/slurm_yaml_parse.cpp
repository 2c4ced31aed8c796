// Reads the topologies of a topology.yaml.
#include "slurm_yaml_parse.hpp"

#include <algorithm>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/host_list.hpp"
#include "discovery/value_tree.hpp"
#include "slurm_conf_parse.hpp"

namespace hawser::discovery {

namespace {

using topology::severity;
using triple = std::array<std::int64_t, 3>;

constexpr std::size_t max_topologies = 1000;
constexpr std::size_t max_findings = 50;

class yaml_reader {
 public:
  explicit yaml_reader(const document& file) : file_(file) {}

  slurm_topology read(const value& entry) {
    slurm_topology made;
    if (!entry.is_map()) fail_at(file_, entry, "a topology must be a map");
    made.name = required_text(file_, entry, "topology");
    made.is_cluster_default = is_true(entry, "cluster_default");
    int plugins = 0;
    for (const value& member : entry.items) {
      const auto plugin = plugin_of(member.key);
      if (plugin && ++plugins > 1) fail_at(file_, member, "a topology must have one plugin, and this is its second");
      if (plugin)
        made.plugin = *plugin, read_plugin(made, member);
      else if (member.key != "topology" && member.key != "cluster_default")
        note_unknown(made, member);
    }
    if (plugins == 0)
      fail_at(file_, entry,
              "the topology \"" + shortened(made.name) + "\" has none of tree, block, flat, ring and torus3d");
    return made;
  }

 private:
  static std::optional<slurm_plugin> plugin_of(std::string_view key) {
    for (slurm_plugin each :
         {slurm_plugin::tree, slurm_plugin::block, slurm_plugin::flat, slurm_plugin::ring, slurm_plugin::torus3d})
      if (key == to_string(each)) return each;
    return std::nullopt;
  }

  void read_plugin(slurm_topology& made, const value& at) {
    switch (made.plugin) {
      case slurm_plugin::tree: return read_tree(made, at);
      case slurm_plugin::block: return read_blocks(made, at);
      case slurm_plugin::ring: return read_rings(made, at);
      case slurm_plugin::torus3d: return read_toruses(made, at);
      case slurm_plugin::flat:
        if (at.is_map())
          for (const value& each : at.items) made.flat_options.emplace_back(each.key, each.text);
    }
  }

  void read_tree(slurm_topology& made, const value& at) {
    for (const value& each : entries(at, "switches")) {
      switch_record record;
      record.name = name_of(each, "switch");
      for (const value& member : each.items) {
        if (member.key == "children")
          record.switches = names_of(made, member);
        else if (member.key == "nodes")
          record.hosts = names_of(made, member);
        else if (member.key == "link_speed" || member.key == "linkspeed")
          record.attributes["link_speed"] = shortened(member.text);
        else if (member.key != "switch")
          note_unknown(made, member);
      }
      made.switches.push_back(std::move(record));
    }
  }

  void read_blocks(slurm_topology& made, const value& at) {
    for (const value& each : list_of(file_, at.find("block_sizes"), "\"block_sizes\"")) {
      const auto size = each.is_text() ? to_integer<std::int64_t>(each.text) : std::nullopt;
      if (!size) fail_at(file_, each, "a block size must be a whole number");
      if (made.block_sizes.size() >= 64) fail_at(file_, each, "there are more than 64 block sizes");
      made.block_sizes.push_back(*size);
    }
    for (const value& each : entries(at, "blocks")) {
      domain_record record;
      record.name = name_of(each, "block");
      record.identity = "block/" + record.name;
      if (const value* const nodes = each.find("nodes")) record.hosts = names_of(made, *nodes);
      made.blocks.push_back(std::move(record));
    }
  }

  void read_rings(slurm_topology& made, const value& at) {
    for (const value& each : entries(at, "rings")) {
      grid_record record;
      record.name = name_of(each, "ring");
      if (const value* const nodes = each.find("nodes")) record.hosts = names_of(made, *nodes);
      made.grids.push_back(std::move(record));
    }
  }

  void read_toruses(slurm_topology& made, const value& at) {
    for (const value& each : entries(at, "toruses")) {
      grid_record record;
      record.name = name_of(each, "name");
      record.dimensions = triple_of(each, "dims", 1);
      if (const value* const nodes = each.find("nodes")) add_region(made, record, *nodes, {}, record.dimensions);
      for (const value& region : list_of(file_, each.find("regions"), "\"regions\"")) {
        const value* const nodes = region.find("nodes");
        if (nodes) add_region(made, record, *nodes, triple_of(region, "anchor", 0), triple_of(region, "dims", 1));
      }
      made.grids.push_back(std::move(record));
    }
  }

  // Coordinates run through the region, x fastest.
  void add_region(slurm_topology& made, grid_record& torus, const value& nodes, const triple& anchor,
                  const triple& size) {
    for (std::size_t axis = 0; axis < 3; ++axis)
      if (anchor[axis] > torus.dimensions[axis] - size[axis])
        fail_at(file_, nodes, "a region of the torus \"" + shortened(torus.name) + "\" lies outside of it");
    const std::vector<std::string> hosts = names_of(made, nodes);
    const auto cells = static_cast<std::size_t>(size[0] * size[1] * size[2]);
    if (hosts.size() != cells)
      note(made, {severity::warning, "torus-size", torus.name,
                  std::to_string(hosts.size()) + " hosts are given for " + std::to_string(cells) + " coordinates"});
    for (std::size_t at = 0; at < std::min(hosts.size(), cells); ++at) {
      const auto cell = static_cast<std::int64_t>(at);
      torus.hosts.push_back(hosts[at]);
      torus.coordinates.push_back(
          {anchor[0] + cell % size[0], anchor[1] + cell / size[0] % size[1], anchor[2] + cell / size[0] / size[1]});
    }
  }

  triple triple_of(const value& in, std::string_view name, std::int64_t least) const {
    const value* const at = in.find(name);
    if (!at || !at->is_map())
      fail_at(file_, at ? *at : in, "\"" + std::string(name) + "\" must be a map of x, y and z");
    triple made{};
    constexpr std::array<const char*, 3> axes = {"x", "y", "z"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::int64_t number = integer_of(file_, *at, axes[axis]).value_or(least);
      if (number < least || number > 65536)
        fail_at(file_, *at, std::string(axes[axis]) + " must be from " + std::to_string(least) + " to 65536");
      made[axis] = number;
    }
    return made;
  }

  const std::vector<value>& entries(const value& at, std::string_view name) const {
    if (!at.is_map()) fail_at(file_, at, "\"" + at.key + "\" must be a map");
    const std::vector<value>& all = list_of(file_, at.find(name), "\"" + std::string(name) + "\"");
    for (const value& each : all)
      if (!each.is_map()) fail_at(file_, each, "each of \"" + std::string(name) + "\" must be a map");
    return all;
  }

  std::string name_of(const value& in, std::string_view key) const {
    std::string name = required_text(file_, in, key);
    if (name.size() > max_host_name)
      fail_at(file_, in, "the name is longer than " + std::to_string(max_host_name) + " characters");
    return name;
  }

  std::vector<std::string> names_of(slurm_topology& made, const value& at) {
    std::vector<std::string> names;
    const auto add = [&](const value& list) {
      if (!list.is_text()) fail_at(file_, list, "\"" + shortened(at.key) + "\" must be a host list");
      expanded_list expanded = expand_hosts(list.text, budget_);
      if (!expanded.problem.empty()) fail_at(file_, list, expanded.problem);
      if (expanded.lost_prefix)
        note(made, {severity::warning, "lost-prefix", made.name,
                    "the list \"" + shortened(list.text) + "\" has numbers without a name before them"});
      names.insert(names.end(), expanded.names.begin(), expanded.names.end());
    };
    if (at.is_list())
      for (const value& each : at.items) add(each);
    else if (at.form != value::shape::null)
      add(at);
    return names;
  }

  bool is_true(const value& in, std::string_view name) const {
    const std::string_view text = in.text_of(name);
    return text == "true" || text == "True" || text == "TRUE" || text == "yes" || text == "1";
  }

  void note_unknown(slurm_topology& made, const value& at) {
    note(made, {severity::warning, "unknown-key", made.name, "the key \"" + shortened(at.key) + "\" is not known"});
  }
  void note(slurm_topology& made, topology::finding what) {
    if (++notes_ <= max_findings) made.findings.push_back(std::move(what));
  }

  const document& file_;
  std::size_t budget_ = max_listed_names;
  std::size_t notes_ = 0;
};

bool names_hosts(const slurm_topology& each) {
  return !each.switches.empty() || !each.blocks.empty() || !each.grids.empty();
}

}  // namespace

void place_grids(placement& into, const slurm_topology& from,
                 const std::function<bool(const std::string&)>& is_wanted) {
  const std::string level(to_string(from.plugin) == "ring" ? "ring" : "torus");
  for (const grid_record& each : from.grids) {
    if (!std::ranges::any_of(each.hosts, is_wanted)) continue;
    const auto above = into.add_switch(1, each.name, topology::identity::network_switch(each.name),
                                       {{topology::attribute::virtual_part, "1"}, {topology::attribute::level, level}});
    for (std::size_t at = 0; at < each.hosts.size(); ++at) {
      if (!is_wanted(each.hosts[at])) continue;
      const auto host = into.host(each.hosts[at]);
      into.join(host, above);
      std::string place = std::to_string(at);
      if (!each.coordinates.empty()) {
        const triple& where = each.coordinates[at];
        place = std::to_string(where[0]) + "," + std::to_string(where[1]) + "," + std::to_string(where[2]);
      }
      into.machine().describe(host, level + "_position", place);
    }
  }
}

std::vector<slurm_topology> parse_slurm_yaml(const document& file) {
  std::vector<slurm_topology> topologies;
  yaml_reader reader(file);
  for (const value& each : parse_values(file)) {
    if (!each.is_list()) fail_at(file, each, "a list of topologies is expected");
    for (const value& entry : each.items) {
      if (topologies.size() >= max_topologies)
        fail_at(file, entry, "there are more than " + std::to_string(max_topologies) + " topologies");
      topologies.push_back(reader.read(entry));
    }
  }
  if (topologies.empty()) fail_in(file, {}, "it has no topology");
  return topologies;
}

const slurm_topology& default_topology(const std::vector<slurm_topology>& topologies) {
  auto chosen = std::find_if(topologies.begin(), topologies.end(),
                             [](const slurm_topology& each) { return each.is_cluster_default; });
  if (chosen == topologies.end()) chosen = topologies.begin();
  if (!names_hosts(*chosen)) {
    const auto other = std::find_if(topologies.begin(), topologies.end(), names_hosts);
    if (other != topologies.end()) chosen = other;
  }
  return *chosen;
}

void place_slurm_yaml(placement& into, const std::vector<slurm_topology>& topologies) {
  const slurm_topology& chosen = default_topology(topologies);
  for (const topology::finding& each : chosen.findings) into.note(each.level, each.code, each.subject, each.message);
  if (topologies.size() > 1)
    into.note(severity::info, "other-topologies", chosen.name,
              "is taken of the " + std::to_string(topologies.size()) + " topologies of the file, as the " +
                  std::string(to_string(chosen.plugin)) +
                  (chosen.is_cluster_default ? " that is the cluster's default" : " that describes hosts first"));
  if (!names_hosts(chosen))
    return into.note(severity::info, "flat-topology", chosen.name,
                     "Slurm takes the network as flat: no host and no switch is named");
  place_slurm(into, chosen.switches, chosen.blocks, chosen.block_sizes);
  place_grids(into, chosen, [](const std::string&) { return true; });
  into.machine().tell(topology::aspect::hosts);
  if (chosen.plugin == slurm_plugin::tree) into.machine().tell(topology::aspect::switches);
}

}  // namespace hawser::discovery
