// SimGrid's routes. They name links, not what joins links: where they do not follow from single links between points
// that form a tree, one switch stands for them.
#ifdef HAWSER_HAS_XML

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "simgrid_network.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

using topology::severity;

struct resolved {
  const route* from = nullptr;
  point_index a = 0, b = 0;
  std::vector<const cable*> links;
};

// Union-find over the few points that routes name.
class joined_sets {
 public:
  point_index find(point_index each) {
    for (;;) {
      point_index& above = parent_.try_emplace(each, each).first->second;
      if (above == each) return each;
      above = parent_.at(above);
      each = above;
    }
  }
  bool unite(point_index a, point_index b) {
    a = find(a), b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }

 private:
  std::unordered_map<point_index, point_index> parent_;
};

class route_builder {
 public:
  route_builder(const platform& from, network& into) : from_(from), into_(into) {
    for (const cable& each : from.cables) add_cable(each);
    for (const cluster& each : from.clusters) add_backbone(each);
    for (const cable& each : backbones_) add_cable(each);
    for (std::size_t each = 0; each < from.zones.size(); ++each)
      zones_.emplace(from.zones[each].id, static_cast<int>(each));
  }

  void run() {
    check_zones();
    std::map<int, std::vector<resolved>> by_zone;  // inner zones have larger numbers
    for (const route& each : from_.routes) {
      check_declared_once(each);
      resolved found = resolve(each);
      if (found.a != found.b) by_zone[each.zone].push_back(std::move(found));
    }
    for (auto each = by_zone.rbegin(); each != by_zone.rend(); ++each) add_zone(each->first, each->second);
  }

 private:
  void add_cable(const cable& each) {
    if (!cables_.emplace(each.id, &each).second)
      fail_at_offset(into_.file(), each.offset, "there are two links with the name \"" + shortened(each.id) + "\"");
  }
  // Routes may go through "CLUSTER_backbone".
  void add_backbone(const cluster& each) {
    if (each.is_cabinet || !each.backbone) return;
    backbones_.push_back(
        {each.id + "_backbone", each.backbone, each.backbone_latency, sharing::shared, each.self, true, each.offset});
  }

  void check_zones() const {
    if (zones_.size() == from_.zones.size()) return;
    std::set<std::string_view> seen;
    for (const zone& each : from_.zones)
      if (!seen.insert(each.id).second)
        fail_at_offset(into_.file(), each.offset, "there are two zones with the name \"" + shortened(each.id) + "\"");
  }

  [[noreturn]] void fail_here(const route& each, const std::string& reason, std::string_view suggestion = {}) const {
    fail_at_offset(into_.file(), each.offset,
                   "the route from \"" + shortened(each.from) + "\" to \"" + shortened(each.to) + "\" " + reason,
                   suggestion);
  }

  void check_declared_once(const route& each) {
    const auto declare = [&](const std::string& from, const std::string& to) {
      const auto [known, is_new] = declared_.try_emplace({each.zone, from, to}, &each);
      if (is_new || (known->second == &each)) return;
      if (known->second->links == each.links)
        fail_here(each, "is declared twice", "routes are symmetrical unless they say symmetrical=\"NO\"");
      fail_here(each, "contradicts one declared before, which goes over other links: routes are symmetrical",
                "write symmetrical=\"NO\" in both where the ways differ");
    };
    declare(each.from, each.to);
    if (each.is_symmetrical) declare(each.to, each.from);
  }

  resolved resolve(const route& each) {
    resolved found{&each, 0, 0, {}};
    found.a = end_of(each, each.is_zone_route ? each.from_gateway : each.from);
    found.b = end_of(each, each.is_zone_route ? each.to_gateway : each.to);
    if (each.is_zone_route) {
      check_gateway(each, each.from, found.a);
      check_gateway(each, each.to, found.b);
    }
    for (const std::string& name : each.links) found.links.push_back(cable_of(each, name));
    return found;
  }

  point_index end_of(const route& each, const std::string& name) {
    const auto found = into_.find_end(name, each.offset);
    if (!found) fail_here(each, "ends at \"" + shortened(name) + "\", which is no host and no router");
    return *found;
  }

  void check_gateway(const route& each, const std::string& name, point_index gateway) const {
    const auto wanted = zones_.find(name);
    if (wanted == zones_.end()) fail_here(each, "joins \"" + shortened(name) + "\", which is no zone");
    for (int zone = into_.at(gateway).zone; zone != wanted->second;
         zone = from_.zones[static_cast<std::size_t>(zone)].parent)
      if (zone == no_zone)
        fail_here(each, "has the gateway \"" + shortened(into_.at(gateway).name) + "\", which is not in zone \"" +
                            shortened(name) + "\"");
  }

  // A link of two directions is also known by the names of each.
  const cable* cable_of(const route& each, std::string_view name) const {
    auto found = cables_.find(std::string(name));
    for (const std::string_view direction : {"_UP", "_DOWN"})
      if (found == cables_.end() && name.ends_with(direction))
        found = cables_.find(std::string(name.substr(0, name.size() - direction.size())));
    if (found == cables_.end()) fail_here(each, "goes over the link \"" + shortened(name) + "\", which there is not");
    return found->second;
  }

