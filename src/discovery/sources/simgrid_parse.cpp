// Reads SimGrid's platform XML (https://simgrid.org/simgrid.dtd, versions 3 to 4.1) into plain values.
#ifdef HAWSER_HAS_XML

#include "simgrid_parse.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "../xml.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

// What a platform may hold that says nothing about its topology.
constexpr std::string_view without_topology[] = {"prop",         "trace",      "trace_connect", "config",  "random",
                                                 "storage_type", "storage",    "mount",         "process", "actor",
                                                 "disk",         "model_prop", "argument"};

class reader {
 public:
  explicit reader(const document& file) : file_(file) {}

  platform run() {
    parse_xml(file_, xml_);
    const pugi::xml_node root = xml_.document_element();
    if (std::string_view(root.name()) != "platform")
      fail_at(file_, root, "the root element of a SimGrid platform is \"platform\"");
    check_version(root);
    read_children(root, no_zone);
    return std::move(read_);
  }

 private:
  void check_version(const pugi::xml_node& root) const {
    const std::string_view text = trimmed(text_of(root, "version"));
    const auto version = to_number(text);
    if (!version) fail_at(file_, root, "it has no version", "SimGrid's present one is version=\"4.1\"");
    if (*version < 3 || *version >= 5)
      fail_at(file_, root, "version \"" + shortened(text) + "\" of the format is not known: units differ",
              "update the file with simgrid_update_xml to version 4.1");
  }

  void read_children(const pugi::xml_node& parent, int zone) {
    for (const pugi::xml_node& each : parent.children())
      if (each.type() == pugi::node_element) read_element(each, zone);
  }

  void read_element(const pugi::xml_node& each, int zone) {
    const std::string_view name = each.name();
    if (name == "zone" || name == "AS") return read_zone(each, zone);
    if (name == "cluster" || name == "cabinet") return read_cluster(each, zone);
    if (name == "host" || name == "router" || name == "peer") return read_place(each, zone);
    if (name == "link" || name == "backbone") return read_cable(each, zone);
    if (name == "route" || name == "zoneRoute" || name == "ASroute") return read_route(each, zone);
    if (name == "host_link")
      read_.host_links.push_back({needed(each, "id"), needed(each, "up"), needed(each, "down"), zone, offset_of(each)});
    else if (name.starts_with("bypass"))
      note_once("bypass-route", name, "its routes are exceptions to the others; they are left out");
    else if (name == "include")
      note_once("include-left-out", name, "files that a platform includes are not read");
    else if (std::ranges::find(without_topology, name) == std::end(without_topology))
      note_once("unknown-element", name, "SimGrid has no such element; it is left out");
    else if (name == "prop" && zone != no_zone && text_of(each, "id") == "access_point")
      read_.zones[static_cast<std::size_t>(zone)].access_point = text_of(each, "value");
  }

  void note_once(const char* code, std::string_view element, const char* message) {
    if (noted_.emplace(element).second)
      read_.findings.push_back({topology::severity::warning, code, shortened(element), message});
  }

  void read_zone(const pugi::xml_node& each, int parent) {
    read_.zones.push_back({needed(each, "id"), needed(each, "routing"), parent, {}, offset_of(each)});
    read_children(each, static_cast<int>(read_.zones.size()) - 1);
  }

  void read_place(const pugi::xml_node& each, int zone) {
    place read{needed(each, "id"),
               zone,
               std::string_view(each.name()) == "router",
               !trimmed(text_of(each, "coordinates")).empty(),
               {},
               offset_of(each)};
    if (std::string_view(each.name()) == "peer") {
      const auto in = rate_of(each, "bw_in"), out = rate_of(each, "bw_out");
      if (in && out) read.peer_rate = std::min(*in, *out);
    }
    read_.places.push_back(std::move(read));
  }

