// n-block broadcast and reduce on a circulant graph: N blocks in N - 1 + ceil(log2 n) rounds, the least possible.
// Traeff: Optimal broadcast schedules in logarithmic time (arXiv:2407.18004, 2024).
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <hawser/algorithm/binomial_tree.hpp>

namespace hawser::algorithm {

namespace detail {

/// Which block a member receives and sends in which round, computed from its number alone. Member 0 is the root; in
/// round i, k = i mod q, everybody receives from the member skip(k) before it and sends to the one skip(k) after it.
class n_block_schedule {
 public:
  explicit n_block_schedule(int n) : skips_{n}, rounds_(static_cast<int>(ceil_log2(n))) {
    while (skips_.back() > 1) skips_.push_back((skips_.back() + 1) / 2);
    std::reverse(skips_.begin(), skips_.end());
  }

  /// q = ceil(log2 n): after that many rounds the skips repeat.
  int period() const noexcept { return rounds_; }
  int skip(int k) const { return skips_[static_cast<std::size_t>(k)]; }

  /// Per round of the first q: the block that a member receives; -j is one that the root sent j rounds before. O(q).
  std::vector<int> received(int member) const {
    search paths{*this, skips_.back() + member, {}, {}};
    const int base = base_of(member);
    for (int k = 0; k <= rounds_; ++k) paths.is_free.push_back(k != base);
    paths.extend(0, 2 * skips_.back(), rounds_);
    for (int& block : paths.found) block = block == rounds_ ? base : block - rounds_;
    return paths.found;
  }
  /// Per round of the first q: the block that a member sends, which is what its partner of the round receives. O(q^2).
  std::vector<int> sent(int member) const {
    std::vector<int> blocks;
    blocks.reserve(static_cast<std::size_t>(rounds_));
    for (int k = 0; k < rounds_; ++k)
      blocks.push_back(received((member + skip(k)) % skips_.back())[static_cast<std::size_t>(k)]);
    return blocks;
  }
  /// The longest path from the root to a member, in messages, of a block that finds the graph empty: the most skips
  /// that the greedy sum of any distance below n takes.
  int longest_path() const {
    std::vector<int> most{0};  // per k: of the distances below skip(k)
    const auto below = [&](int limit) {
      int longest = 0, taken = 0;
      for (int k = static_cast<int>(most.size()) - 1; k >= 0; --k)
        if (skip(k) < limit) {
          longest = std::max(longest, taken + most[static_cast<std::size_t>(k)]);
          limit -= skip(k);
          ++taken;
        }
      return std::max(longest, taken);
    };
    for (int k = 1; k <= rounds_; ++k) most.push_back(below(skip(k)));
    return most.back();
  }

 private:
  /// The first block that a member receives from the root's first q: the smallest skip on its greedy path.
  int base_of(int member) const {
    for (int k = rounds_ - 1; k >= 0; --k) {
      if (skip(k) == member) return k;
      if (skip(k) < member) member -= skip(k);
    }
    return rounds_;
  }

  /// Finds, round by round, the block whose path from the root arrives then: paths are sums of skips, tried from the
  /// largest skip on, and each skip may begin one path only.
  struct search {
    const n_block_schedule& graph;
    int target;
    std::vector<bool> is_free;
    std::vector<int> found;

    void extend(int at, int bound, int largest) {
      for (int e = largest; e >= 0 && !is_complete(); --e) {
        const int next = at + graph.skip(e);
        if (!is_free[static_cast<std::size_t>(e)] || next > latest(0) || next >= bound) continue;
        if (next <= latest(1)) extend(next, bound, e);
        if (is_complete() || at > latest(1)) return;
        bound = next;
        found.push_back(e);
        is_free[static_cast<std::size_t>(e)] = false;
      }
    }
    bool is_complete() const { return static_cast<int>(found.size()) == graph.period(); }
    /// From where the round that is to be filled next, or a later one, still reaches the target.
    int latest(int later) const { return target - graph.skip(static_cast<int>(found.size()) + later); }
  };

