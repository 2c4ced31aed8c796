// Which hosts stand in one rack, where nobody says so: found by measuring some pairs of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/hierarchy.hpp>
#include <hawser/tune/instruments.hpp>

namespace hawser::tune {

/// What tells pairs inside a rack from others.
enum class clue {
  none,            ///< all pairs are alike
  rate,            ///< of a stream while little else moves
  latency,         ///< of the smallest messages
  rate_under_load  ///< of a stream while all hosts send and receive
};
/// For people: "latency" and the like.
std::string_view to_string(clue by) noexcept;

/// How much is measured.
struct infer_options {
  std::uint64_t seed = 1;        ///< of the order in which pairs are measured
  std::int64_t bytes = 1 << 20;  ///< of a stream
  /// At most this many pairs per host and doubling of the hosts are measured: 4 n (log2 n + 1), and never more than
  /// there are. It suffices for about 8 log2 n racks, in any order of hosts.
  int pairs_per_host = 4;
};

/// Racks found by measuring, and how sure that is.
struct inferred {
  std::vector<int> rack_of_host{};  ///< numbered from 0 in the order of their first hosts
  int racks = 1;
  clue by = clue::none;
  /// From 0 to 1: the share of the measured pairs that agree with the result, times 1 - r^-2, where r is the ratio of
  /// the slowest tenth inside racks to the fastest tenth across them, times the share of pairs whose best figures
  /// repeat. Without a clue, how alike all pairs are: p10/p90.
  double confidence = 0;
  double inside = 0;  ///< median of the clue in racks: bytes/s, or seconds for latencies
  double across = 0;
  std::int64_t pairs = 0;  ///< different ones that were measured
  std::int64_t rounds = 0;
  std::string reason{};  ///< for people: why this is the result
};

/// A result below this is not acted upon unless the user says so.
inline constexpr double least_confidence = 0.7;
inline constexpr int most_inferred_hosts = 4096;

/// The racks of hosts, each of which `host_ranks[h]` stands for. One rack where all look alike. Throws
/// errc::unsupported for more than 4096 hosts, and as the instruments do.
inferred infer_racks(const instruments& with, const std::vector<int>& host_ranks, const infer_options& how = {});

/// Levels "rack", "node" and, where a host has several ranks, "rank" for hosts in racks; with
/// `takes_rates`, the links between hosts have the rates that were measured, if any were. `host_of_rank[r]` is the
/// number of the host that rank r is on.
topology::hierarchy hierarchy_of(const inferred& racks, const std::vector<int>& host_of_rank,
                                 const topology::link& inside_host, const topology::link& network,
                                 bool takes_rates = true);

}  // namespace hawser::tune
