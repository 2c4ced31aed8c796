// Classes of ranks against single ranks on random machines above the size up to which every rank's schedule is looked
// at.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/synthetic.hpp>

#include "support/seed.hpp"

namespace hawser::simulate {
namespace {

class random_case {
 public:
  explicit random_case(std::uint64_t seed) : random_(seed) {}

  int number(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  /// Flat, two or three levels, or ragged; more than `exhaustive_ranks` ranks.
  std::string machine() {
    switch (number(0, 3)) {
      case 0: return "gpu:" + std::to_string(number(17, 80)) + "@100GB/s,1us";
      case 1: return level("rack", 3, 12, "10GB/s,5us") + level("gpu", 6, 10, "100GB/s,1us");
      case 2:
        return level("pod", 2, 4, "5GB/s,9us") + level("rack", 3, 5, "10GB/s,5us") + level("gpu", 3, 5, "100GB/s,1us");
      default: return ragged();
    }
  }

 private:
  std::string level(const std::string& name, int low, int high, const std::string& link) {
    return name + ":" + std::to_string(number(low, high)) + "@" + link + " ";
  }
  std::string ragged() {
    std::string text = "rack:[17";
    for (int i = number(1, 7); i > 0; --i) text += "," + std::to_string(number(1, 9));
    return text + "]@100GB/s,1us";
  }

  std::mt19937_64 random_;
};

TEST(classes, take_the_time_of_single_ranks_on_random_machines) {
  random_case chosen(test::seed_of_run());
  int compared = 0;
  for (int machine = 0; machine < 12; ++machine) {
    const std::string text = chosen.machine();
    const topology::hierarchy tree = topology::parse_synthetic(text);
    ASSERT_GT(tree.size(), exhaustive_ranks);
    for (const schedule::collective what : schedule::all_collectives)
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        if (chosen.number(0, 9) != 0) continue;
        schedule::request asked;
        asked.what = what;
        asked.count = std::int64_t{1} << chosen.number(0, 20);
        asked.root = rank(chosen.number(0, static_cast<int>(tree.size()) - 1));
        options how;
        how.segments = chosen.number(1, 3);
        const double by_classes = simulate(tree, asked, name, how).time.count();
        how.uses_classes = false;
        const double by_ranks = simulate(tree, asked, name, how).time.count();
        EXPECT_NEAR(by_classes, by_ranks, 1e-9 * by_ranks)
            << text << ": " << to_string(what) << " by " << name << " of " << asked.count << " elements from "
            << asked.root.value << " in " << how.segments << " segments";
        ++compared;
      }
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace hawser::simulate