  std::vector<int> skips_;  // 1, ..., ceil(n/4), ceil(n/2), n
  int rounds_;
};

/// Blocks of the data for n members: enough that the root sends at most 5/4 of the data.
constexpr int n_block_count(int n) {
  return std::max(1, 4 * static_cast<int>(ceil_log2(n)));
}

/// What a member sends and receives in one round; -1: nothing.
struct n_block_round {
  int to, from;  ///< members
  int sent, received;
};

/// The rounds in which a member does something, in order.
inline std::vector<n_block_round> n_block_rounds(int n, int member) {
  const n_block_schedule graph(n);
  const int q = graph.period(), blocks = n_block_count(n);
  const std::vector<int> received = graph.received(member), sent = graph.sent(member);
  // The first rounds are left out, so that the last block leaves the root in the first round of the last period.
  const int skipped = (q - (blocks - 1) % q) % q;
  std::vector<n_block_round> rounds;
  for (int i = skipped; i < blocks - 1 + q + skipped; ++i) {
    const auto k = static_cast<std::size_t>(i % q);
    const int base = i / q * q - skipped, skip = graph.skip(i % q);
    n_block_round each{(member + skip) % n, (member + n - skip) % n, std::min(base + sent[k], blocks - 1),
                       std::min(base + received[k], blocks - 1)};
    if (each.to == 0 || each.sent < 0) each.sent = -1;
    if (member == 0 || each.received < 0) each.received = -1;
    if (each.sent >= 0 || each.received >= 0) rounds.push_back(each);
  }
  return rounds;
}

/// As many receives as blocks, at most as many sends as rounds.
constexpr std::int64_t n_block_steps(std::int64_t n) {
  return 9 * ceil_log2(n) + 2;
}
/// Dependent messages: a block that finds others on its way takes one more than the first.
inline std::int64_t n_block_rounds_of(std::int64_t n) {
  return n <= 2 ? n - 1 : n_block_schedule(static_cast<int>(n)).longest_path() + 1;
}

}  // namespace detail

/// N - 1 + ceil(log2 n) rounds of one message out and one in, N = 4 ceil(log2 n): the root sends less than
/// 5/4 of the data, and every other member receives each block once.
inline void n_block_broadcast(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int n = members.size, me = members.self;
  const locator result = split(buffer::output, phase.whole, detail::n_block_count(n));
  const locator source = me == 0 ? split(phase.input, phase.whole, detail::n_block_count(n)) : result;
  if (n > 1)
    for (const auto& [to, from, sent, received] : detail::n_block_rounds(n, me)) {
      if (sent >= 0) out.send(members.at(to), source(sent, sent + 1));
      if (received >= 0) out.recv(members.at(from), result(received, received + 1));
    }
  if (me == 0) out.copy(at(buffer::output, phase.whole), at(phase.input, phase.whole));
}

/// The broadcast backwards: each member but the root sends every block once. Commutative operators only.
inline void n_block_reduce(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int n = members.size, blocks = detail::n_block_count(n);
  const locator result = split(buffer::output, phase.whole, blocks), own = split(phase.input, phase.whole, blocks);
  if (n == 1) return out.copy(result(0, 1), own(0, 1));
  std::vector<bool> is_summed(static_cast<std::size_t>(blocks), false);
  const auto sum = [&](int block) {
    return is_summed[static_cast<std::size_t>(block)] ? result(block, block + 1) : own(block, block + 1);
  };
  std::vector<detail::n_block_round> rounds = detail::n_block_rounds(n, members.self);
  std::reverse(rounds.begin(), rounds.end());
  for (const auto& [to, from, sent, received] : rounds) {
    if (received >= 0) out.send(members.at(from), sum(received));
    if (sent < 0) continue;
    out.recv_reduce(members.at(to), result(sent, sent + 1), sum(sent));
    is_summed[static_cast<std::size_t>(sent)] = true;
  }
}

}  // namespace hawser::algorithm
