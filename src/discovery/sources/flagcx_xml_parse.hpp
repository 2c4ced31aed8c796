// What FlagCX's own XML says: the net of each GPU (<system><gpu net=...>), or routes between servers.
#pragma once

#include <string>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery::flagcx {

struct gpu_net {
  int dev = 0;
  std::string net;
};

/// A switch on the way from one NIC to another.
struct hop {
  double down = 0;  ///< GB/s of a link towards the servers
  double up = 0;    ///< GB/s of a link upwards
  int up_links = 0;
  int down_links = 0;
  bool is_top = false;
};

struct route {
  std::string from, to;  ///< GUIDs as the file writes them
  std::vector<hop> hops;
};

struct document {
  std::string root;  ///< "system" or "interserver_route"
  std::vector<gpu_net> gpus;
  std::vector<route> routes;
};

inline constexpr int max_links = 1024;             ///< of one switch in one direction
inline constexpr std::size_t max_hops = 64;        ///< of one route
inline constexpr std::size_t max_items = 100'000;  ///< GPUs, or switches of all routes

/// Throws errc::parse.
document parse(const discovery::document& file);

}  // namespace hawser::discovery::flagcx
