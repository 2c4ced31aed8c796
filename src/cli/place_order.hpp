// Orders of ranks as the command line writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/hosted.hpp>

namespace hawser::cli {

inline constexpr std::int64_t most_placed_ranks = std::int64_t{1} << 22;  ///< lists of ranks are in memory

/// The topology with its ranks in the order that `text` names: empty (as they are), block (position p has rank p),
/// cyclic (one by one to the parents of the positions), random:SEED, or the ranks of the positions: "0-3,8,9,4-7".
/// Throws errc::parse, errc::invalid_argument where the list is no permutation or there are too many ranks.
topology::hierarchy ordered(const topology::hierarchy& tree, std::string_view text);

/// "0,4,8": whole or, with `most`, cut short by "... (32 in all)".
std::string listed(const std::vector<rank>& ranks, std::size_t most = SIZE_MAX);

/// The host of each rank in turn; empty where the topology names none.
std::vector<std::string> hosts_of(const topology::hosted_hierarchy& hosted, const std::vector<rank>& ranks);

}  // namespace hawser::cli
