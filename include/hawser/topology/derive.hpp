// Derives the hierarchy of a placement from a topology graph: what NVLink, a host and each tier of switches join.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/defaults.hpp>
#include <hawser/topology/graph.hpp>
#include <hawser/topology/hierarchy.hpp>
#include <hawser/topology/hosted.hpp>

namespace hawser::topology {

/// A hierarchy and what was assumed or found uneven on the way; `hosted.hosts` names the host of each position.
struct derived {
  hosted_hierarchy hosted;
  std::vector<finding> findings;
};

namespace detail {

/// Union-find with path halving.
class disjoint_sets {
 public:
  explicit disjoint_sets(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t each) {
    while (parent_[each] != each) each = parent_[each] = parent_[parent_[each]];
    return each;
  }
  bool unite(std::size_t a, std::size_t b) {
    a = find(a), b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }

 private:
  std::vector<std::size_t> parent_;
};

// The stages at which parts join: 0 NVLink, 1 the host, 1 + t the switches of tier t. Level by level, a unit is what is
// connected by the edges of the stages so far.
constexpr int no_stage = -1;
constexpr int rank_stage = -2;  // ranks that share a GPU or a host are units of their own

inline int stage_of(const node& part) {
  if (part.kind == node_kind::gpu || part.kind == node_kind::nvswitch) return 0;
  return 1 + switch_tier(part);
}

inline int stage_of(const graph& topology, const edge& between) {
  const int ends = std::max(stage_of(topology.nodes()[between.a]), stage_of(topology.nodes()[between.b]));
  return between.kind == edge_kind::nvlink || between.kind == edge_kind::xgmi ? ends : std::max(1, ends);
}

/// What leaves a unit at the first stage that leaves it.
struct uplink {
  int stage = std::numeric_limits<int>::max();
  double rate = 0;     // of all edges together
  double latency = 0;  // the largest
  bool has_rate = true;
  bool has_latency = true;
  provenance source = provenance::file;
};

class deriver {
 public:
  deriver(const graph& topology, const std::vector<node_index>& node_of_rank)
      : graph_(topology), places_(node_of_rank), sets_(topology.nodes().size()) {}

  derived run() {
    check_placement();
    check_switch_tree();
    sort_edges();
    join();
    return build();
  }

 private:
  /// Units of one candidate level: per rank the unit (a representative node), per unit its uplink.
  struct partition {
    int first_stage = no_stage;  // the stage that made these units
    int stage = no_stage;        // the last stage that left them as they are
    std::vector<std::size_t> unit_of_rank;
    std::unordered_map<std::size_t, uplink> up;
  };

  const node& part(node_index index) const { return graph_.nodes()[index]; }

  void check_placement() const {
    if (places_.empty())
      fail(errc::invalid_argument, "a hierarchy needs at least one rank", "no GPU and no host is given");
    for (std::size_t r = 0; r < places_.size(); ++r) {
      const std::string who = "rank " + std::to_string(r);
      if (places_[r] >= graph_.nodes().size())
        fail(errc::invalid_argument, who + " is not on a GPU or a host",
             "there is no node " + std::to_string(places_[r]));
      const node_kind kind = part(places_[r]).kind;
      if (kind != node_kind::gpu && kind != node_kind::host)
        fail(errc::invalid_argument, who + " is not on a GPU or a host",
             "\"" + part(places_[r]).name + "\" is a " + std::string(to_string(kind)));
      if (kind != part(places_[0]).kind)
        fail(errc::invalid_argument, who + " is on a " + std::string(to_string(kind)) + ", rank 0 is not",
             "\"" + part(places_[r]).name + "\"", "place all ranks on GPUs, or all on hosts");
    }
  }

  // Switches of one tier may be linked to each other (a pair that shares its ports), but not in a ring or a mesh.
  void check_switch_tree() const {
    disjoint_sets peers(graph_.nodes().size());
    std::set<std::pair<node_index, node_index>> seen;
    for (const edge& each : graph_.edges()) {
      const int tier = switch_tier(part(each.a));
      if (tier == 0 || tier != switch_tier(part(each.b))) continue;
      if (!seen.insert(std::minmax(each.a, each.b)).second) continue;  // parallel cables
      if (!peers.unite(each.a, each.b))
        fail(errc::unsupported, "the switches of tier " + std::to_string(tier) + " form a cycle",
             "through the link between \"" + part(each.a).name + "\" and \"" + part(each.b).name + "\"",
             "a hierarchy needs a tree or a fat tree; give the hierarchy itself instead of the graph");
    }
  }