  void read_cable(const pugi::xml_node& each, int zone) {
    cable read{needed(each, "id"),
               rate_of(each, "bandwidth"),
               {},
               policy_of(each, "sharing_policy", sharing::shared),
               zone,
               std::string_view(each.name()) == "backbone",
               offset_of(each)};
    if (each.attribute("latency")) read.latency = time_of(each, "latency");
    read_.cables.push_back(std::move(read));
  }

  void read_route(const pugi::xml_node& each, int zone) {
    route read;
    read.is_zone_route = std::string_view(each.name()) != "route";
    read.from = needed(each, "src"), read.to = needed(each, "dst");
    if (read.is_zone_route) read.from_gateway = needed(each, "gw_src"), read.to_gateway = needed(each, "gw_dst");
    const std::string_view symmetrical = text_of(each, "symmetrical");
    read.is_symmetrical = symmetrical.empty() || symmetrical == "YES" || symmetrical == "yes";
    if (!read.is_symmetrical && symmetrical != "NO" && symmetrical != "no")
      fail_at(file_, each, "symmetrical is \"" + shortened(symmetrical) + "\", not YES or NO");
    for (const pugi::xml_node& link : each.children())
      if (std::string_view(link.name()) == "link_ctn" || std::string_view(link.name()) == "link:ctn")
        read.links.push_back(needed(link, "id"));
    if (read.links.empty()) fail_at(file_, each, "the route has no link (link_ctn)");
    read.zone = zone, read.offset = offset_of(each);
    read_.routes.push_back(std::move(read));
  }

  void read_cluster(const pugi::xml_node& each, int zone) {
    cluster read;
    read.id = needed(each, "id"), read.prefix = needed(each, "prefix"), read.suffix = needed(each, "suffix");
    read.radicals = radicals_of(each);
    read.rate = rate_of(each, "bw"), read.latency = time_of(each, "lat");
    read.offset = offset_of(each), read.is_cabinet = std::string_view(each.name()) == "cabinet";
    if (read.is_cabinet && zone == no_zone) fail_at(file_, each, "a cabinet belongs into a zone");
    read.self = zone;
    if (!read.is_cabinet) {
      read_cluster_details(each, read);
      read.self = static_cast<int>(read_.zones.size());
      read_.zones.push_back({read.id, "Cluster", zone, {}, read.offset});
    }
    read_.clusters.push_back(std::move(read));
  }

  void read_cluster_details(const pugi::xml_node& each, cluster& read) const {
    if (const std::string_view cores = trimmed(text_of(each, "core")); !cores.empty()) {
      const auto number = to_integer<int>(cores);
      if (!number) fail_at(file_, each, "core is \"" + shortened(cores) + "\", not a number");
      read.cores = *number;
    }
    read.policy = policy_of(each, "sharing_policy", sharing::split_duplex);
    read.backbone_is_shared = policy_of(each, "bb_sharing_policy", sharing::shared) != sharing::fatpipe;
    if (has_text(each, "bb_bw")) read.backbone = rate_of(each, "bb_bw");
    if (has_text(each, "bb_lat")) read.backbone_latency = time_of(each, "bb_lat");
    if (has_text(each, "limiter_link")) read.limiter = rate_of(each, "limiter_link");
    read.router = text_of(each, "router_id");
    if (read.router.empty()) read.router = read.prefix + read.id + "_router" + read.suffix;
    const std::string_view form = text_of(each, "topology");
    if (form == "FAT_TREE")
      read.form = shape::fat_tree;
    else if (form == "DRAGONFLY")
      read.form = shape::dragonfly;
    else if (form == "TORUS")
      read.form = shape::torus;
    else if (!form.empty() && form != "FLAT")
      fail_at(file_, each, "the topology \"" + shortened(form) + "\" is not known",
              "SimGrid has FLAT, FAT_TREE, DRAGONFLY and TORUS");
    if (read.form != shape::flat) read.parameters = parameters_of(each);
  }

