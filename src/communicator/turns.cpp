// See turns.hpp.
#include "turns.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <hawser/tune/spread.hpp>

namespace hawser::detail {
namespace {

using clock = std::chrono::steady_clock;

constexpr int most_rounds_of_all = 1000;
constexpr int least_rounds = 5;              // p10 and p90 of fewer samples say nothing
constexpr int rounds_of_doubt = 3;           // until then only what is hopeless is given up
constexpr double hopeless = 3;               // times the fastest
constexpr double beaten = 1.5;               // after the rounds of doubt: cannot be the best any more
constexpr double first_call_seconds = 0.02;  // planning and connecting
constexpr double share_of_first_calls = 0.5;
constexpr std::size_t always_tried = 4;
constexpr std::size_t finalists = 3;  // beside the first contender, once the budget is used up

class tournament {
 public:
  tournament(communicator& members, const turn_rules& rules, const std::vector<contender>& all)
      : members_(members), rules_(rules), all_(all), first_(all.size()), times_(all.size()), begin_(clock::now()) {}

  std::vector<std::optional<timing>> run() {
    first_calls();
    const int most = rules_.most_rounds > 0 ? rules_.most_rounds : most_rounds_of_all;
    for (int round = 0; round < most; ++round) {
      if (elapsed_ > rules_.budget.count()) {
        if (round >= least_rounds) break;
        keep_finalists();
      }
      play(round);
    }
    std::vector<std::optional<timing>> found(all_.size());
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (times_[i].empty() && first_[i]) times_[i] = {*first_[i]};
      if (!times_[i].empty()) found[i] = timing_of(std::move(times_[i]));
    }
    return found;
  }

 private:
  double time_call(std::size_t which) { return time_once(members_, rules_.before, all_[which].once); }

  /// The slowest rank's times; with them the ranks agree on how much of the budget is used, and so on what comes next.
  void agree(std::vector<double>& times) {
    times.push_back(seconds(clock::now() - begin_).count());
    members_.all_reduce(times, op::max);
    elapsed_ = times.back();
    times.pop_back();
  }

  void first_calls() {
    double fastest = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (i >= always_tried && elapsed_ > share_of_first_calls * rules_.budget.count()) return;
      if (all_[i].prepare) all_[i].prepare();
      std::vector<double> time{time_call(i)};
      if (all_[i].inspect) all_[i].inspect();
      agree(time);
      fastest = i == 0 ? time[0] : std::min(fastest, time[0]);
      first_[i] = time[0];
      if (i == 0 || time[0] <= hopeless * fastest + first_call_seconds) playing_.push_back(i);
    }
  }

  void play(int round) {
    std::vector<double> times(playing_.size());
    for (std::size_t k = 0; k < playing_.size(); ++k) {
      const std::size_t turn = (k + static_cast<std::size_t>(round)) % playing_.size();
      times[turn] = time_call(playing_[turn]);
    }
    agree(times);
    for (std::size_t k = 0; k < playing_.size(); ++k) times_[playing_[k]].push_back(times[k]);
    give_up(round + 1 < rounds_of_doubt ? hopeless : beaten);
  }

  /// Of its samples, or what is known of it before there are any.
  double median(std::size_t which) const {
    return times_[which].empty() ? first_[which].value_or(0) : tune::spread_of(times_[which]).median;
  }

  void give_up(double factor) {
    double fastest = median(0);
    for (const std::size_t each : playing_) fastest = std::min(fastest, median(each));
    std::erase_if(playing_, [&](std::size_t each) { return each != 0 && median(each) > factor * fastest; });
  }

  void keep_finalists() {
    std::stable_sort(playing_.begin() + 1, playing_.end(),
                     [&](std::size_t a, std::size_t b) { return median(a) < median(b); });
    playing_.resize(std::min(playing_.size(), finalists + 1));
  }

  communicator& members_;
  const turn_rules& rules_;
  const std::vector<contender>& all_;
  std::vector<std::optional<double>> first_;  // seconds of each first call
  std::vector<std::vector<double>> times_;
  std::vector<std::size_t> playing_;  // the first contender is always the first of them
  clock::time_point begin_;
  double elapsed_ = 0;
};

}  // namespace

std::vector<std::optional<timing>> measure_in_turns(communicator& members, const turn_rules& rules,
                                                    const std::vector<contender>& all) {
  if (all.empty()) return {};
  return tournament(members, rules, all).run();
}

}  // namespace hawser::detail
