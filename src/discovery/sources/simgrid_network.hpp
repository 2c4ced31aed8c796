// A network while it is put together: tiers of switches are only known once all cables are.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "simgrid_parse.hpp"

namespace hawser::discovery::simgrid_format {

using point_index = std::size_t;

/// A host or a switch.
struct point {
  std::string name;
  bool is_host = false;
  bool is_stand_in = false;  // no such switch exists; it stands for links that a tree of switches cannot express
  int tier = 0;              // of a switch; 0: by its distance from the hosts
  int zone = no_zone;
  std::optional<bandwidth> backbone{};  // what all that passes a cluster's router shares
  seconds backbone_latency{};           // what it adds on the way to the rest of the network
  std::map<std::string, std::string> attributes{};
};

struct connection {
  point_index a = 0, b = 0;
  std::optional<bandwidth> rate{};
  std::optional<seconds> latency{};
  const cable* link = nullptr;  // where the file names it
};

class network {
 public:
  explicit network(const document& file) : file_(file) {}

  /// Throws errc::parse where the name is taken or the network becomes too large.
  point_index add(point part, std::size_t offset);
  /// A switch that stands for links, with a name that no other has.
  point_index add_stand_in(std::string name, int tier, int zone, std::size_t offset);
  void connect(connection between, std::size_t offset);

  std::optional<point_index> find(const std::string& name) const;
  /// A router that exists only where a route names it: it joins the top switches of a cluster.
  void offer_router(const std::string& name, std::vector<point_index> top) { offered_.emplace(name, std::move(top)); }
  /// The end of a route: `find`, or a router that was offered.
  std::optional<point_index> find_end(const std::string& name, std::size_t offset);
  point& at(point_index index) { return points_[index]; }
  const point& at(point_index index) const { return points_[index]; }
  std::size_t size() const noexcept { return points_.size(); }
  const std::vector<connection>& connections() const noexcept { return connections_; }
  const document& file() const noexcept { return file_; }
  void note(topology::severity level, std::string code, std::string subject, std::string message) {
    findings_.push_back({level, std::move(code), std::move(subject), std::move(message)});
  }

  void note_shared_backbone(const std::string& subject, bandwidth rate) {
    note(topology::severity::info, "shared-backbone", subject,
         "all traffic of its hosts shares a backbone of " + to_string(rate) + ", which a hierarchy does not express");
  }

  /// Ranks the switches and makes the graph, with all findings.
  topology::graph to_graph();

 private:
  void charge(std::size_t weight, std::size_t offset);
  void rank_switches();
  void part_peers();

  const document& file_;
  std::vector<point> points_;
  std::vector<connection> connections_;
  std::unordered_map<std::string, point_index> by_name_;
  std::unordered_map<std::string, std::vector<point_index>> offered_;
  std::vector<topology::finding> findings_;
  std::size_t weight_ = 0;
};

/// Adds the hosts and routers that the platform names one by one; the first of all.
void add_places(const platform& from, network& into);
/// Adds the hosts, switches and links of all clusters.
void add_clusters(const platform& from, network& into);
/// Links the hosts of zones in which all meet in one point: "Cluster", "Vivaldi" and "Wifi".
void add_stars(const platform& from, network& into);
/// Adds what the routes tell of; the last of all.
void add_routes(const platform& from, network& into);

}  // namespace hawser::discovery::simgrid_format