  void sort_edges() {
    for (edge_index each = 0; each < graph_.edges().size(); ++each)
      by_stage_.emplace_back(stage_of(graph_, graph_.edges()[each]), each);
    std::sort(by_stage_.begin(), by_stage_.end());
  }

  void join() {
    record_ranks();
    record(no_stage, 0);
    for (std::size_t next = 0; next < by_stage_.size() && !is_one();) {
      const int stage = by_stage_[next].first;
      for (; next < by_stage_.size() && by_stage_[next].first == stage; ++next) {
        const edge& each = graph_.edges()[by_stage_[next].second];
        sets_.unite(each.a, each.b);
      }
      record(stage, next);
    }
    if (is_one()) return;
    const std::vector<std::size_t>& units = partitions_.back().unit_of_rank;
    const auto other = std::find_if(units.begin(), units.end(), [&](std::size_t unit) { return unit != units[0]; });
    const auto r = static_cast<std::size_t>(other - units.begin());
    fail(errc::invalid_argument, "the topology is disconnected",
         "no path joins \"" + part(places_[0]).name + "\" (rank 0) and \"" + part(places_[r]).name + "\" (rank " +
             std::to_string(r) + ")",
         "add the links between them, or the switch above them");
  }

  bool is_one() const {
    const std::vector<std::size_t>& units = partitions_.back().unit_of_rank;
    return std::all_of(units.begin(), units.end(), [&](std::size_t unit) { return unit == units[0]; });
  }

  // Every rank a unit; the partition by GPU or host takes its place where they are the same.
  void record_ranks() {
    partition now;
    now.first_stage = now.stage = rank_stage;
    for (std::size_t r = 0; r < places_.size(); ++r) now.unit_of_rank.push_back(graph_.nodes().size() + r);
    for (std::size_t unit : now.unit_of_rank) now.up.try_emplace(unit);
    partitions_.push_back(std::move(now));
  }

  // Notes which unit each rank is in after a stage; one equal to the partition before takes its place.
  void record(int stage, std::size_t edges_done) {
    partition now;
    now.first_stage = now.stage = stage;
    for (node_index gpu : places_) now.unit_of_rank.push_back(sets_.find(gpu));
    for (std::size_t unit : now.unit_of_rank) now.up.try_emplace(unit);
    for (std::size_t next = edges_done; next < by_stage_.size(); ++next) {
      const edge& each = graph_.edges()[by_stage_[next].second];
      const std::size_t a = sets_.find(each.a), b = sets_.find(each.b);
      if (a == b || each.kind == edge_kind::contains) continue;
      add_link(now.up, a, by_stage_[next].first, each);
      add_link(now.up, b, by_stage_[next].first, each);
    }
    if (!partitions_.empty() && partitions_.back().up.size() == now.up.size()) {
      if (partitions_.back().first_stage != rank_stage) now.first_stage = partitions_.back().first_stage;
      partitions_.pop_back();
    }
    partitions_.push_back(std::move(now));
  }

  static void add_link(std::unordered_map<std::size_t, uplink>& ups, std::size_t unit, int stage, const edge& between) {
    const auto found = ups.find(unit);
    if (found == ups.end()) return;  // holds no rank
    uplink& up = found->second;
    if (stage > up.stage) return;
    up.stage = stage;  // edges come by stage: the first sets it
    up.has_rate = up.has_rate && between.rate;
    up.has_latency = up.has_latency && between.latency;
    if (between.rate) up.rate += between.rate->bytes_per_second;
    if (between.latency) up.latency = std::max(up.latency, between.latency->count());
    up.source = std::min(up.source, between.source);
  }

