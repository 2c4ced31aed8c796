// Breaks the schedules of every registered algorithm, one step at a time, and expects the verifier to see it. What it
// does not object to must be right all the same: an oracle runs such a mutant on data to decide.
#include <hawser/algorithm/enumerate.hpp>
#include <hawser/schedule/verify.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <map>

#include "mutants.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

struct tally {
  int made = 0, equivalent = 0;
};

/// One algorithm's call on one machine, with the right programs of all ranks.
class subject {
 public:
  subject(const topology::hierarchy& tree, const request& what, std::string name)
      : what_(what),
        name_(std::move(name)),
        ranks_(static_cast<int>(tree.size())),
        participants_(ranks_ + static_cast<int>(topology::reducing_switches(tree).count())) {
    for (int r = 0; r < participants_; ++r) {
      right_.push_back(algorithm::generate(tree, what_, name_, r));
      programs_.push_back(schedule::derive_dependences(right_.back()));
    }
  }

  std::vector<schedule::violation> verify(int changed, const schedule::program& instead) const {
    return schedule::verify(
        what_, ranks_,
        [&](rank r) { return r.value == changed ? instead : programs_[static_cast<std::size_t>(r.value)]; },
        {.check_order = !what_.is_commutative, .switches = participants_ - ranks_, .max_violations = 1});
  }

  void break_steps(std::map<mutation, tally>& tallies) const {
    const oracle runs(what_, ranks_);
    ASSERT_TRUE(runs.is_right(right_)) << text() << ": the oracle disagrees with the right schedule";
    for (mutation how : all_mutations)
      for (int r = 0; r < participants_; ++r)
        each_mutant(right_[static_cast<std::size_t>(r)], how, participants_,
                    [&](const schedule::schedule& mutant, const std::string& what_changed) {
                      ++tallies[how].made;
                      if (!verify(r, schedule::derive_dependences(mutant)).empty()) return;
                      schedules all = right_;
                      all[static_cast<std::size_t>(r)] = mutant;
                      ++tallies[how].equivalent;
                      if (!runs.is_right(all)) ADD_FAILURE() << text() << ": not caught: " << what_changed;
                    });
  }

  /// Leaves out every dependence in turn: a race, unless others imply it.
  void break_dependences(int& dropped, int& implied) const {
    for (int r = 0; r < participants_; ++r) {
      const schedule::program& whole = programs_[static_cast<std::size_t>(r)];
      for (std::uint32_t before = 0; before < whole.waits_for.size(); ++before)
        for (std::uint32_t k = whole.first_dependent[before]; k < whole.first_dependent[before + 1]; ++k) {
          schedule::program less = whole;
          const std::uint32_t after = less.dependents[k];
          less.dependents.erase(less.dependents.begin() + k);
          for (std::size_t i = before + 1; i < less.first_dependent.size(); ++i) --less.first_dependent[i];
          --less.waits_for[after];
          const auto found = verify(r, less);
          ++dropped;
          if (is_reachable(less, before, after)) {
            ++implied;
            EXPECT_TRUE(found.empty()) << text() << ": " << to_string(found.front());
          } else {
            ASSERT_FALSE(found.empty()) << text() << ": not caught: " << after << " no longer waits for " << before;
            EXPECT_EQ(found.front().kind, schedule::violation_kind::race) << to_string(found.front());
          }
        }
    }
  }

  std::string text() const {
    return std::string(to_string(what_.what)) + " by " + name_ + " for " + std::to_string(ranks_) + " ranks" +
           (has_root(what_.what) ? ", root " + to_string(what_.root) : "") + (what_.in_place ? ", in place" : "");
  }

 private:
  static bool is_reachable(const schedule::program& whole, std::uint32_t from, std::uint32_t to) {
    std::vector<bool> seen(whole.waits_for.size(), false);
    seen[from] = true;
    for (std::uint32_t i = from; i < to; ++i)
      for (std::uint32_t after : whole.dependents_of(i))
        if (seen[i]) seen[after] = true;
    return seen[to];
  }

  request what_;
  std::string name_;
  int ranks_, participants_;  // the switches that reduce come after the ranks
  schedules right_;
  std::vector<schedule::program> programs_;
};

template <class F>
void each_subject(collective what, const std::vector<std::string>& machines, F&& f) {
  int number = 0;
  for (const std::string& machine : machines) {
    const auto tree = topology::parse_synthetic(machine);
    for (const std::string& name : algorithm::algorithm_names(tree, what)) {
      request call;
      call.what = what;
      call.has_ragged_blocks = what == collective::all_to_all_v;
      call.root = static_cast<std::int32_t>(++number % tree.size());
      call.in_place = number % 3 == 0;
      call.is_commutative = !(reduces(what) && algorithm::keeps_order(tree, what, name));
      f(subject(tree, call, name));
    }
  }
}

class mutation_of : public testing::TestWithParam<collective> {};

TEST_P(mutation_of, any_single_step_is_caught) {
  std::map<mutation, tally> tallies;
  each_subject(GetParam(),
               {"gpu:1", "gpu:2", "gpu:3", "gpu:4", "gpu:5", "gpu:6", "gpu:9", "rack:[1,3,2]", "gpu:3+reduces",
                "rack:2+reduces gpu:[1,2]+reduces"},
               [&](const subject& each) { each.break_steps(tallies); });
  for (const auto& [how, count] : tallies) {
    std::printf("%s: %s: %d mutants, %d of them equivalent\n", std::string(to_string(GetParam())).c_str(),
                to_string(how), count.made, count.equivalent);
    EXPECT_LT(count.equivalent, count.made);
  }
}

TEST_P(mutation_of, any_needed_dependence_is_caught) {
  int dropped = 0, implied = 0;
  each_subject(GetParam(),
               {"gpu:2", "gpu:3", "gpu:4", "gpu:5", "gpu:6", "rack:[1,3,2]", "gpu:3+reduces",
                "rack:2+reduces gpu:[1,2]+reduces"},
               [&](const subject& each) { each.break_dependences(dropped, implied); });
  std::printf("%s: %d dependences dropped, %d of them implied by others\n", std::string(to_string(GetParam())).c_str(),
              dropped, implied);
}

INSTANTIATE_TEST_SUITE_P(collectives, mutation_of, testing::ValuesIn(schedule::all_collectives),
                         [](const auto& each) { return std::string(to_string(each.param)); });

}  // namespace
