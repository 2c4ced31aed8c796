// Measured pairs of hosts, the gap between fast and slow ones, and the groups that the fast ones form.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <hawser/tune/instruments.hpp>
#include <hawser/tune/spread.hpp>

namespace hawser::tune::detail {

struct reading {
  int a = 0, b = 0;  ///< hosts, a < b
  double speed = 0;  ///< larger is nearer
};

class readings {
 public:
  /// A pair that is measured again keeps the better figure, or the worse one.
  void add(link_pair between, double speed, bool keeps_best) {
    const std::pair<int, int> key = std::minmax(between.from, between.to);
    const auto [found, is_new] = index_.try_emplace(key, all_.size());
    if (is_new) return all_.push_back({key.first, key.second, speed});
    double& kept = all_[found->second].speed;
    kept = keeps_best ? std::max(kept, speed) : std::min(kept, speed);
  }
  bool has(int a, int b) const { return index_.contains(std::minmax(a, b)); }
  double speed_of(link_pair between) const { return all_[index_.at(std::minmax(between.from, between.to))].speed; }
  const std::vector<reading>& all() const noexcept { return all_; }
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(all_.size()); }

 private:
  std::vector<reading> all_;
  std::map<std::pair<int, int>, std::size_t> index_;
};

/// Fast pairs whose nearest have met each other slowly: one of these pairs is fast by accident.
inline std::vector<link_pair> doubtful(const std::vector<reading>& all, double threshold) {
  std::map<int, std::vector<int>> near;
  std::set<std::pair<int, int>> slow;
  for (const reading& each : all) {
    if (each.speed <= threshold) {
      slow.insert({each.a, each.b});
      continue;
    }
    near[each.a].push_back(each.b);
    near[each.b].push_back(each.a);
  }
  for (auto& [host, others] : near) others.push_back(host);
  std::vector<link_pair> found;
  for (const reading& each : all) {
    if (each.speed <= threshold) continue;
    const auto met_slowly = [&](int x, int y) { return slow.contains(std::minmax(x, y)); };
    const bool is_in_doubt = std::any_of(near[each.a].begin(), near[each.a].end(), [&](int x) {
      return std::any_of(near[each.b].begin(), near[each.b].end(), [&](int y) { return met_slowly(x, y); });
    });
    if (is_in_doubt) found.push_back({each.a, each.b});
  }
  return found;
}

/// The limit between pairs of two racks and those of one: a little above the lowest gap of at least `least_ratio` that
/// has more than an accident below it (two readings, and a tenth of them). Pairs across share a limit, an uplink's
/// rate, while those inside reach what their hosts can do just then, which varies.
inline std::optional<double> lowest_gap(const std::vector<reading>& all, double least_ratio) {
  std::vector<double> speeds;
  speeds.reserve(all.size());
  for (const reading& each : all) speeds.push_back(each.speed);
  std::sort(speeds.begin(), speeds.end());
  for (std::size_t i = std::max<std::size_t>(2, speeds.size() / 10); i < speeds.size(); ++i)
    if (speeds[i] >= least_ratio * speeds[i - 1]) return speeds[i - 1] * std::sqrt(least_ratio);
  return std::nullopt;
}

/// Hosts joined by fast pairs; two groups are known to be apart when some pair of theirs is slow.
class grouping {
 public:
  grouping(int hosts, const std::vector<reading>& all, double threshold)
      : hosts_(hosts), parent_(static_cast<std::size_t>(hosts)), apart_(parent_.size() * parent_.size(), 0) {
    for (int h = 0; h < hosts; ++h) parent_[index(h)] = h;
    for (const reading& each : all)
      if (each.speed > threshold) parent_[index(root(each.a))] = root(each.b);
    for (const reading& each : all)
      if (each.speed <= threshold) {
        apart(root(each.a), root(each.b)) = 1;
        apart(root(each.b), root(each.a)) = 1;
      }
  }

  bool is_together(int a, int b) { return root(a) == root(b); }
  bool is_apart(int a, int b) { return apart(root(a), root(b)) != 0; }
  /// Largest first, members ascending.
  std::vector<std::vector<int>> groups() {
    std::map<int, std::vector<int>> by_root;
    for (int h = 0; h < hosts_; ++h) by_root[root(h)].push_back(h);
    std::vector<std::vector<int>> all;
    all.reserve(by_root.size());
    for (auto& [at, members] : by_root) all.push_back(std::move(members));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    return all;
  }

 private:
  static std::size_t index(int h) { return static_cast<std::size_t>(h); }
  char& apart(int a, int b) { return apart_[index(a) * parent_.size() + index(b)]; }
  int root(int h) {
    while (parent_[index(h)] != h) h = parent_[index(h)] = parent_[index(parent_[index(h)])];
    return h;
  }

  int hosts_;
  std::vector<int> parent_;
  std::vector<char> apart_;
};

}  // namespace hawser::tune::detail
