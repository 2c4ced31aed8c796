// Sorting hosts into racks by comparing some pairs by one clue: parallel equivalence class sorting (Devanny, Goodrich
// and Jetviroj, SPAA 2016), where a comparison is a measurement and the gap between its two outcomes is found on the
// way.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdio>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <hawser/core/units.hpp>
#include <hawser/tune/infer.hpp>

#include "readings.hpp"

namespace hawser::tune::detail {

/// How one clue is measured, and how far the two kinds of pairs must lie apart to be told apart by it.
struct method {
  clue by;
  double least_ratio;
  bool keeps_best;  ///< of a pair's figures: disturbance makes them worse; under load, luck makes them better
  bool loads_all;
};

class sorting {
 public:
  /// `alone`: what pairs reach while little else moves; under load, who still reaches it shares no full link.
  sorting(const instruments& with, const std::vector<int>& ranks, const infer_options& how, const method& by,
          double alone)
      : with_(with), ranks_(ranks), how_(how), by_(by), random_(how.seed), order_(ranks.size()) {
    for (int h = 0; h < hosts(); ++h) order_[static_cast<std::size_t>(h)] = h;
    if (by.loads_all && alone > 0) threshold_ = alone / by.least_ratio;
    for (std::int64_t i = 0; by.loads_all && i < 4 * doublings(); ++i) {
      std::shuffle(order_.begin(), order_.end(), random_);
      matchings_.push_back(order_);
    }
  }

  inferred run() {
    find_gap();
    compare();
    for (int i = 0; i < 3 && by_.loads_all && threshold_ && remove_doubts(); ++i) compare();
    if (threshold_) look_twice();
    if (threshold_ && by_.loads_all) check_inside();
    return result();
  }

 private:
  void compare() {
    while (threshold_ && compared_ < budget()) {
      grouping now(hosts(), pairs_.all(), *threshold_);
      const auto next = undecided(now);
      if (next.empty()) break;
      measure(next);
      look_for_gap();
    }
  }

  /// Measures anew what joins hosts of which others say that they are apart; false where there is nothing of the kind.
  bool remove_doubts() {
    std::vector<link_pair> left = detail::doubtful(pairs_.all(), *threshold_);
    const bool has_any = !left.empty();
    while (!left.empty()) {
      std::vector<link_pair> now, later;
      std::set<int> busy;
      for (const link_pair& each : left) {
        const bool is_free = now.size() < at_once() && !busy.contains(each.from) && !busy.contains(each.to);
        if (is_free) busy.insert({each.from, each.to});
        (is_free ? now : later).push_back(each);
      }
      measure(now, 24);
      left = std::move(later);
    }
    return has_any;
  }

  int hosts() const { return static_cast<int>(ranks_.size()); }
  std::int64_t all_pairs() const { return std::int64_t{hosts()} * (hosts() - 1) / 2; }
  std::int64_t doublings() const { return std::bit_width(static_cast<unsigned>(hosts() - 1)); }
  std::int64_t budget() const {
    return std::min(all_pairs(), how_.pairs_per_host * std::int64_t{hosts()} * (doublings() + 1));
  }
  /// Pairs at once: so few that an uplink carries hardly more than one of them. Under load half of the hosts, so that
  /// the company of the others is another one each time.
  std::size_t at_once() const { return static_cast<std::size_t>(std::max(1, hosts() / (by_.loads_all ? 4 : 32))); }

  /// Random pairs until some are told apart. Three per host miss all pairs inside of n/2 racks or fewer with a
  /// probability below e^-6.
  void find_gap() {
    const std::int64_t enough = std::min(all_pairs(), std::int64_t{3} * hosts());
    while (!threshold_ && pairs_.size() < enough) {
      std::shuffle(order_.begin(), order_.end(), random_);
      std::vector<link_pair> next;
      for (std::size_t i = 0; i + 1 < order_.size() && next.size() < at_once(); ++i)
        if (!pairs_.has(order_[i], order_[i + 1])) next.push_back({order_[i], order_[i + 1]}), ++i;
      if (next.empty()) continue;
      measure(next);
      look_for_gap();
    }
  }

  std::optional<double> gap() const { return detail::lowest_gap(pairs_.all(), by_.least_ratio); }

  /// A gap counts when those around it still lie apart once they are measured again.
  void look_for_gap() {
    if (by_.loads_all) return;
    const auto found = gap();
    if (found && threshold_ && is_confirmed_) {
      threshold_ = found;
      return;
    }
    threshold_.reset();
    if (!found) return;
    std::vector<link_pair> again;
    for (const bool is_fast : {false, true}) {
      constexpr int most = 3;
      int taken = 0;
      for (const reading& each : pairs_.all())
        if ((each.speed > *found) == is_fast && taken < most) again.push_back({each.a, each.b}), ++taken;
    }
    for (const link_pair& each : again) measure({each});
    threshold_ = gap();
    is_confirmed_ = threshold_.has_value();
  }

