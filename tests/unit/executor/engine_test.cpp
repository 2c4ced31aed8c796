// Engines of several ranks in one thread, over a wire that delays and reorders completions at random: whatever comes
// when, results are right, every operation ends once, and after a failure nothing is left under way.
#include <hawser/executor/engine.hpp>

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/algorithm/generate.hpp>
#include <hawser/executor/reduce.hpp>
#include <hawser/schedule/program.hpp>
#include <hawser/topology/synthetic.hpp>
#include <support/delayed_wire.hpp>

namespace hawser::executor {
namespace {

using schedule::collective;
using testing::delayed_network;
using testing::delayed_wire;

/// A collective of int64 elements with its pipelining.
struct scenario {
  collective what;
  std::string algorithm;
  std::int64_t count, segments, window;
};

void PrintTo(const scenario& s, std::ostream* out) {
  *out << to_string(s.what) << " by " << s.algorithm << ", count " << s.count << ", " << s.segments << " segments, "
       << s.window << " at a time";
}

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> all{
      {collective::all_reduce, "ring", 37, 5, 2},
      {collective::all_reduce, "recursive_doubling", 37, 8, 3},
      {collective::all_reduce, "multi_ring", 64, 3, 3},
      {collective::all_reduce, "hierarchical(ring,halving_doubling)", 50, 4, 4},
      {collective::all_to_all, "bruck", 7, 3, 2},
      {collective::all_to_all, "hierarchical(pairwise,pairwise)", 9, 6, 64},
      {collective::reduce_scatter, "circulant", 11, 4, 1},
      {collective::all_gather, "pat", 3, 5, 4},
      {collective::broadcast, "n_block", 40, 2, 2},
      {collective::barrier, "dissemination", 1, 1, 1},
  };
  return all;
}

constexpr const char* machine = "rack:[3,2]";

/// One scenario on one rank: its buffers, the operation, and how often it has ended.
class member {
 public:
  member(const topology::hierarchy& tree, const scenario& wanted, rank self, engine& driver, std::uint16_t context)
      : tree_(tree), wanted_(wanted), self_(self), ranks_(tree.size()) {
    schedule::request what{.what = wanted.what, .count = wanted.count, .type = data_type::int64, .element_bytes = 8};
    input_.resize(static_cast<std::size_t>(input_blocks(what.what, ranks_) * wanted.count));
    output_.resize(static_cast<std::size_t>(output_blocks(what.what, ranks_) * wanted.count));
    operation_arguments arguments;
    arguments.program = std::make_shared<const compiled_program>(
        schedule::derive_dependences(algorithm::generate(tree, what, wanted.algorithm, self)));
    arguments.input = block_layout::uniform(input_.data(), wanted.count, 8);
    arguments.output = block_layout::uniform(output_.data(), wanted.count, 8);
    arguments.scratch_count = wanted.count;
    arguments.element_bytes = 8;
    arguments.reduce = make_reducer(data_type::int64, reduce_kind::sum);
    arguments.segments = wanted.segments;
    arguments.window = wanted.window;
    arguments.sends_empty_messages = true;
    arguments.context = context;
    arguments.ended = [](void* state) { ++static_cast<member*>(state)->ends_; };
    arguments.state = this;
    operation_ = std::make_unique<operation>(std::move(arguments), driver.wire());
  }
  member(const member&) = delete;
  member& operator=(const member&) = delete;

  operation& running() { return *operation_; }
  int ends() const { return ends_; }

  /// New contributions, and an output that is wrong everywhere.
  void fill(std::int64_t run) {
    run_ = run;
    for (std::size_t i = 0; i < input_.size(); ++i) input_[i] = contribution(self_.value, static_cast<std::int64_t>(i));
    std::fill(output_.begin(), output_.end(), -1);
  }

  bool is_right() const {
    if (wanted_.what == collective::barrier) return true;  // its token is nobody's result
    for (std::size_t i = 0; i < output_.size(); ++i)
      if (output_[i] != expected(static_cast<std::int64_t>(i))) return false;
    return true;
  }

