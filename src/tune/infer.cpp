// Racks that nobody tells of: one clue after the other until one is sure, and the hierarchy that comes of it.
#include <hawser/tune/infer.hpp>

#include <numeric>
#include <random>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>

#include "sorting.hpp"

namespace hawser::tune {

namespace {

using detail::method;
using detail::sorting;

/// In the order in which they are tried. Twice is beyond what sharing a host or a link by chance makes of a rate;
/// latencies of one switch more differ by less (0.5 us of 1.5 us); under load a rack's uplink is shared by all of it,
/// and 1.5 is a light oversubscription.
constexpr method methods[] = {
    {clue::rate, 2.0, true, false}, {clue::latency, 1.3, true, false}, {clue::rate_under_load, 1.5, false, true}};

}  // namespace

std::string_view to_string(clue by) noexcept {
  switch (by) {
    case clue::none: return "none";
    case clue::rate: return "rate";
    case clue::latency: return "latency";
    case clue::rate_under_load: return "rate under load";
  }
  return "unknown";
}

namespace {

/// Numbers racks in the order of their first hosts, given the racks of hosts in another order.
std::vector<int> in_order(const std::vector<int>& rack_of, const std::vector<std::size_t>& host_at) {
  std::vector<int> unordered(rack_of.size()), known, ordered;
  for (std::size_t i = 0; i < rack_of.size(); ++i) unordered[host_at[i]] = rack_of[i];
  for (int rack : unordered) {
    const auto found = std::find(known.begin(), known.end(), rack);
    ordered.push_back(static_cast<int>(found - known.begin()));
    if (found == known.end()) known.push_back(rack);
  }
  return ordered;
}

}  // namespace

inferred infer_racks(const instruments& with, const std::vector<int>& host_ranks, const infer_options& how) {
  if (host_ranks.size() > most_inferred_hosts)
    fail(errc::unsupported, "the racks of " + std::to_string(host_ranks.size()) + " hosts cannot be inferred",
         "at most 4096 hosts are compared", "describe the racks with HAWSER_TOPOLOGY");
  inferred best{.rack_of_host = std::vector<int>(host_ranks.size(), 0),
                .confidence = 1,
                .reason = "fewer than three hosts form no racks"};
  if (host_ranks.size() < 3) return best;
  // In an order of its own: where neighbours share racks, the pairs of one round would leave some uplinks idle.
  std::vector<std::size_t> host_at(host_ranks.size());
  std::iota(host_at.begin(), host_at.end(), std::size_t{0});
  std::mt19937_64 random(how.seed);
  std::shuffle(host_at.begin(), host_at.end(), random);
  std::vector<int> shuffled;
  shuffled.reserve(host_at.size());
  for (std::size_t host : host_at) shuffled.push_back(host_ranks[host]);
  std::int64_t pairs = 0, rounds = 0;  // of all methods
  double alone = 0;
  bool is_first = true;
  for (const method& each : methods) {
    inferred found = sorting(with, shuffled, how, each, alone).run();
    if (each.by == clue::rate) alone = found.inside;
    pairs += found.pairs;
    rounds += found.rounds;
    const bool is_better = found.by != clue::none && (best.by == clue::none || found.confidence > best.confidence);
    if (is_first || is_better) best = std::move(found);
    is_first = false;
    if (best.by != clue::none && best.confidence >= least_confidence) break;
  }
  best.rack_of_host = in_order(best.rack_of_host, host_at);
  best.pairs = pairs;
  best.rounds = rounds;
  return best;
}

topology::hierarchy hierarchy_of(const inferred& racks, const std::vector<int>& host_of_rank,
                                 const topology::link& inside_host, const topology::link& network, bool takes_rates) {
  std::vector<std::int64_t> rack_sizes, host_sizes;
  std::vector<rank> rank_at;
  const int hosts = static_cast<int>(racks.rack_of_host.size());
  for (int rack = 0; rack < racks.racks; ++rack) {
    rack_sizes.push_back(0);
    for (int host = 0; host < hosts; ++host) {
      if (racks.rack_of_host[static_cast<std::size_t>(host)] != rack) continue;
      ++rack_sizes.back();
      host_sizes.push_back(0);
      for (std::size_t r = 0; r < host_of_rank.size(); ++r)
        if (host_of_rank[r] == host) rank_at.emplace_back(static_cast<int>(r)), ++host_sizes.back();
    }
  }
  topology::link in_rack = network, across = network;
  if (takes_rates && (racks.by == clue::rate || racks.by == clue::rate_under_load)) {
    in_rack = {bandwidth{racks.inside}, network.latency, topology::provenance::probed};
    across = {bandwidth{racks.across}, network.latency, topology::provenance::probed};
  }
  std::vector<topology::level> levels;
  if (racks.racks > 1) levels.push_back({"rack", topology::child_counts::uniform(1, racks.racks), across});
  levels.push_back({"node", topology::child_counts::listed(std::move(rack_sizes)), in_rack});
  if (rank_at.size() > host_sizes.size())
    levels.push_back({"rank", topology::child_counts::listed(std::move(host_sizes)), inside_host});
  return topology::hierarchy(std::move(levels), std::move(rank_at));
}

}  // namespace hawser::tune