  derived build() {
    const std::size_t levels = partitions_.size() == 1 ? 1 : partitions_.size() - 1;  // the last one is the root
    const std::vector<std::int32_t> order = ranks_by_unit(levels);
    std::vector<level> built(levels);
    for (std::size_t depth = 0; depth < levels; ++depth) {
      const partition& units = partitions_[levels - 1 - depth];
      const partition* above = depth == 0 ? nullptr : &partitions_[levels - depth];
      built[depth].units = group(units, above, order);
      built[depth].name = name_of(units.stage, built);
      built[depth].up = link_of(units, built[depth].name);
      built[depth].reduces_in_network = joined_by_reducing_switches(units.stage, depth, levels);
    }
    std::vector<rank> rank_at(order.begin(), order.end());
    derived result{{hierarchy(std::move(built), std::move(rank_at))}, std::move(findings_)};
    name_hosts(result.hosted, order);
    return result;
  }

  // Ranks so that the members of each unit are together, units ordered by their lowest rank.
  std::vector<std::int32_t> ranks_by_unit(std::size_t levels) const {
    std::vector<std::vector<std::size_t>> keys(places_.size());
    for (std::size_t depth = levels; depth-- > 0;) {
      const std::vector<std::size_t>& units = partitions_[depth].unit_of_rank;
      std::unordered_map<std::size_t, std::size_t> lowest;
      for (std::size_t r = 0; r < units.size(); ++r) keys[r].push_back(lowest.try_emplace(units[r], r).first->second);
    }
    std::vector<std::int32_t> order(places_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
    });
    return order;
  }

  static child_counts group(const partition& units, const partition* above, const std::vector<std::int32_t>& order) {
    std::vector<std::int64_t> sizes;
    std::optional<std::size_t> last_unit, last_parent;
    for (std::int32_t each : order) {
      const auto r = static_cast<std::size_t>(each);
      const std::size_t parent = above ? above->unit_of_rank[r] : 0;
      if (last_parent != parent) sizes.push_back(0);
      if (last_unit != units.unit_of_rank[r]) ++sizes.back();
      last_unit = units.unit_of_rank[r];
      last_parent = parent;
    }
    return child_counts::listed(std::move(sizes));
  }

  // The name that the parts themselves give (attribute "level"), else that of the stage.
  std::string name_of(int stage, const std::vector<level>& taken) const {
    std::string name = given_name(stage).value_or(stage_name(stage));
    const auto is_taken = [&](const level& each) { return each.name == name; };
    if (std::any_of(taken.begin(), taken.end(), is_taken)) name += "_" + std::to_string(stage);
    return name;
  }
  std::optional<std::string> given_name(int stage) const {
    if (stage == rank_stage) return std::nullopt;
    const bool wants_places = stage == partitions_.front().stage || stage == no_stage;
    const node_kind place = part(places_.front()).kind;
    std::set<std::string> names;
    for (const node& each : graph_.nodes()) {
      const bool is_place = each.kind == place;
      // Where ranks are hosts, an NVSwitch joins them as a host joins GPUs.
      const int joins_at = each.kind == node_kind::nvswitch && place == node_kind::host ? 1 : stage_of(each);
      if (is_place != wants_places || (!is_place && joins_at != stage)) continue;
      const auto found = each.attributes.find("level");
      if (found != each.attributes.end()) names.insert(found->second);
    }
    if (names.size() != 1) return std::nullopt;
    return *names.begin();
  }
  std::string stage_name(int stage) const {
    if (stage == rank_stage) return "rank";
    if (stage == partitions_.front().stage || stage == no_stage)
      return std::string(part(places_.front()).kind == node_kind::host ? host_level_name : "gpu");
    if (stage == 0 || (stage == 1 && spans_hosts())) return "nvlink_domain";
    if (stage <= 1) return "node";
    return stage == 2 ? "rack" : stage == 3 ? "pod" : stage == 4 ? "cluster" : "cluster" + std::to_string(stage - 3);
  }
  std::optional<node_index> host_of_place(node_index place) const {
    return part(place).kind == node_kind::host ? place : graph_.host_of(place);
  }
  // True where NVLink joins GPUs of different hosts.
  bool spans_hosts() const {
    for (const partition& each : partitions_) {
      if (each.stage != 1) continue;
      std::unordered_map<std::size_t, node_index> host_of_unit;
      for (std::size_t r = 0; r < places_.size(); ++r) {
        const auto host = host_of_place(places_[r]);
        if (host && host_of_unit.try_emplace(each.unit_of_rank[r], *host).first->second != *host) return true;
      }
    }
    return false;
  }

