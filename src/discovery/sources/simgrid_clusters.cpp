// SimGrid's clusters: flat, fat tree, torus and dragonfly.
#ifdef HAWSER_HAS_XML

#include <algorithm>

#include "simgrid_network.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

using topology::severity;

class cluster_builder {
 public:
  cluster_builder(const cluster& from, network& into) : from_(from), into_(into) {
    rate_ = from.rate;
    if (from.limiter && (!rate_ || from.limiter->bytes_per_second < rate_->bytes_per_second)) rate_ = from.limiter;
  }

  void run() {
    switch (from_.form) {
      case shape::flat: return add_flat();
      case shape::fat_tree: return add_fat_tree();
      case shape::torus: return add_torus();
      case shape::dragonfly: return add_dragonfly();
    }
  }

 private:
  point_index add_host(std::size_t number) {
    return into_.add({.name = from_.prefix + std::to_string(from_.radicals[number]) + from_.suffix,
                      .is_host = true,
                      .zone = from_.self},
                     from_.offset);
  }
  std::vector<point_index> add_hosts() {
    std::vector<point_index> hosts;
    for (std::size_t each = 0; each < from_.radicals.size(); ++each) hosts.push_back(add_host(each));
    return hosts;
  }
  void connect(point_index a, point_index b, std::size_t times = 1) {
    for (std::size_t each = 0; each < times; ++each) into_.connect({a, b, rate_, from_.latency}, from_.offset);
  }
  [[noreturn]] void fail_here(const std::string& reason, std::string_view suggestion = {}) const {
    fail_at_offset(into_.file(), from_.offset, "cluster \"" + shortened(from_.id) + "\": " + reason, suggestion);
  }
  void check_hosts(std::size_t wanted) const {
    if (wanted != from_.radicals.size())
      fail_here("topo_parameters ask for " + std::to_string(wanted) + " hosts, radical names " +
                std::to_string(from_.radicals.size()));
  }
  // The product, refused where it is beyond any number of hosts.
  std::size_t times(std::size_t a, int b) const {
    if (a > 2 * max_hosts / static_cast<std::size_t>(b)) fail_here("topo_parameters ask for too large a network");
    return a * static_cast<std::size_t>(b);
  }

  // Half of the backbone's latency at each host, so that paths between two hosts have it once.
  void add_flat() {
    point router{.name = from_.router, .tier = 1, .zone = from_.self};
    seconds latency = from_.latency;
    if (from_.backbone || from_.backbone_latency.count() > 0) {
      router.backbone = from_.backbone;
      router.backbone_latency = from_.backbone_latency / 2;
      latency += from_.backbone_latency / 2;
      if (from_.backbone) router.attributes.emplace("backbone", to_string(*from_.backbone));
    }
    if (from_.backbone && (!rate_ || from_.backbone->bytes_per_second < rate_->bytes_per_second))
      rate_ = from_.backbone;
    if (from_.backbone && from_.backbone_is_shared) into_.note_shared_backbone(from_.id, *from_.backbone);
    const point_index middle = into_.add(std::move(router), from_.offset);
    for (const point_index host : add_hosts()) into_.connect({host, middle, rate_, latency}, from_.offset);
  }

  // Node p of level l has digits: below l of as many values as there are parents, from l on as there are children. Its
  // parents agree in all digits but the l-th (after Zahavi, "D-Mod-K routing", as SimGrid does).
  void add_fat_tree() {
    const auto& numbers = from_.parameters;
    if (numbers.size() != 4 || numbers[0].size() != 1)
      fail_here("topo_parameters of a fat tree are levels;children;parents;links", "write it like 2;4,4;1,2;1,2");
    const auto levels = static_cast<std::size_t>(numbers[0][0]);
    for (std::size_t list = 1; list < 4; ++list)
      if (numbers[list].size() != levels || levels > topology::max_switch_tier)
        fail_here("topo_parameters tell of " + std::to_string(levels) + " levels and list " +
                  std::to_string(numbers[list].size()));
    std::size_t hosts = 1;
    for (const int each : numbers[1]) hosts = times(hosts, each);
    check_hosts(hosts);
    std::vector<point_index> below = add_hosts();
    std::size_t stride = 1;  // the weight of the digit that parents differ in
    for (std::size_t level = 0; level < levels; ++level) {
      const auto children = static_cast<std::size_t>(numbers[1][level]);
      const auto parents = static_cast<std::size_t>(numbers[2][level]);
      std::vector<point_index> above;
      const std::size_t count = times(below.size() / children, numbers[2][level]);
      for (std::size_t each = 0; each < count; ++each)
        above.push_back(add_switch(static_cast<int>(level) + 1, each, false));
      for (std::size_t each = 0; each < below.size(); ++each) {
        const std::size_t low = each % stride, high = each / (stride * children);
        for (std::size_t parent = 0; parent < parents; ++parent)
          connect(below[each], above[low + stride * (parent + parents * high)],
                  static_cast<std::size_t>(numbers[3][level]));
      }
      stride = times(stride, numbers[2][level]);
      below = std::move(above);
    }
    add_router(below);
  }

