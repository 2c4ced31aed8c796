// See calibrate.hpp.
#include <hawser/tune/calibrate.hpp>

#include <algorithm>

#include <hawser/topology/describe.hpp>
#include <hawser/topology/fingerprint.hpp>
#include <hawser/tune/probe_order.hpp>

namespace hawser::tune {

namespace {

using topology::hierarchy;

std::int64_t ranks_of(const hierarchy& tree, int level, std::int64_t unit) {
  const bool is_last = unit + 1 == tree.at(level).units.total();
  return (is_last ? tree.size() : tree.first_position(unit + 1, level)) - tree.first_position(unit, level);
}

/// All levels of one machine, one after the other.
class calibration {
 public:
  calibration(const instruments& with, const hierarchy& tree, const effort& how)
      : with_(with), tree_(tree), how_(how) {}

  tuning run() {
    tuning measured{.fingerprint = topology::fingerprint_text(tree_),
                    .hierarchy = topology::describe(tree_),
                    .ranks = static_cast<int>(tree_.size())};
    measured.levels.resize(static_cast<std::size_t>(tree_.depth()));
    for (int level = tree_.depth() - 1; level >= 0; --level)
      measure(level, measured.levels[static_cast<std::size_t>(level)]);
    measured.message_time = spread_of(message_times_);
    measured.reduction = spread_of(with_.reductions());
    return measured;
  }

 private:
  void measure(int level, level_figures& figures) {
    figures.name = tree_.at(level).name;
    const std::vector<unit_pair> all = unit_pairs(tree_, level);
    if (all.empty()) return;
    // Spread over the level, since neighbours may be alike by accident.
    std::vector<link_pair> chosen;
    const std::size_t wanted = std::min(all.size(), static_cast<std::size_t>(how_.pairs));
    for (std::size_t i = 0; i < wanted; ++i) {
      const unit_pair& each = all[i * all.size() / wanted];
      chosen.push_back({each.from.front(), each.to.front()});
    }
    measure_messages(chosen, figures);
    const std::int64_t bytes = bytes_for(chosen.front());
    figures.alone = repeated([&](std::vector<double>& rates) {
      for (const link_pair& each : chosen) {
        rates.push_back(with_.rates(std::span(&each, 1), bytes).front());
        if (is_late()) return;
      }
    });
    figures.streams_per_unit = static_cast<int>(all.front().from.size());
    figures.together = repeated([&](std::vector<double>& rates) { add_together(all, bytes, rates); });
    add_incast(level, bytes, figures);
  }

  void measure_messages(const std::vector<link_pair>& chosen, level_figures& figures) {
    std::vector<double> latencies, work;
    for (const link_pair& each : chosen) {
      latencies.push_back(with_.latencies(std::span(&each, 1)).front());
      work.push_back(with_.message_times(std::span(&each, 1)).front());
      if (is_late()) break;
    }
    message_times_.insert(message_times_.end(), work.begin(), work.end());
    figures.latency = spread_of(std::move(latencies));
    figures.message_time = spread_of(std::move(work));
  }

  /// Enough for a stream to last as long as wanted.
  std::int64_t bytes_for(const link_pair& between) const {
    const double rate = with_.rates(std::span(&between, 1), how_.least_bytes).front();
    const auto wanted = static_cast<std::int64_t>(rate * how_.stream_seconds);
    return std::clamp(wanted, how_.least_bytes, how_.most_bytes);
  }

  /// Both ways at once between the units of all pairs, each rank with its counterpart: per unit what it sends.
  void add_together(const std::vector<unit_pair>& all, std::int64_t bytes, std::vector<double>& rates) const {
    std::vector<link_pair> streams;
    for (const unit_pair& each : all)
      for (std::size_t i = 0; i < each.from.size(); ++i) {
        streams.push_back({each.from[i], each.to[i]});
        streams.push_back({each.to[i], each.from[i]});
      }
    const std::vector<double> measured = with_.rates(streams, bytes);
    std::size_t at = 0;
    for (const unit_pair& each : all) {
      double out = 0, back = 0;
      for (std::size_t i = 0; i < each.from.size(); ++i) out += measured[at++], back += measured[at++];
      rates.push_back(out);
      rates.push_back(back);
    }
  }

  /// Up to seven units of one parent into a rank of its first one.
  void add_incast(int level, std::int64_t bytes, level_figures& figures) {
    const topology::child_counts& units = tree_.at(level).units;
    std::int64_t parent = 0;
    while (parent < units.parents() && units.size(parent) < 3) ++parent;
    if (parent == units.parents()) return;
    const int into = tree_.rank_at(tree_.first_position(units.first(parent), level)).value;
    std::vector<link_pair> streams;
    for (std::int64_t i = 1; i < units.size(parent) && i <= detail::most_senders; ++i)
      streams.push_back({tree_.rank_at(tree_.first_position(units.first(parent) + i, level)).value, into});
    figures.incast_senders = static_cast<int>(streams.size());
    figures.incast = repeated([&](std::vector<double>& rates) {
      // The last one is there when all are: the sum of the rates would count the same time several times.
      const std::vector<double> measured = with_.rates(streams, bytes);
      rates.push_back(static_cast<double>(streams.size()) * *std::min_element(measured.begin(), measured.end()));
    });
  }

  bool is_late() const { return with_.clock() > how_.seconds; }

  /// At least once.
  template <class Round>
  spread repeated(Round&& round) const {
    std::vector<double> rates;
    for (int i = 0; i < how_.repetitions && (i == 0 || !is_late()); ++i) round(rates);
    return spread_of(std::move(rates));
  }

  const instruments& with_;
  const hierarchy& tree_;
  const effort& how_;
  std::vector<double> message_times_;
};

}  // namespace

std::vector<unit_pair> unit_pairs(const hierarchy& tree, int level) {
  const topology::child_counts& units = tree.at(level).units;
  std::vector<unit_pair> all;
  for (std::int64_t parent = 0; parent < units.parents(); ++parent)
    for (std::int64_t i = 0; i + 1 < units.size(parent); i += 2) {
      const std::int64_t a = units.first(parent) + i, b = a + 1;
      unit_pair between;
      for (std::int64_t r = 0; r < std::min(ranks_of(tree, level, a), ranks_of(tree, level, b)); ++r) {
        between.from.push_back(tree.rank_at(tree.first_position(a, level) + r).value);
        between.to.push_back(tree.rank_at(tree.first_position(b, level) + r).value);
      }
      all.push_back(std::move(between));
    }
  return all;
}

tuning calibrate(const instruments& with, const hierarchy& tree, const effort& how) {
  return calibration(with, tree, how).run();
}

}  // namespace hawser::tune