  /// Pairs of groups that are neither together nor apart, each host once, the largest groups first.
  std::vector<link_pair> undecided(grouping& now) {
    const std::vector<std::vector<int>> groups = now.groups();
    std::vector<std::size_t> used(groups.size(), 0);
    std::vector<link_pair> next;
    for (std::size_t j = 1; j < groups.size() && next.size() < at_once(); ++j)
      for (std::size_t i = 0; i < j && used[j] < groups[j].size() && next.size() < at_once(); ++i) {
        if (used[i] == groups[i].size() || now.is_apart(groups[i][0], groups[j][0])) continue;
        next.push_back({groups[i][used[i]++], groups[j][used[j]++]});
      }
    return next;
  }

  /// One pair that was fast by accident joins two racks, and nobody compares them any more: in every rack each host
  /// with another one.
  void check_inside() {
    grouping now(hosts(), pairs_.all(), *threshold_);
    for (std::vector<int>& members : now.groups()) {
      std::shuffle(members.begin(), members.end(), random_);
      for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
        const link_pair each{members[i], members[i + 1]};
        measure({each});
        is_contradicted_ = is_contradicted_ || pairs_.speed_of(each) <= *threshold_;
      }
    }
  }

  /// Slow readings keep two racks apart, and they may have been accidents: other members of each two, as long as that
  /// brings racks together and is not too much.
  void look_twice() {
    std::size_t before = 0;
    for (int i = 0; i < 4; ++i) {
      grouping now(hosts(), pairs_.all(), *threshold_);
      const std::vector<std::vector<int>> groups = now.groups();
      const auto wanted = static_cast<std::int64_t>(groups.size() * (groups.size() - 1) / 2);
      if (groups.size() == before || compared_ + wanted > budget() + hosts()) return;
      before = groups.size();
      for (std::size_t j = 1; j < groups.size(); ++j)
        for (std::size_t k = 0; k < j; ++k)
          measure({{groups[k][random_() % groups[k].size()], groups[j][random_() % groups[j].size()]}});
    }
  }

  void measure(const std::vector<link_pair>& wanted) {
    compared_ += std::ssize(wanted);
    if (!by_.loads_all) return measure_until_steady(wanted);
    // More often, and once more what still seems to be fast: an uplink may be idle by chance.
    measure(wanted, 4);
    std::vector<link_pair> fast;
    for (const link_pair& each : wanted)
      if (pairs_.speed_of(each) > threshold_.value_or(0)) fast.push_back(each);
    if (!fast.empty()) measure(fast, 12);
  }

  /// A host that is busy with other things is slow now and then, and never too fast: until the two best of a pair's
  /// figures agree, or it was faster than pairs of two racks are.
  void measure_until_steady(std::vector<link_pair> left) {
    constexpr int least_tries = 3, most_tries = 12;
    constexpr double agreement = 0.85;
    std::map<std::pair<int, int>, std::pair<double, double>> best;
    for (int i = 1; i <= most_tries && !left.empty(); ++i) {
      ++rounds_;
      const std::vector<double> speeds = speeds_of(left);
      std::vector<link_pair> unsteady;
      for (std::size_t k = 0; k < left.size(); ++k) {
        asked_.insert(std::minmax(left[k].from, left[k].to));
        pairs_.add(left[k], speeds[k], true);
        auto& [first, second] = best[{left[k].from, left[k].to}];
        second = std::max(second, std::min(first, speeds[k]));
        first = std::max(first, speeds[k]);
        const bool is_steady = i >= least_tries && second >= agreement * first;
        if (!is_steady && !(threshold_ && first > *threshold_)) unsteady.push_back(left[k]);
      }
      left = std::move(unsteady);
    }
    unsteady_ += std::ssize(left);
  }

  void measure(const std::vector<link_pair>& wanted, int tries) {
    for (int i = 0; i < tries; ++i) {
      ++rounds_;
      const std::vector<link_pair> at_work = by_.loads_all ? with_company(wanted) : wanted;
      for (const link_pair& each : at_work) asked_.insert(std::minmax(each.from, each.to));
      const std::vector<double> speeds = speeds_of(at_work);
      for (std::size_t k = 0; k < at_work.size(); ++k)
        if (k < wanted.size() || (threshold_ && speeds[k] <= *threshold_))  // seen once, company shows slowness only
          pairs_.add(at_work[k], speeds[k], by_.keeps_best);
    }
  }

  /// Hosts that have nothing to do send to each other, so that the uplinks are full: by one of a few matchings, so that
  /// they add no more than 2 n log2 n pairs.
  std::vector<link_pair> with_company(std::vector<link_pair> busy) {
    std::vector<char> is_busy(ranks_.size(), 0);
    for (const link_pair& each : busy) is_busy[index(each.from)] = is_busy[index(each.to)] = 1;
    const std::vector<int>& matched = matchings_[random_() % matchings_.size()];
    for (std::size_t i = 0; i + 1 < matched.size(); i += 2)
      if (is_busy[index(matched[i])] == 0 && is_busy[index(matched[i + 1])] == 0)
        busy.push_back({matched[i], matched[i + 1]});
    return busy;
  }

