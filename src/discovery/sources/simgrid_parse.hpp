// What a SimGrid platform says, as plain values; radicals are expanded, nothing is connected yet.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/units.hpp>
#include <hawser/topology/finding.hpp>

#include "../generated_parts.hpp"
#include "../text.hpp"

namespace hawser::discovery::simgrid_format {

/// Who shares a link: both directions, each direction for itself, or nobody (FATPIPE).
enum class sharing { shared, split_duplex, fatpipe, wifi };
std::string_view to_string(sharing policy) noexcept;

enum class shape { flat, fat_tree, dragonfly, torus };

inline constexpr int no_zone = -1;

/// A zone; a cluster is one too.
struct zone {
  std::string id;
  std::string routing;
  int parent = no_zone;
  std::string access_point{};  // of a wireless zone
  std::size_t offset = 0;      // in the file, for messages
};

/// A cluster, or a cabinet: hosts of a zone whose routing is "Cluster".
struct cluster {
  std::string id, prefix, suffix;
  std::vector<int> radicals;
  int cores = 1;
  std::optional<bandwidth> rate{};  // empty: zero
  seconds latency{};
  sharing policy = sharing::split_duplex;
  shape form = shape::flat;
  std::vector<std::vector<int>> parameters;  // "2;4,4;1,2;1,2"
  std::optional<bandwidth> backbone{}, limiter{};
  seconds backbone_latency{};
  bool backbone_is_shared = true;
  std::string router;
  bool is_cabinet = false;
  int self = no_zone;  // the zone that the cluster is; of a cabinet the zone that it is in
  std::size_t offset = 0;
};

/// A host, a peer or a router.
struct place {
  std::string id;
  int zone = no_zone;
  bool is_router = false;
  bool has_coordinates = false;
  std::optional<bandwidth> peer_rate{};  // the slower direction of a peer's access
  std::size_t offset = 0;
};

struct cable {
  std::string id;
  std::optional<bandwidth> rate{};
  seconds latency{};
  sharing policy = sharing::shared;
  int zone = no_zone;
  bool is_backbone = false;
  std::size_t offset = 0;
};

/// A host's two links into a zone whose routing is "Cluster".
struct host_link {
  std::string host, up, down;
  int zone = no_zone;
  std::size_t offset = 0;
};

struct route {
  std::string from, to;                  // places, or zones of a zone route
  std::string from_gateway, to_gateway;  // of a zone route
  std::vector<std::string> links;
  bool is_symmetrical = true;
  bool is_zone_route = false;
  int zone = no_zone;
  std::size_t offset = 0;
};

struct platform {
  std::vector<zone> zones;
  std::vector<cluster> clusters;
  std::vector<place> places;
  std::vector<cable> cables;
  std::vector<host_link> host_links;
  std::vector<route> routes;
  std::vector<topology::finding> findings;
};

inline constexpr std::size_t max_hosts = generated_parts(1 << 20);  ///< of all clusters of a file

/// Throws errc::parse with element, line and reason.
platform parse(const document& file);

/// Throws errc::parse that names the line at an offset.
[[noreturn]] void fail_at_offset(const document& file, std::size_t offset, std::string_view reason,
                                 std::string_view suggestion = {});

/// "125MBps", "1.25Gbps", "2e9"; "50us", "1.5ms", "0". Empty where the text is no such quantity or negative.
std::optional<double> parse_rate(std::string_view text);
std::optional<double> parse_time(std::string_view text);

}  // namespace hawser::discovery::simgrid_format
