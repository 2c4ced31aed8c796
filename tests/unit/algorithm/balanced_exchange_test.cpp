// All ranks' moves of a balanced all-to-all-v, played through on labelled elements: random skewed sizes, ragged racks,
// ranks out of order; every element arrives once in its place, and no stage has a rank with two peers.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <random>
#include <set>

#include <hawser/algorithm/balanced_exchange.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::algorithm {
namespace {

using numbers = std::vector<std::int64_t>;
using place = element_range::place;

/// Sizes [from][to], and everything that ranks tell each other.
struct job {
  job(const topology::hierarchy& tree, std::mt19937& random) : racks(tree) {
    const auto n = static_cast<std::size_t>(tree.size());
    const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
    for (std::size_t s = 0; s < n; ++s) {
      const bool is_silent = number(0, 4) == 0;
      for (numbers& row = sizes.emplace_back(); row.size() < n;) {
        const int kind = number(0, 9);
        row.push_back(is_silent || kind < 3 ? 0 : kind < 9 ? number(1, 9) : number(100, 300));
      }
    }
    numbers sums(static_cast<std::size_t>(racks.racks() * racks.racks()), 0);
    for (std::size_t s = 0; s < n; ++s)
      for (std::size_t d = 0; d < n; ++d)
        sums[static_cast<std::size_t>(racks.rack_of(as_rank(s)) * racks.racks() + racks.rack_of(as_rank(d)))] +=
            sizes[s][d];
    stages = balance(sums, racks.racks());
    for (std::size_t r = 0; r < n; ++r) moves.push_back(moves_of(as_rank(r)));
  }

  static rank as_rank(std::size_t r) { return rank(static_cast<std::int32_t>(r)); }
  std::size_t size() const { return sizes.size(); }

  balanced_moves moves_of(rank self) const {
    const std::int64_t home = racks.rack_of(self);
    numbers to_racks, received;
    for (std::int64_t m = 0; m < racks.size(home); ++m) {
      const auto member = static_cast<std::size_t>(racks.at(home, m).value);
      numbers row(static_cast<std::size_t>(racks.racks()), 0);
      for (std::size_t d = 0; d < size(); ++d)
        row[static_cast<std::size_t>(racks.rack_of(as_rank(d)))] += sizes[member][d];
      to_racks.insert(to_racks.end(), row.begin(), row.end());
      for (std::size_t s = 0; s < size(); ++s) received.push_back(sizes[s][member]);
    }
    return balanced_moves_of(racks, self, {stages, sizes[static_cast<std::size_t>(self.value)], to_racks, received});
  }

  rack_view racks;
  std::vector<numbers> sizes;
  balanced_stages stages;
  std::vector<balanced_moves> moves;
};

/// An element's label: where it comes from, where it goes and its number; -1 is what nobody wrote.
std::int64_t label(std::size_t from, std::size_t to, std::int64_t i) {
  return static_cast<std::int64_t>(from * 1000 + to) * 1000 + i;
}

class player {
 public:
  explicit player(const job& what) : what_(what) {
    for (std::size_t r = 0; r < what.size(); ++r) {
      auto& [input, carried, arrived, output] = memory_.emplace_back();
      std::int64_t outputs = 0;
      for (std::size_t d = 0; d < what.size(); ++d) {
        for (std::int64_t i = 0; i < what.sizes[r][d]; ++i) input.push_back(label(r, d, i));
        outputs += what.sizes[d][r];
      }
      carried.assign(static_cast<std::size_t>(what.moves[r].carried), -1);
      arrived.assign(static_cast<std::size_t>(what.moves[r].arrived), -1);
      output.assign(static_cast<std::size_t>(outputs), -1);
    }
  }

  void run() {
    inside(&balanced_moves::rebalance, &balanced_moves::rebalanced);
    cross();
    inside(&balanced_moves::hand_out, &balanced_moves::handed_out);
  }
  const numbers& output(std::size_t r) const { return memory_[r][3]; }

 private:
  numbers read(std::size_t r, const element_ranges& ranges) {
    numbers message;
    for (const element_range& each : ranges)
      for (std::int64_t i = 0; i < each.count; ++i) {
        const std::int64_t element =
            memory_[r][static_cast<std::size_t>(each.where)].at(static_cast<std::size_t>(each.begin + i));
        EXPECT_GE(element, 0) << "sends what it does not have";
        message.push_back(element);
      }
    return message;
  }
  void write(std::size_t r, const element_ranges& ranges, const numbers& message) {
    std::size_t next = 0;
    for (const element_range& each : ranges)
      for (std::int64_t i = 0; i < each.count; ++i) {
        std::int64_t& element =
            memory_[r][static_cast<std::size_t>(each.where)].at(static_cast<std::size_t>(each.begin + i));
        EXPECT_EQ(element, -1) << "writes twice";
        element = message.at(next++);
      }
    EXPECT_EQ(next, message.size()) << "a message longer than expected";
  }