  // What a router lets through its cluster's backbone.
  void connect(point_index a, point_index b, std::optional<bandwidth> rate, seconds latency, const cable* link,
               std::size_t offset) {
    for (const point_index end : {a, b}) {
      const point& part = into_.at(end);
      if (part.backbone && (!rate || *part.backbone < *rate)) rate = part.backbone;
      latency += part.backbone_latency;
    }
    into_.connect({a, b, rate, latency, link}, offset);
  }

  void add_zone(int number, const std::vector<resolved>& routes) {
    if (is_tree(routes))
      add_links(number, routes);
    else
      add_mesh(number, routes);
  }

  // True where the routes of one link join all their ends, and the switches among them without a cycle.
  bool is_tree(const std::vector<resolved>& routes) {
    joined_sets ends, switches;  // those of earlier zones count as one
    std::vector<std::pair<point_index, point_index>> united;
    std::map<const cable*, std::set<std::pair<point_index, point_index>>> pairs;
    for (const resolved& each : routes)
      if (each.links.size() == 1) pairs[each.links[0]].insert(std::minmax(each.a, each.b));
    for (const auto& [link, joins] : pairs) {
      std::set<point_index> members;
      for (const auto& [a, b] : joins) ends.unite(a, b), members.insert(a), members.insert(b);
      std::optional<point_index> first;  // a shared link is a switch of its own, so its switches are joined by it
      for (const point_index each : members) {
        if (into_.at(each).is_host) continue;
        const point_index inner = switches_.find(each);
        if (first && !switches.unite(*first, inner)) return false;
        if (first) united.emplace_back(*first, inner);
        if (!first) first = inner;
      }
    }
    const auto is_joined = [&](const resolved& each) { return ends.find(each.a) == ends.find(each.b); };
    if (!std::ranges::all_of(routes, is_joined)) return false;
    for (const auto& [a, b] : united) switches_.unite(a, b);
    return true;
  }

  void add_links(int number, const std::vector<resolved>& routes) {
    std::map<const cable*, std::set<std::pair<point_index, point_index>>> pairs;
    std::vector<const cable*> order;
    std::size_t left_out = 0;
    for (const resolved& each : routes) {
      if (each.links.size() > 1) ++left_out;
      if (each.links.size() > 1) continue;
      auto& joins = pairs[each.links[0]];
      if (joins.empty()) order.push_back(each.links[0]);
      joins.insert(std::minmax(each.a, each.b));
    }
    for (const cable* link : order) add_link(*link, pairs[link], routes[0].from->offset);
    if (left_out > 0)
      into_.note(severity::info, "route-left-out", name_of(number),
                 std::to_string(left_out) + " routes of several links join what single links join already");
  }

  void add_link(const cable& link, const std::set<std::pair<point_index, point_index>>& joins, std::size_t offset) {
    if (joins.size() == 1)
      return connect(joins.begin()->first, joins.begin()->second, link.rate, link.latency, &link, offset);
    const point_index middle = into_.add_stand_in(link.id, 0, link.zone, offset);
    std::set<point_index> members;
    for (const auto& [a, b] : joins) members.insert(a), members.insert(b);
    for (const point_index each : members) connect(each, middle, link.rate, link.latency / 2, &link, offset);
    if (link.policy != sharing::fatpipe)
      into_.note(severity::info, "shared-link", link.id,
                 std::to_string(members.size()) +
                     " hosts and routers share one link, which becomes a switch: that they "
                     "share its bandwidth is lost");
  }

  // Each end has the bandwidth of its widest route and half the latency of its longest.
  void add_mesh(int number, const std::vector<resolved>& routes) {
    struct figures {
      double rate = 0, latency = 0;
    };
    std::map<point_index, figures> ends;
    for (const resolved& each : routes) {
      double rate = std::numeric_limits<double>::infinity(), latency = 0;
      for (const cable* link : each.links) {
        rate = std::min(rate, link->rate ? link->rate->bytes_per_second : 0);
        latency += link->latency.count();
      }
      for (const point_index end : {each.a, each.b}) {
        ends[end].rate = std::max(ends[end].rate, rate);
        ends[end].latency = std::max(ends[end].latency, latency / 2);
      }
    }
    const std::size_t offset = routes[0].from->offset;
    const point_index middle = into_.add_stand_in(name_of(number) + "-routes", 0, number, offset);
    for (const auto& [end, each] : ends)
      connect(end, middle, each.rate > 0 ? std::optional(bandwidth{each.rate}) : std::nullopt, seconds{each.latency},
              nullptr, offset);
    into_.note(severity::warning, "routes-as-switch", name_of(number),
               std::to_string(routes.size()) + " routes between " + std::to_string(ends.size()) +
                   " hosts and routers are no tree of links; one switch stands for them, each linked to it with the "
                   "bandwidth of its widest route: which links routes share is lost");
  }

  std::string name_of(int zone) const {
    return zone == no_zone ? std::string("platform") : from_.zones[static_cast<std::size_t>(zone)].id;
  }

  const platform& from_;
  network& into_;
  std::vector<cable> backbones_;
  std::unordered_map<std::string, const cable*> cables_;
  std::unordered_map<std::string, int> zones_;
  std::map<std::tuple<int, std::string, std::string>, const route*> declared_;
  joined_sets switches_;
};

}  // namespace

void add_routes(const platform& from, network& into) {
  route_builder(from, into).run();
}

}  // namespace hawser::discovery::simgrid_format

#endif
