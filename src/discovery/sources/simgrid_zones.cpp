// SimGrid's named hosts and routers, and zones in which all hosts meet in one point.
#ifdef HAWSER_HAS_XML

#include <algorithm>

#include "simgrid_network.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

bool has_routing(const zone& each, std::string_view routing) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(each.routing, routing, {}, lower, lower);
}

// The points in which the hosts of zones meet; made where first needed.
class star_builder {
 public:
  star_builder(const platform& from, network& into) : from_(from), into_(into), stars_(from.zones.size()) {
    for (const place& each : from.places)
      if (each.is_router && each.zone != no_zone && stars_[index(each.zone)].router.empty())
        stars_[index(each.zone)].router = each.id;
    for (const cable& each : from.cables) {
      if (each.zone == no_zone) continue;
      if (each.is_backbone) stars_[index(each.zone)].backbone = &each;
      if (each.policy == sharing::wifi) stars_[index(each.zone)].medium = &each;
      cables_.emplace(each.id, &each);
    }
  }

  void run() {
    for (const cluster& each : from_.clusters)
      if (each.is_cabinet) add_cabinet(each);
    for (const host_link& each : from_.host_links) add_host_link(each);
    for (const place& each : from_.places) {
      if (each.has_coordinates || each.peer_rate) add_to_coordinates(each);
      if (each.zone != no_zone && !each.is_router && has_routing(zone_of(each.zone), "Wifi")) add_station(each);
    }
  }

 private:
  struct star {
    std::string router;
    const cable* backbone = nullptr;
    const cable* medium = nullptr;  // of a wireless zone
    std::optional<point_index> middle;
  };

  static std::size_t index(int zone) { return static_cast<std::size_t>(zone); }
  const zone& zone_of(int number) const { return from_.zones[index(number)]; }

  point_index middle_of(int number) {
    star& here = stars_[index(number)];
    if (here.middle) return *here.middle;
    const zone& around = zone_of(number);
    const std::string& name = around.access_point.empty() ? here.router : around.access_point;
    const auto router = into_.find(name);
    const bool is_router = router && !into_.at(*router).is_host;
    here.middle = is_router ? *router : into_.add_stand_in(around.id, 0, number, around.offset);
    if (here.backbone) {
      point& middle = into_.at(*here.middle);
      middle.backbone = here.backbone->rate, middle.backbone_latency = here.backbone->latency / 2;
      if (here.backbone->rate) into_.note_shared_backbone(around.id, *here.backbone->rate);
    }
    return *here.middle;
  }

  void connect(point_index host, int number, std::optional<bandwidth> rate, seconds latency, std::size_t offset) {
    const point_index middle = middle_of(number);
    const std::optional<bandwidth>& most = into_.at(middle).backbone;
    if (most && (!rate || most->bytes_per_second < rate->bytes_per_second)) rate = most;
    into_.connect({host, middle, rate, latency + into_.at(middle).backbone_latency}, offset);
  }

  void add_cabinet(const cluster& each) {
    for (const int number : each.radicals) {
      const point_index host = into_.add({.name = each.prefix + std::to_string(number) + each.suffix,
                                          .is_host = true,
                                          .zone = each.self,
                                          .attributes = {{"cabinet", each.id}}},
                                         each.offset);
      connect(host, each.self, each.rate, each.latency, each.offset);
    }
  }

  void add_host_link(const host_link& each) {
    const auto host = into_.find(each.host);
    const auto up = cables_.find(each.up), down = cables_.find(each.down);
    if (!host || each.zone == no_zone)
      fail_at_offset(into_.file(), each.offset, "host_link names no host: \"" + shortened(each.host) + "\"");
    if (up == cables_.end() || down == cables_.end())
      fail_at_offset(into_.file(), each.offset,
                     "there is no link \"" + shortened(up == cables_.end() ? each.up : each.down) + "\"");
    std::optional<bandwidth> rate = up->second->rate;
    if (rate && down->second->rate) rate = std::min(*rate, *down->second->rate);
    connect(*host, each.zone, rate, std::max(up->second->latency, down->second->latency), each.offset);
  }

  // Coordinates: the nearest zone around it whose routing is "Vivaldi" joins it, at a latency that is not given.
  void add_to_coordinates(const place& each) {
    for (int number = each.zone; number != no_zone; number = zone_of(number).parent) {
      if (!has_routing(zone_of(number), "Vivaldi")) continue;
      into_.connect({*into_.find(each.id), middle_of(number), each.peer_rate}, each.offset);
      return;
    }
  }

  void add_station(const place& each) {
    const cable* const medium = stars_[index(each.zone)].medium;
    into_.connect({*into_.find(each.id), middle_of(each.zone), medium ? medium->rate : std::nullopt,
                   medium ? std::optional(medium->latency) : std::nullopt, medium},
                  each.offset);
  }

  const platform& from_;
  network& into_;
  std::vector<star> stars_;
  std::unordered_map<std::string, const cable*> cables_;
};

}  // namespace

void add_places(const platform& from, network& into) {
  for (const place& each : from.places)
    into.add({.name = each.id, .is_host = !each.is_router, .zone = each.zone}, each.offset);
}

void add_stars(const platform& from, network& into) {
  star_builder(from, into).run();
}

}  // namespace hawser::discovery::simgrid_format

#endif