  using lists = std::vector<element_ranges> balanced_moves::*;
  void inside(lists sent, lists received) {
    for (std::size_t r = 0; r < what_.size(); ++r) {
      const std::int64_t home = what_.racks.rack_of(job::as_rank(r)), me = what_.racks.member_of(job::as_rank(r));
      for (std::int64_t m = 0; m < what_.racks.size(home); ++m) {
        const auto peer = static_cast<std::size_t>(what_.racks.at(home, m).value);
        write(peer, (what_.moves[peer].*received)[static_cast<std::size_t>(me)],
              read(r, (what_.moves[r].*sent)[static_cast<std::size_t>(m)]));
      }
    }
  }
  void cross() {
    std::map<std::pair<int, int>, std::deque<numbers>> wire;
    std::set<std::tuple<std::size_t, std::size_t>> seen;
    for (std::size_t r = 0; r < what_.size(); ++r)
      for (const auto& each : what_.moves[r].crossings) {
        EXPECT_TRUE(seen.insert({r, each.stage}).second) << "a rank with two peers in a stage";
        if (each.to.value >= 0) wire[{static_cast<int>(r), each.to.value}].push_back(read(r, {each.sent}));
      }
    for (std::size_t r = 0; r < what_.size(); ++r)
      for (const auto& each : what_.moves[r].crossings) {
        if (each.from.value < 0) continue;
        auto& lane = wire[{each.from.value, static_cast<int>(r)}];
        ASSERT_FALSE(lane.empty());
        write(r, {each.received}, lane.front());
        lane.pop_front();
      }
    for (const auto& [ends, lane] : wire) EXPECT_TRUE(lane.empty()) << "a message that nobody receives";
  }

  const job& what_;
  std::vector<std::array<numbers, 4>> memory_;
};

void check(const topology::hierarchy& tree, std::mt19937& random) {
  const job what(tree, random);
  player played(what);
  played.run();
  for (std::size_t d = 0; d < what.size(); ++d) {
    numbers wanted;
    for (std::size_t s = 0; s < what.size(); ++s)
      for (std::int64_t i = 0; i < what.sizes[s][d]; ++i) wanted.push_back(label(s, d, i));
    ASSERT_EQ(played.output(d), wanted) << "rank " << d;
  }
  // Members of a rack share what crosses evenly: to one element per stage.
  for (std::size_t r = 0; r < what.size(); ++r) {
    const std::int64_t home = what.racks.rack_of(job::as_rank(r));
    std::int64_t least_lanes = what.racks.size(home), rack = 0;
    for (std::int64_t k = 0; k < what.racks.racks(); ++k) {
      if (k != home) rack += what.stages.between(home, k);
      least_lanes = std::min(least_lanes, what.racks.size(k));
    }
    EXPECT_LE(what.moves[r].carried, rack / least_lanes + static_cast<std::int64_t>(what.stages.stages.size()));
  }
}

TEST(balanced_exchange, random_skewed_sizes_arrive) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const char* text : {"gpu:1", "gpu:5", "rack:4 gpu:1", "rack:2 gpu:2", "rack:5 gpu:4", "rack:[1,2,3]",
                           "rack:[8,3,5]", "pod:2 rack:[2,1] gpu:[3,4,5]"})
    for (int round = 0; round < 12; ++round) {
      SCOPED_TRACE(text);
      const auto tree = topology::parse_synthetic(text);
      check(tree, random);
      std::vector<rank> shuffled;
      for (std::int32_t r = 0; r < tree.size(); ++r) shuffled.emplace_back(r);
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      check(topology::hierarchy(tree.levels(), shuffled), random);
    }
}

TEST(balanced_exchange, counts_that_differ_are_a_mismatch) {
  const auto tree = topology::parse_synthetic("rack:[1,2]");
  const rack_view racks(tree);
  const balanced_stages stages = balance(numbers{0, 5, 7, 0}, 2);
  const numbers sent{0, 2, 3}, to_racks{0, 5}, expected{0, 3, 3};
  try {
    (void)balanced_moves_of(racks, 0, {stages, sent, to_racks, expected});
    FAIL() << "rank 0 expects 6, rack 1 sends 7";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::mismatch);
  }
}

TEST(balanced_exchange, refuses_what_is_of_another_machine) {
  const auto tree = topology::parse_synthetic("rack:[1,2]");
  const numbers sent{0, 2, 3}, to_racks{0, 5}, expected{0, 3, 4};
  EXPECT_THROW((void)balanced_moves_of(rack_view(tree), 0, {balance(numbers(9, 0), 3), sent, to_racks, expected}),
               error);
  EXPECT_THROW((void)balanced_moves_of(rack_view(tree), 0, {balance(numbers(4, 0), 2), sent, to_racks, sent}), error);
  EXPECT_THROW((void)balanced_moves_of(rack_view(tree), 0, {balance(numbers(4, 0), 2), to_racks, to_racks, expected}),
               error);
}

}  // namespace
}  // namespace hawser::algorithm
