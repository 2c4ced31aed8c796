// From points and connections to the topology graph.
#ifdef HAWSER_HAS_XML

#include "simgrid_network.hpp"

#include <algorithm>
#include <deque>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../generated_parts.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

// Memory: a point of the graph takes about twice what a connection takes; this is well below 1 GiB together.
constexpr std::size_t point_weight = 2, max_weight = generated_parts(5 << 19);

topology::node_kind kind_of(const point& part) {
  if (part.is_host) return topology::node_kind::host;
  if (part.tier <= 1) return topology::node_kind::leaf_switch;
  return part.tier == 2 ? topology::node_kind::spine_switch : topology::node_kind::core_switch;
}

}  // namespace

void network::charge(std::size_t weight, std::size_t offset) {
  weight_ += weight;
  if (weight_ > max_weight)
    fail_at_offset(file_, offset, "the platform is too large",
                   "more than " + std::to_string(max_weight / (point_weight + 1)) + " hosts, switches and links");
}

point_index network::add(point part, std::size_t offset) {
  charge(point_weight, offset);
  if (!by_name_.emplace(part.name, points_.size()).second)
    fail_at_offset(file_, offset, "there are two hosts or routers with the name \"" + shortened(part.name) + "\"");
  points_.push_back(std::move(part));
  return points_.size() - 1;
}

point_index network::add_stand_in(std::string name, int tier, int zone, std::size_t offset) {
  while (by_name_.contains(name)) name += '+';
  return add({.name = std::move(name), .is_stand_in = true, .tier = tier, .zone = zone}, offset);
}

void network::connect(connection between, std::size_t offset) {
  charge(1, offset);
  if (between.a != between.b) connections_.push_back(between);
}

std::optional<point_index> network::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<point_index> network::find_end(const std::string& name, std::size_t offset) {
  if (const auto known = find(name)) return known;
  const auto offered = offered_.find(name);
  if (offered == offered_.end()) return std::nullopt;
  const std::vector<point_index>& top = offered->second;
  point_index router = top[0];
  if (top.size() > 1 || points_[router].is_host) {
    router = add({.name = name, .is_stand_in = true, .zone = points_[top[0]].zone}, offset);
    for (const point_index each : top) connect({each, router}, offset);
  } else {
    by_name_.emplace(name, router);
  }
  return router;
}

// A switch whose tier is not known is as far up as it is away from the nearest host or known switch.
void network::rank_switches() {
  std::vector<std::vector<point_index>> next(points_.size());
  for (const connection& each : connections_) {
    next[each.a].push_back(each.b);
    next[each.b].push_back(each.a);
  }
  std::deque<point_index> open;
  std::vector<bool> is_ranked(points_.size());
  const auto start = [&](bool are_hosts) {
    for (point_index each = 0; each < points_.size(); ++each)
      if (points_[each].is_host == are_hosts && (are_hosts || points_[each].tier > 0) && !is_ranked[each])
        is_ranked[each] = true, open.push_back(each);
    for (; !open.empty(); open.pop_front())
      for (const point_index other : next[open.front()]) {
        if (is_ranked[other] || points_[other].tier > 0) continue;
        points_[other].tier = std::min(points_[open.front()].tier + 1, topology::max_switch_tier);
        is_ranked[other] = true, open.push_back(other);
      }
  };
  start(true);
  start(false);  // above the switches of fat trees and the like
}

// A link of the file between two switches of one tier would make them one unit of the hierarchy.
void network::part_peers() {
  const std::size_t before = connections_.size();
  for (std::size_t each = 0; each < before; ++each) {
    connection half = connections_[each];
    const point &a = points_[half.a], &b = points_[half.b];
    if (!half.link || a.is_host || b.is_host || a.tier != b.tier) continue;
    if (half.latency) half.latency = *half.latency / 2;
    const point_index middle = add_stand_in(half.link->id, std::min(a.tier + 1, topology::max_switch_tier),
                                            half.link->zone, half.link->offset);
    note(topology::severity::info, "link-as-switch", half.link->id,
         "it joins two switches of one tier; a switch in its middle keeps them apart in the hierarchy");
    connections_[each] = {half.a, middle, half.rate, half.latency, half.link};
    connect({middle, half.b, half.rate, half.latency, half.link}, half.link->offset);
  }
}

topology::graph network::to_graph() {
  rank_switches();
  part_peers();
  topology::graph built;
  bool has_stand_ins = false;
  for (point& each : points_) {
    topology::node part{kind_of(each), each.name, {}, std::move(each.attributes), each.tier >= 3 ? each.tier : 0};
    part.identities = {each.is_host ? topology::identity::host(each.name)
                                    : topology::identity::network_switch(each.name)};
    if (each.is_stand_in) part.attributes.emplace(topology::attribute::virtual_part, "1");
    has_stand_ins = has_stand_ins || each.is_stand_in;
    built.add_node(std::move(part));
  }
  for (const connection& each : connections_) {
    topology::edge link{
        each.a, each.b, topology::edge_kind::ethernet, each.rate, each.latency, topology::provenance::file, {}};
    if (each.link) link.attributes = {{"link", each.link->id}, {"sharing", std::string(to_string(each.link->policy))}};
    built.add_edge(std::move(link));
  }
  for (topology::finding& each : findings_) built.note(std::move(each));
  built.tell(topology::aspect::hosts);
  if (has_stand_ins) return built;
  built.tell(topology::aspect::switches);
  built.tell(topology::aspect::links);
  return built;
}

}  // namespace hawser::discovery::simgrid_format

#endif