  point_index add_switch(int tier, std::size_t number, bool is_stand_in) {
    const std::string name = from_.id + "-" + std::to_string(tier) + "-" + std::to_string(number);
    const point_index added = into_.add_stand_in(name, tier, from_.self, from_.offset);
    into_.at(added).is_stand_in = is_stand_in;
    return added;
  }

  // Each dimension's rings are switches of one tier; the rings of the first dimension are the innermost units.
  void add_torus() {
    if (from_.parameters.size() != 1) fail_here("topo_parameters of a torus are its dimensions", "write it like 3,2,2");
    const std::vector<int>& dimensions = from_.parameters[0];
    std::size_t total = 1;
    for (const int each : dimensions) total = times(total, each);
    check_hosts(total);
    const std::vector<point_index> hosts = add_hosts();
    std::vector<point_index> top;
    std::size_t stride = 1;
    int tier = 0;
    for (const int each : dimensions) {
      const auto length = static_cast<std::size_t>(each);
      if (length > 1 && ++tier > topology::max_switch_tier) fail_here("the torus has too many dimensions");
      if (length > 1) top = add_rings(hosts, stride, length, tier);
      stride *= length;
    }
    if (total > 1)
      into_.note(severity::warning, "ring-as-switch", from_.id,
                 "each ring of the torus becomes a switch that its hosts have two links to: the longer ways and the "
                 "narrow cut of a ring are lost");
    if (top.empty()) top = hosts;
    add_router(top);
  }

  std::vector<point_index> add_rings(const std::vector<point_index>& hosts, std::size_t stride, std::size_t length,
                                     int tier) {
    std::vector<point_index> rings;
    for (std::size_t each = 0; each < hosts.size() / length; ++each) rings.push_back(add_switch(tier, each, true));
    for (std::size_t each = 0; each < hosts.size(); ++each)
      connect(hosts[each], rings[each % stride + stride * (each / (stride * length))], 2);
    return rings;
  }

  // "groups,blue;chassis,black;blades,green;hosts": routers all-to-all within a chassis (green), with the same blade of
  // the other chassis of the group (black), and one router per other group (blue).
  void add_dragonfly() {
    const auto& numbers = from_.parameters;
    const bool is_complete = numbers.size() == 4 && numbers[0].size() == 2 && numbers[1].size() == 2 &&
                             numbers[2].size() == 2 && numbers[3].size() == 1;
    if (!is_complete)
      fail_here("topo_parameters of a dragonfly are groups,links;chassis,links;blades,links;hosts",
                "write it like 3,4;4,3;5,1;2");
    const auto number = [&](std::size_t list, std::size_t item) {
      return static_cast<std::size_t>(numbers[list][item]);
    };
    const std::size_t groups = number(0, 0), chassis = number(1, 0), blades = number(2, 0), per_blade = number(3, 0);
    check_hosts(times(times(times(groups, numbers[1][0]), numbers[2][0]), numbers[3][0]));
    const std::vector<point_index> hosts = add_hosts();
    std::vector<point_index> routers;
    const std::size_t per_group = chassis * blades;
    for (std::size_t each = 0; each < groups * per_group; ++each) {
      routers.push_back(add_switch(1, each, false));
      for (std::size_t host = 0; host < per_blade; ++host) connect(hosts[each * per_blade + host], routers.back());
    }
    const auto links = [&](std::size_t peers, std::size_t item) { return times(peers - 1, numbers[item][1]); };
    std::vector<point_index> top = routers;
    if (blades > 1)
      top = add_meshes(routers, 2, links(blades, 2), groups * chassis, [&](std::size_t each) { return each / blades; });
    if (chassis > 1)
      top = add_meshes(routers, 3, links(chassis, 1), groups * blades,
                       [&](std::size_t each) { return each / per_group * blades + each % blades; });
    if (groups > 1) {
      top = {add_switch(4, 0, true)};
      for (std::size_t a = 0; a < groups; ++a)
        for (std::size_t b = 0; b < groups; ++b)
          if (a != b) connect(routers[a * per_group + b % per_group], top[0], number(0, 1));
    }
    if (routers.size() > 1)
      into_.note(severity::warning, "mesh-as-switch", from_.id,
                 "the all-to-all links of a chassis, of a group and between the groups of the dragonfly become one "
                 "switch each: ways over third routers and the limit of a single link are lost");
    add_router(top);
  }

  template <typename Mesh>
  std::vector<point_index> add_meshes(const std::vector<point_index>& routers, int tier, std::size_t links,
                                      std::size_t count, Mesh mesh_of) {
    std::vector<point_index> meshes;
    for (std::size_t each = 0; each < count; ++each) meshes.push_back(add_switch(tier, each, true));
    for (std::size_t each = 0; each < routers.size(); ++each) connect(routers[each], meshes[mesh_of(each)], links);
    return meshes;
  }

  // Such clusters have no router in SimGrid today, but older platforms name one in their routes.
  void add_router(const std::vector<point_index>& top) { into_.offer_router(from_.router, top); }

  const cluster& from_;
  network& into_;
  std::optional<bandwidth> rate_;
};

}  // namespace

void add_clusters(const platform& from, network& into) {
  for (const cluster& each : from.clusters)
    if (!each.is_cabinet) cluster_builder(each, into).run();
}

}  // namespace hawser::discovery::simgrid_format

#endif
