// What per-flow hashing leaves of a two-tier fabric under a traffic pattern in which every host sends to one other:
// the throughput of each host, max-min fair, for one draw of the hashes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/simulate/max_min.hpp>

namespace hawser::simulate {

/// Who sends to whom across the fabric.
enum class pattern : std::uint8_t {
  rail_shift,          ///< host i of a leaf sends to host i of the next leaf: a ring per rail
  random_permutation,  ///< every host sends to one host and receives from one
};

/// The enumerator's name.
constexpr std::string_view to_string(pattern p) noexcept {
  return p == pattern::rail_shift ? "rail_shift" : "random_permutation";
}

/// Fractions of the line rate.
struct fabric_load {
  double mean = 1;     ///< over the hosts
  double slowest = 1;  ///< what a collective waits for
};

/// A number of draws of one quantity.
struct spread {
  double mean = 0, deviation = 0, least = 0, most = 0;

  /// Of at least one value; the deviation is that of a sample.
  static spread of(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    spread s{.mean = std::accumulate(values.begin(), values.end(), 0.0) / n};
    for (double each : values) s.deviation += (each - s.mean) * (each - s.mean);
    s.deviation = values.size() > 1 ? std::sqrt(s.deviation / (n - 1)) : 0;
    s.least = *std::min_element(values.begin(), values.end());
    s.most = *std::max_element(values.begin(), values.end());
    return s;
  }
};

/// Non-blocking: as many spines as hosts on a leaf, one link of line rate between each leaf and each spine. Each host
/// spreads its bytes over `queue_pairs` pairs that are hashed each by itself.
/// Throws errc::invalid_argument for fewer than two leaves, or no queue pair.
inline fabric_load load_fabric(std::int64_t leaves, std::int64_t hosts, pattern traffic, int queue_pairs,
                               std::uint64_t seed) {
  if (leaves < 2 || hosts < 1 || queue_pairs < 1)
    fail(errc::invalid_argument, "this is no two-tier fabric with traffic between its leaves",
         std::to_string(leaves) + " leaves of " + std::to_string(hosts) + " hosts, " + std::to_string(queue_pairs) +
             " queue pairs",
         "use two leaves and one queue pair at least");
  const std::int64_t n = leaves * hosts;
  const auto link = [](std::int64_t index) { return static_cast<std::uint32_t>(index); };
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> to(static_cast<std::size_t>(n));
  for (std::int64_t h = 0; h < n; ++h) to[static_cast<std::size_t>(h)] = (h + hosts) % n;
  if (traffic == pattern::random_permutation) {
    std::iota(to.begin(), to.end(), 0);
    std::shuffle(to.begin(), to.end(), random);
  }
  // Links: each host's out and in, each leaf's up to and down from each spine.
  max_min rates(std::vector<double>(static_cast<std::size_t>(4 * n), 1.0));
  std::uniform_int_distribution<std::int64_t> spine(0, hosts - 1);
  for (std::int64_t h = 0; h < n; ++h) {
    const std::int64_t peer = to[static_cast<std::size_t>(h)], leaf = h / hosts, other = peer / hosts;
    for (int q = 0; q < queue_pairs; ++q) {
      std::vector<use> uses{{link(h), 1}, {link(n + peer), 1}};
      if (leaf != other) {
        const std::int64_t s = spine(random);
        uses.push_back({link(2 * n + leaf * hosts + s), 1});
        uses.push_back({link(3 * n + other * hosts + s), 1});
      }
      rates.add(link(h * queue_pairs + q), std::move(uses));
    }
  }
  rates.solve([](std::uint32_t) {});
  fabric_load made{.mean = 0, .slowest = 1};
  for (std::int64_t h = 0; h < n; ++h) {
    double own = 0;
    for (int q = 0; q < queue_pairs; ++q) own += rates.rate(link(h * queue_pairs + q));
    made.mean += own / static_cast<double>(n);
    made.slowest = std::min(made.slowest, own);
  }
  return made;
}

}  // namespace hawser::simulate