  std::vector<double> speeds_of(const std::vector<link_pair>& between) const {
    std::vector<link_pair> streams;
    streams.reserve(between.size());
    for (const link_pair& each : between) streams.push_back({ranks_[index(each.from)], ranks_[index(each.to)]});
    if (by_.by == clue::latency) {
      std::vector<double> speeds = with_.latencies(streams);
      for (double& each : speeds) each = 1 / std::max(each, 1e-12);
      return speeds;
    }
    if (by_.loads_all)
      for (std::size_t i = 0, n = streams.size(); i < n; ++i) streams.push_back({streams[i].to, streams[i].from});
    std::vector<double> speeds = with_.rates(streams, how_.bytes);
    if (by_.loads_all)
      for (std::size_t i = 0; i < between.size(); ++i) speeds[i] = std::min(speeds[i], speeds[i + between.size()]);
    speeds.resize(between.size());
    return speeds;
  }

  inferred result() {
    inferred found{.rack_of_host = std::vector<int>(ranks_.size(), 0), .pairs = std::ssize(asked_), .rounds = rounds_};
    if (!threshold_) {
      const spread all = spread_of_speeds([](const reading&) { return true; });
      found.confidence = all.is_measured() ? all.p10 / all.p90 : 0;
      found.inside = found.across = by_.by == clue::latency ? 1 / all.median : all.median;
      found.reason = "all pairs of hosts look alike";
      return found;
    }
    grouping groups(hosts(), pairs_.all(), *threshold_);
    std::vector<int> first;  // host of each rack
    for (int h = 0; h < hosts(); ++h) {
      const auto known = std::find_if(first.begin(), first.end(), [&](int f) { return groups.is_together(f, h); });
      found.rack_of_host[index(h)] = static_cast<int>(known - first.begin());
      if (known == first.end()) first.push_back(h);
    }
    found.racks = static_cast<int>(first.size());
    found.by = found.racks > 1 ? by_.by : clue::none;
    judge(found, groups);
    return found;
  }

  template <class Which>
  spread spread_of_speeds(Which&& which) const {
    std::vector<double> speeds;
    for (const reading& each : pairs_.all())
      if (which(each)) speeds.push_back(each.speed);
    return spread_of(std::move(speeds));
  }

  void judge(inferred& found, grouping& groups) {
    const auto is_inside = [&](const reading& each) { return groups.is_together(each.a, each.b); };
    const auto agrees = [&](const reading& each) { return is_inside(each) == (each.speed > *threshold_); };
    const spread inside = spread_of_speeds([&](const reading& each) { return is_inside(each) && agrees(each); });
    const spread across = spread_of_speeds([&](const reading& each) { return !is_inside(each) && agrees(each); });
    found.inside = by_.by == clue::latency ? 1 / inside.median : inside.median;
    if (across.is_measured()) found.across = by_.by == clue::latency ? 1 / across.median : across.median;
    std::int64_t agreeing = 0;
    for (const reading& each : pairs_.all()) agreeing += agrees(each) ? 1 : 0;
    const double ratio = across.is_measured() ? inside.p10 / across.p90 : 1;
    const double separation = ratio > 1 ? 1 - 1 / (ratio * ratio) : 0;
    found.confidence = separation * static_cast<double>(agreeing) / static_cast<double>(pairs_.size());
    const double steady =
        1 - static_cast<double>(unsteady_) / static_cast<double>(std::max<std::int64_t>(compared_, 1));
    found.confidence *= steady;
    char text[200];
    std::snprintf(text, sizeof text,
                  "%s inside and across racks differ %.2g times, %lld of %lld pairs agree, %.0f %% are steady",
                  std::string(to_string(by_.by)).c_str(), inside.median / across.median,
                  static_cast<long long>(agreeing), static_cast<long long>(pairs_.size()), 100 * steady);
    found.reason = text;
    if (is_contradicted_) {
      found.confidence /= 2;
      found.reason += "; hosts of one rack look apart";
    }
    if (!undecided(groups).empty()) {
      found.confidence = 0;
      found.reason += "; there are too many racks to compare within " + std::to_string(budget()) + " pairs";
    }
  }

  static std::size_t index(int h) { return static_cast<std::size_t>(h); }

  const instruments& with_;
  const std::vector<int>& ranks_;
  const infer_options& how_;
  const method& by_;
  std::mt19937_64 random_;
  std::vector<int> order_;
  readings pairs_;
  std::set<std::pair<int, int>> asked_;  // the company included
  std::optional<double> threshold_;
  bool is_confirmed_ = false;
  bool is_contradicted_ = false;
  std::vector<std::vector<int>> matchings_;
  std::int64_t compared_ = 0;
  std::int64_t unsteady_ = 0;  // of them
  std::int64_t rounds_ = 0;
};

}  // namespace hawser::tune::detail