  // "3,4;4,3;5,1;2"
  std::vector<std::vector<int>> parameters_of(const pugi::xml_node& each) const {
    std::vector<std::vector<int>> all;
    const std::string_view text = text_of(each, "topo_parameters");
    for (const std::string_view group : split(text, ';')) {
      all.emplace_back();
      for (const std::string_view item : split(group, ',')) {
        const auto number = to_integer<int>(trimmed(item));
        if (!number || *number < 1)
          fail_at(file_, each, "topo_parameters \"" + shortened(text) + "\" must be numbers from 1 on");
        all.back().push_back(*number);
      }
    }
    return all;
  }

  // "0-29,58,60"
  std::vector<int> radicals_of(const pugi::xml_node& each) {
    const std::string text = needed(each, "radical");
    std::vector<int> all;
    for (const std::string_view group : split(text, ',')) {
      const std::size_t dash = group.find('-');
      const auto first = to_integer<int>(trimmed(group.substr(0, dash)));
      const auto last = dash == std::string_view::npos ? first : to_integer<int>(trimmed(group.substr(dash + 1)));
      if (!first || !last || *first < 0 || *last < *first)
        fail_at(file_, each, "radical \"" + shortened(text) + "\" has the malformed group \"" + shortened(group) + "\"",
                "write it like 0-29,58");
      const auto hosts = static_cast<std::size_t>(*last) - static_cast<std::size_t>(*first) + 1;
      if (hosts > max_hosts - hosts_)
        fail_at(file_, each, "the clusters have more than " + std::to_string(max_hosts) + " hosts");
      hosts_ += hosts;
      for (std::size_t number = 0; number < hosts; ++number) all.push_back(*first + static_cast<int>(number));
    }
    return all;
  }

  std::string needed(const pugi::xml_node& each, const char* attribute) const {
    if (!each.attribute(attribute)) fail_at(file_, each, "it has no attribute \"" + std::string(attribute) + "\"");
    return each.attribute(attribute).value();
  }
  static bool has_text(const pugi::xml_node& each, const char* attribute) {
    return !trimmed(text_of(each, attribute)).empty();
  }

  // The first of several bandwidths (one per modulation of a wireless link); empty for zero.
  std::optional<bandwidth> rate_of(const pugi::xml_node& each, const char* attribute) const {
    const std::string text = needed(each, attribute);
    const auto rate = parse_rate(std::string_view(text).substr(0, text.find_first_of(",;")));
    if (!rate)
      fail_at(file_, each, std::string(attribute) + " is \"" + shortened(text) + "\", not a bandwidth",
              "write it like 125MBps, 1Gbps or 2.5GiBps");
    return *rate > 0 ? std::optional<bandwidth>(bandwidth{*rate}) : std::nullopt;
  }
  seconds time_of(const pugi::xml_node& each, const char* attribute) const {
    const std::string text = needed(each, attribute);
    const auto time = parse_time(text);
    if (!time)
      fail_at(file_, each, std::string(attribute) + " is \"" + shortened(text) + "\", not a time",
              "write it like 50us or 1.5ms");
    return seconds{*time};
  }
  sharing policy_of(const pugi::xml_node& each, const char* attribute, sharing fallback) const {
    const std::string_view text = text_of(each, attribute);
    if (text.empty()) return fallback;
    if (text == "SHARED") return sharing::shared;
    if (text == "SPLITDUPLEX" || text == "FULLDUPLEX") return sharing::split_duplex;
    if (text == "FATPIPE") return sharing::fatpipe;
    if (text == "WIFI") return sharing::wifi;
    fail_at(file_, each, std::string(attribute) + " is \"" + shortened(text) + "\"",
            "SimGrid has SHARED, SPLITDUPLEX, FATPIPE and WIFI");
  }
  static std::size_t offset_of(const pugi::xml_node& each) {
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, each.offset_debug()));
  }

  const document& file_;
  pugi::xml_document xml_;
  platform read_;
  std::set<std::string, std::less<>> noted_;
  std::size_t hosts_ = 0;
};

}  // namespace

platform parse(const document& file) {
  return reader(file).run();
}

}  // namespace hawser::discovery::simgrid_format

#endif