 private:
  std::int64_t contribution(std::int64_t from, std::int64_t element) const {
    return (run_ * 100 + from + 1) * 1'000'003 + element * (from + 7);
  }
  std::int64_t total(std::int64_t element) const {
    std::int64_t sum = 0;
    for (std::int64_t r = 0; r < ranks_; ++r) sum += contribution(r, element);
    return sum;
  }
  std::int64_t expected(std::int64_t i) const {
    const std::int64_t block = i / wanted_.count, within = i % wanted_.count, own = self_.value * wanted_.count;
    switch (wanted_.what) {
      case collective::all_reduce: return total(i);
      case collective::reduce_scatter: return total(own + i);
      case collective::all_gather: return contribution(block, within);
      case collective::all_to_all: return contribution(block, own + within);
      case collective::broadcast: return contribution(0, i);
      default: return -1;
    }
  }

  const topology::hierarchy& tree_;
  scenario wanted_;
  rank self_;
  std::int64_t ranks_, run_ = 0;
  std::vector<std::int64_t> input_, output_;
  int ends_ = 0;
  std::unique_ptr<operation> operation_;
};

/// All ranks of a job in this thread.
class job {
 public:
  job(std::uint64_t seed, bool consumes) : network_(std::make_shared<delayed_network>(seed, consumes)) {
    for (int r = 0; r < size(); ++r) {
      auto wire = std::make_unique<transport::router>();
      wire->route_others(wire->add(transport::any_transport(std::make_unique<delayed_wire>(network_, r))));
      engines_.push_back(std::make_unique<engine>(std::move(wire), wait_policy{}, [] {}));
    }
  }
  int size() const { return static_cast<int>(tree_.size()); }
  delayed_network& network() { return *network_; }
  engine& at(int r) { return *engines_[static_cast<std::size_t>(r)]; }

  /// A scenario on all ranks.
  std::vector<std::unique_ptr<member>> make(const scenario& wanted, std::uint16_t context = 0) {
    std::vector<std::unique_ptr<member>> members;
    for (int r = 0; r < size(); ++r) members.push_back(std::make_unique<member>(tree_, wanted, r, at(r), context));
    return members;
  }
  void start(std::vector<std::unique_ptr<member>>& members, std::uint16_t number) {
    for (int r = 0; r < size(); ++r) {
      members[static_cast<std::size_t>(r)]->fill(number);
      at(r).start(members[static_cast<std::size_t>(r)]->running(), number);
    }
  }
  /// Drives until the condition holds; false where it does not after very many rounds.
  template <class Condition>
  bool drive_until(Condition&& holds) {
    for (int round = 0; round < 200'000; ++round) {
      if (holds()) return true;
      for (const auto& each : engines_) each->poll();
    }
    return false;
  }

 private:
  topology::hierarchy tree_ = topology::parse_synthetic(machine);
  std::shared_ptr<delayed_network> network_;
  std::vector<std::unique_ptr<engine>> engines_;
};

bool all_ended(const std::vector<std::unique_ptr<member>>& members, int times = 1) {
  return std::all_of(members.begin(), members.end(), [&](const auto& each) { return each->ends() == times; });
}
bool all_right(const std::vector<std::unique_ptr<member>>& members) {
  return std::all_of(members.begin(), members.end(), [](const auto& each) { return each->is_right(); });
}

constexpr std::uint64_t seeds = 12;

std::string seeded(std::uint64_t seed, const scenario& s) {
  return "seed " + std::to_string(seed) + ": " + ::testing::PrintToString(s);
}

TEST(engine, completions_in_any_order_give_the_right_result) {
  for (const scenario& each : scenarios())
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      SCOPED_TRACE(seeded(seed, each));
      job all(seed, seed % 2 == 0);
      auto members = all.make(each);
      all.start(members, 0);
      ASSERT_TRUE(all.drive_until([&] { return all_ended(members); }));
      EXPECT_TRUE(all_right(members));
      EXPECT_EQ(all.network().outstanding(), 0U);
      EXPECT_LE(all.network().most_segments(), static_cast<std::size_t>(std::min(each.window, each.segments)));
    }
}