  link link_of(const partition& units, const std::string& name) {
    link up = default_link(name);
    if (units.up.size() == 1 && places_.size() == 1) return up;  // one rank sends nothing
    std::optional<uplink> slowest;
    bool has_unknown = false, is_uneven = false;
    for (const auto& [unit, each] : units.up) {
      has_unknown = has_unknown || !each.has_rate || !each.has_latency || each.rate <= 0;
      if (!each.has_rate || each.rate <= 0) continue;
      is_uneven = is_uneven || (slowest && (slowest->rate != each.rate || slowest->latency != each.latency));
      if (!slowest) slowest = each;
      slowest->has_latency = slowest->has_latency && each.has_latency;
      slowest->rate = std::min(slowest->rate, each.rate);
      slowest->latency = std::max(slowest->latency, each.latency);
      slowest->source = std::min(slowest->source, each.source);
    }
    if (has_unknown)
      findings_.push_back({severity::info, "unknown-figures", name,
                           slowest ? "some figures of the links are unknown; known or built-in ones take their place"
                                   : "the links are unknown; the built-in figures are assumed"});
    if (is_uneven)
      findings_.push_back(
          {severity::warning, "uneven-links", name, "the links of the units differ; the slowest is taken for all"});
    if (!slowest) return up;
    up.rate = bandwidth{slowest->rate};
    up.source = has_unknown ? provenance::assumed : slowest->source;
    if (slowest->has_latency) up.latency = seconds{slowest->latency};
    return up;
  }

  bool joined_by_reducing_switches(int stage, std::size_t depth, std::size_t levels) const {
    const int joined_at = partitions_.size() == 1 ? stage : partitions_[levels - depth].first_stage;
    bool has_switch = false;
    for (const node& each : graph_.nodes()) {
      const bool is_switch =
          each.kind == node_kind::nvswitch || each.kind == node_kind::pci_switch || switch_tier(each) > 0;
      if (!is_switch || stage_of(each) <= stage || stage_of(each) > joined_at) continue;
      has_switch = true;
      if (!each.can_reduce) return false;
    }
    return has_switch;
  }

  void name_hosts(hosted_hierarchy& hosted, const std::vector<std::int32_t>& order) const {
    std::vector<std::string> hosts;
    for (std::int32_t r : order) {
      const auto host = host_of_place(places_[static_cast<std::size_t>(r)]);
      if (!host) return;
      hosts.push_back(part(*host).name);
    }
    hosted.hosts = std::move(hosts);
    hosted.host_level = hosted.tree.depth() - 1;
  }

  const graph& graph_;
  const std::vector<node_index>& places_;
  disjoint_sets sets_;
  std::vector<std::pair<int, edge_index>> by_stage_;
  std::vector<partition> partitions_;  // innermost first, each coarser than the one before
  std::vector<finding> findings_;
};

}  // namespace detail

/// The hierarchy of ranks on GPUs, or on hosts where no GPUs are to be used; `node_of_rank[r]` is the node of rank r.
/// Ranks that share a GPU or a host are units of a level "rank". Units are what NVLink joins, then what a host holds,
/// then what each tier of switches joins; a stage that joins nothing new is no level. A unit's link has the bandwidth
/// of all edges that leave the unit together, of the slowest unit where they differ, and the largest latency. Throws
/// errc::invalid_argument where a rank is on neither, some are on GPUs and some on hosts, or the topology is
/// disconnected; errc::unsupported where switches of one tier form a cycle.
inline derived derive(const graph& topology, const std::vector<node_index>& node_of_rank) {
  return detail::deriver(topology, node_of_rank).run();
}

/// The same for one rank per GPU, or per host where the topology has no GPU, in the order of the graph.
inline derived derive(const graph& topology) {
  std::vector<node_index> gpus, hosts;
  for (node_index each = 0; each < topology.nodes().size(); ++each) {
    if (topology.nodes()[each].kind == node_kind::gpu) gpus.push_back(each);
    if (topology.nodes()[each].kind == node_kind::host) hosts.push_back(each);
  }
  return derive(topology, gpus.empty() ? hosts : gpus);
}

}  // namespace hawser::topology
