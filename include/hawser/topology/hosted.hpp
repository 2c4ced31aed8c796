// A hierarchy whose positions belong to named hosts, and the placement of ranks on it by host name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/defaults.hpp>
#include <hawser/topology/hierarchy.hpp>
#include <hawser/topology/select.hpp>

namespace hawser::topology {

/// The name of the innermost level where positions are whole hosts, which hold any number of ranks.
inline constexpr std::string_view host_level_name = "node";

/// A hierarchy and the host of each unit of one of its levels. `hosts` is empty where no names are known, else it has
/// one name per unit of level `host_level`; a host that holds several units is named for each of them.
struct hosted_hierarchy {
  hierarchy tree;
  std::vector<std::string> hosts{};
  int host_level = -1;  ///< depth index of the level; -1 where no names are known
  friend bool operator==(const hosted_hierarchy&, const hosted_hierarchy&) = default;
};

/// Throws errc::invalid_argument where the names do not fit the hierarchy.
inline void check_hosts(const hosted_hierarchy& hosted) {
  if (hosted.hosts.empty() && hosted.host_level == -1) return;
  if (hosted.host_level < 0 || hosted.host_level >= hosted.tree.depth())
    fail(errc::invalid_argument, "the level of the hosts, " + std::to_string(hosted.host_level) + ", does not exist",
         "the hierarchy has " + std::to_string(hosted.tree.depth()) + " levels");
  const std::int64_t units = hosted.tree.at(hosted.host_level).units.total();
  if (static_cast<std::int64_t>(hosted.hosts.size()) != units)
    fail(errc::invalid_argument, "there are " + std::to_string(hosted.hosts.size()) + " host names",
         "level \"" + hosted.tree.at(hosted.host_level).name + "\" has " + std::to_string(units) + " units");
}

namespace detail {

/// Ranks on whole hosts: the hosts that have any, and a level "rank" below them where one has several.
inline hierarchy place_on_whole_hosts(const hosted_hierarchy& hosted, const std::vector<std::string>& host_of_rank) {
  std::unordered_map<std::string, std::int64_t> position_of;
  for (std::size_t unit = 0; unit < hosted.hosts.size(); ++unit)
    position_of.emplace(hosted.hosts[unit], static_cast<std::int64_t>(unit));
  std::map<std::int64_t, std::vector<rank>> ranks_at;
  for (std::size_t r = 0; r < host_of_rank.size(); ++r) {
    const auto found = position_of.find(host_of_rank[r]);
    if (found == position_of.end())
      fail(errc::not_found, "rank " + std::to_string(r) + " is on host \"" + host_of_rank[r] + "\"",
           "the topology has no such host", "add the host to the topology");
    ranks_at[found->second].emplace_back(static_cast<int>(r));
  }
  std::vector<std::int64_t> positions, sizes;
  std::vector<rank> rank_at;
  for (const auto& [position, ranks] : ranks_at) {
    positions.push_back(position);
    sizes.push_back(static_cast<std::int64_t>(ranks.size()));
    rank_at.insert(rank_at.end(), ranks.begin(), ranks.end());
  }
  std::vector<level> levels = select_positions(hosted.tree, positions).levels();
  if (rank_at.size() > positions.size())
    levels.push_back({"rank", child_counts::listed(std::move(sizes)), default_link("rank")});
  return hierarchy(std::move(levels), std::move(rank_at));
}

}  // namespace detail

/// Puts rank r on the first free position of `host_of_rank[r]`, in the order of ranks; positions that stay empty are
/// removed, so the result may be smaller and ragged. Where positions are whole hosts (`host_level_name`), a host takes
/// any number of ranks. The ranks that `hosted.tree` itself places do not matter.
/// Throws errc::invalid_argument where no host names are known or no ranks given, errc::not_found for an unknown host,
/// errc::resource where a host has fewer positions than ranks; both name host and rank.
inline hierarchy place_by_host(const hosted_hierarchy& hosted, const std::vector<std::string>& host_of_rank) {
  check_hosts(hosted);
  if (hosted.hosts.empty())
    fail(errc::invalid_argument, "ranks cannot be placed by host", "the topology names no hosts",
         "use a topology file with \"hosts\"");
  if (hosted.host_level == hosted.tree.depth() - 1 && hosted.tree.levels().back().name == host_level_name)
    return detail::place_on_whole_hosts(hosted, host_of_rank);
  struct positions {
    std::vector<std::int64_t> all;
    std::size_t used = 0;
  };
  std::unordered_map<std::string, positions> of_host;
  for (std::int64_t unit = 0; unit < static_cast<std::int64_t>(hosted.hosts.size()); ++unit) {
    std::vector<std::int64_t>& all = of_host[hosted.hosts[static_cast<std::size_t>(unit)]].all;
    const std::int64_t end = hosted.tree.first_position(unit + 1, hosted.host_level);
    for (std::int64_t p = hosted.tree.first_position(unit, hosted.host_level); p < end; ++p) all.push_back(p);
  }
  std::vector<std::int64_t> position_of_rank;
  position_of_rank.reserve(host_of_rank.size());
  for (const std::string& host : host_of_rank) {
    const std::string who = "rank " + std::to_string(position_of_rank.size()) + " is on host \"" + host + "\"";
    const auto found = of_host.find(host);
    if (found == of_host.end())
      fail(errc::not_found, who, "the topology has no such host", "add the host to the topology");
    positions& here = found->second;
    if (here.used == here.all.size())
      fail(errc::resource, who, "the topology has only " + std::to_string(here.all.size()) + " positions there",
           "start fewer ranks on the host or correct the topology");
    position_of_rank.push_back(here.all[here.used++]);
  }
  return select_positions(hosted.tree, position_of_rank);
}

}  // namespace hawser::topology
