// The n-block schedules: as few rounds as possible where a member sends and receives one message at a time.
#include <hawser/algorithm/generate.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace {

using namespace hawser;
using schedule::fraction;
using schedule::step;

/// One rank's messages of one direction, in program order.
struct lane {
  std::vector<const step*> steps;
  std::size_t next = 0;
  const step* front() const { return next < steps.size() ? steps[next] : nullptr; }
};

/// Executes a broadcast in rounds in which every rank sends at most one message and receives at most one, and forwards
/// only what it received in an earlier round. Returns the rounds; 0: it does not end.
int one_ported_rounds(int n, int root) {
  const auto tree = topology::parse_synthetic("gpu:" + std::to_string(n));
  schedule::request call;
  call.what = schedule::collective::broadcast;
  call.root = root;
  std::vector<schedule::schedule> all;
  for (int r = 0; r < n; ++r) all.push_back(algorithm::generate(tree, call, "n_block", r));
  std::vector<lane> out(all.size()), in(all.size());
  std::vector<std::set<fraction>> has(all.size());
  std::size_t left = 0;
  for (std::size_t r = 0; r < all.size(); ++r)
    for (const step& each : all[r].steps) {
      if (each.sends()) out[r].steps.push_back(&each), ++left;
      if (each.receives()) in[r].steps.push_back(&each);
    }
  int rounds = 0;
  for (; left > 0; ++rounds) {
    std::vector<std::pair<std::size_t, fraction>> arrived;
    for (std::size_t from = 0; from < all.size(); ++from) {
      const step* sent = out[from].front();
      if (sent == nullptr) continue;
      const auto to = static_cast<std::size_t>(sent->peer.value);
      const fraction block = all[from].at(sent->source).front().first.begin;
      const step* wanted = in[to].front();
      const bool is_held = static_cast<int>(from) == root || has[from].count(block) > 0;
      if (!is_held || wanted == nullptr || wanted->peer.value != static_cast<int>(from)) continue;
      arrived.emplace_back(to, block);
      ++out[from].next;
    }
    if (arrived.empty()) return 0;
    left -= arrived.size();
    for (const auto& [to, block] : arrived) {
      has[to].insert(block);
      ++in[to].next;
    }
  }
  return rounds;
}

TEST(n_block, broadcast_takes_the_least_rounds) {
  for (int n : {2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 97, 128, 129, 200}) {
    const int least = algorithm::detail::n_block_count(n) - 1 + static_cast<int>(algorithm::detail::ceil_log2(n));
    EXPECT_EQ(one_ported_rounds(n, 0), least) << n;
    EXPECT_EQ(one_ported_rounds(n, n / 2), least) << n;
  }
}

/// What a member sends is what its partner expects, and it has received that before (Traeff, section 2).
TEST(n_block, schedules_of_a_large_machine_fit_together) {
  for (int n : {1000, 4096, 65'535, 131'072, 131'073}) {
    const algorithm::detail::n_block_schedule graph(n);
    const int q = graph.period();
    for (int member = 1; member < n; member += 1 + n / 97) {
      const std::vector<int> received = graph.received(member), sent = graph.sent(member);
      ASSERT_EQ(received.size(), static_cast<std::size_t>(q));
      // One block of this period, and of the last q all others.
      const int base = *std::max_element(received.begin(), received.end());
      std::vector<int> expected{base}, sorted = received;
      for (int j = 1; j <= q; ++j)
        if (-j != base - q) expected.push_back(-j);
      std::sort(expected.begin(), expected.end());
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, expected) << member << " of " << n;
      for (int k = 0; k < q; ++k) {
        const int block = sent[static_cast<std::size_t>(k)];
        const bool is_held = block == base - q || std::count(received.begin(), received.begin() + k, block) == 1;
        EXPECT_TRUE(is_held) << member << " of " << n << " sends " << block << " in round " << k;
      }
    }
    std::vector<int> rising(static_cast<std::size_t>(q));
    for (int k = 0; k < q; ++k) rising[static_cast<std::size_t>(k)] = k;
    EXPECT_EQ(graph.sent(0), rising);
  }
}

TEST(n_block, the_root_sends_less_than_five_quarters) {
  for (int n : {2, 3, 9, 64, 100}) {
    const auto tree = topology::parse_synthetic("gpu:" + std::to_string(n));
    schedule::request call;
    call.what = schedule::collective::broadcast;
    const auto root = algorithm::generate(tree, call, "n_block", 0);
    fraction sent;
    for (const step& each : root.steps)
      for (const auto& region : root.at(each.source))
        if (each.sends()) sent = sent + region.first.length();
    EXPECT_GE(sent, fraction(1));
    EXPECT_LT(sent, fraction(5, 4)) << n;
  }
}

}  // namespace