/// A window is used: with completions this late, as many segments as it allows are under way at some time.
TEST(engine, keeps_a_window_of_segments_under_way) {
  for (std::int64_t window : {1, 2, 5}) {
    job all(3, false);
    auto members = all.make({collective::all_reduce, "ring", 200, 20, window});
    all.start(members, 0);
    ASSERT_TRUE(all.drive_until([&] { return all_ended(members); }));
    EXPECT_TRUE(all_right(members));
    EXPECT_EQ(all.network().most_segments(), static_cast<std::size_t>(window));
  }
}

/// All scenarios at once, on every rank in the same order; they end in whatever order the wire makes of it.
TEST(engine, several_operations_are_under_way_together) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    job all(seed, seed % 2 == 0);
    std::vector<std::vector<std::unique_ptr<member>>> under_way;
    for (std::size_t i = 0; i < scenarios().size(); ++i)
      under_way.push_back(all.make(scenarios()[i], static_cast<std::uint16_t>(i % 2)));
    for (std::size_t i = 0; i < under_way.size(); ++i) all.start(under_way[i], static_cast<std::uint16_t>(i));
    const auto is_over = [&] {
      return std::all_of(under_way.begin(), under_way.end(), [](const auto& each) { return all_ended(each); });
    };
    ASSERT_TRUE(all.drive_until(is_over));
    for (const auto& each : under_way) EXPECT_TRUE(all_right(each));
    EXPECT_EQ(all.network().outstanding(), 0U);
  }
}

/// Rank 0 may be several runs ahead of the others: order numbers keep the runs apart.
TEST(engine, an_operation_runs_again_before_others_have_ended) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    job all(seed, false);
    auto members = all.make({collective::broadcast, "binomial", 30, 6, 3});
    std::vector<std::uint16_t> started(members.size(), 0);
    constexpr int runs = 5;
    const auto is_over = [&] {
      for (std::size_t r = 0; r < members.size(); ++r) {
        if (members[r]->ends() < started[r] || started[r] == runs) continue;
        EXPECT_TRUE(started[r] == 0 || members[r]->is_right()) << "rank " << r << ", run " << started[r];
        members[r]->fill(started[r]);
        all.at(static_cast<int>(r)).start(members[r]->running(), started[r]++);
      }
      return all_ended(members, runs);
    };
    ASSERT_TRUE(all.drive_until(is_over));
    EXPECT_TRUE(all_right(members));
  }
}

/// A rank is lost in the middle: as the failure's notice does, the engines are told of the first cause; every operation
/// ends once on every rank, and no transfer is left that could touch its memory.
TEST(engine, a_failure_in_the_middle_ends_everything_once) {
  for (const scenario& each : scenarios())
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      SCOPED_TRACE(seeded(seed, each));
      job all(seed, seed % 2 == 0);
      const rank lost(static_cast<int>(seed) % all.size());
      all.network().lose(lost, static_cast<std::int64_t>(seed));
      auto members = all.make(each), others = all.make(scenarios()[seed % scenarios().size()], 1);
      all.start(members, 0);
      all.start(others, 1);
      std::optional<transport::failure> cause;
      ASSERT_TRUE(all.drive_until([&] {
        for (const auto* list : {&members, &others})
          for (const auto& one : *list)
            if (!cause && one->running().failed()) cause = one->running().failed();
        return cause.has_value();
      }));
      EXPECT_EQ(cause->code, errc::peer_failed);
      EXPECT_EQ(cause->peer, lost);
      for (int r = 0; r < all.size(); ++r) all.at(r).fail_all(*cause);
      EXPECT_TRUE(all_ended(members) && all_ended(others));
      EXPECT_EQ(all.network().outstanding(), 0U);
      for (const auto* list : {&members, &others})
        for (const auto& one : *list) {
          EXPECT_TRUE(one->running().is_done());
          EXPECT_TRUE(one->running().failed() || one->is_right());
        }
    }
}

}  // namespace
}  // namespace hawser::executor
