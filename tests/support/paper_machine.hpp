// Racks of hosts that exist on paper: what probes would measure on them, with noise.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <hawser/tune/instruments.hpp>

namespace hawser::testing {

/// Host h is in rack `rack_of[h]`. Every host has a NIC, every rack an uplink; rates are max-min fair.
struct paper_machine {
  std::vector<int> rack_of;
  double nic = 12e9;
  double uplink = 12e9;
  double latency_inside = 5e-6;
  double latency_across = 5e-6;
  double noise = 0.1;      ///< a reading is worse by a factor 1 + noise |gaussian|
  double accidents = 0.0;  ///< share of readings that are three times worse
  std::mt19937_64 random{1};

  std::set<std::pair<int, int>> asked{};
  int rounds = 0;

  double disturbance() {
    std::normal_distribution<double> gaussian;
    std::uniform_real_distribution<double> share;
    return (1 + noise * std::abs(gaussian(random))) * (share(random) < accidents ? 3 : 1);
  }

  /// Water filling over the links host out, host in, rack out, rack in.
  std::vector<double> fair_rates(tune::link_pairs streams) const {
    const auto hosts = rack_of.size();
    const auto racks = static_cast<std::size_t>(*std::max_element(rack_of.begin(), rack_of.end()) + 1);
    std::vector<double> left(2 * hosts + 2 * racks, nic);
    std::fill(left.begin() + static_cast<std::ptrdiff_t>(2 * hosts), left.end(), uplink);
    std::vector<std::vector<std::size_t>> links;
    for (const tune::link_pair& each : streams) {
      const auto a = static_cast<std::size_t>(each.from), b = static_cast<std::size_t>(each.to);
      links.push_back({a, hosts + b});
      if (rack_of[a] == rack_of[b]) continue;
      links.back().push_back(2 * hosts + static_cast<std::size_t>(rack_of[a]));
      links.back().push_back(2 * hosts + racks + static_cast<std::size_t>(rack_of[b]));
    }
    std::vector<double> rates(streams.size(), 0);
    for (std::size_t fixed = 0; fixed < streams.size();) {
      std::vector<double> users(left.size(), 0);
      for (std::size_t i = 0; i < links.size(); ++i)
        for (std::size_t link : links[i]) users[link] += rates[i] == 0 ? 1 : 0;
      std::size_t tightest = left.size();
      for (std::size_t l = 0; l < left.size(); ++l)
        if (users[l] > 0 && (tightest == left.size() || left[l] / users[l] < left[tightest] / users[tightest]))
          tightest = l;
      const double share = left[tightest] / users[tightest];
      for (std::size_t i = 0; i < links.size(); ++i) {
        if (rates[i] != 0 || std::find(links[i].begin(), links[i].end(), tightest) == links[i].end()) continue;
        rates[i] = share;
        ++fixed;
        for (std::size_t link : links[i]) left[link] = std::max(left[link] - share, 0.0);
      }
    }
    return rates;
  }

  void note(tune::link_pairs streams) {
    ++rounds;
    for (const tune::link_pair& each : streams) asked.insert(std::minmax(each.from, each.to));
  }

  /// Refer to this.
  tune::instruments tools() {
    tune::instruments with;
    with.latencies = [this](tune::link_pairs between) {
      note(between);
      std::vector<double> all;
      for (const tune::link_pair& each : between) {
        const auto a = static_cast<std::size_t>(each.from), b = static_cast<std::size_t>(each.to);
        all.push_back((rack_of[a] == rack_of[b] ? latency_inside : latency_across) * disturbance());
      }
      return all;
    };
    with.message_times = [this](tune::link_pairs between) {
      return std::vector<double>(between.size(), 1e-6 * disturbance());
    };
    with.rates = [this](tune::link_pairs streams, std::int64_t) {
      note(streams);
      std::vector<double> rates = fair_rates(streams);
      for (double& each : rates) each /= disturbance();
      return rates;
    };
    with.reductions = [this] { return std::vector<double>(rack_of.size(), 9e9 / disturbance()); };
    with.clock = [] { return 0.0; };
    return with;
  }
};

}  // namespace hawser::testing
