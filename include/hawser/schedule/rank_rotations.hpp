// Moves of ranks that leave a network as it is: some digits of a rank's number, written to a mixed radix, turn round.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hawser::schedule {

/// Within every block of `block` numbers, the numbers go up by `step`, around the end of the block.
struct rotation {
  int block = 1, step = 1;
  friend bool operator==(const rotation&, const rotation&) = default;
};

/// All combinations of some rotations. Elements are numbered 0 .. size() - 1, 0 moves nothing; only the identity where
/// nothing is set. A rank is moved to itself by element 0 alone, unless it is fixed by all.
struct rank_rotations {
  int ranks = 1;
  std::vector<int> fixed{};        ///< ranks that are never moved, ascending; the others are numbered without them
  std::vector<rotation> digits{};  ///< outermost first: step divides block, the next block is at most this step
  friend bool operator==(const rank_rotations&, const rank_rotations&) = default;

  /// Number of elements.
  int size() const {
    int product = 1;
    for (const rotation& each : digits) product *= each.block / each.step;
    return product;
  }
  /// Whether elements other than the identity move a rank: all of them, or none.
  bool moves(int rank) const { return !digits.empty() && !std::binary_search(fixed.begin(), fixed.end(), rank); }
  /// Where an element moves a rank to, and where it moves one from.
  int moved(int rank, int element) const { return turned(rank, element, false); }
  int moved_back(int rank, int element) const { return turned(rank, element, true); }

  /// What is no such set of rotations; null: nothing is wrong.
  const char* fault() const {
    if (!std::is_sorted(fixed.begin(), fixed.end(), std::less_equal<>())) return "fixed ranks do not ascend";
    if (!fixed.empty() && (fixed.front() < 0 || fixed.back() >= ranks)) return "a fixed rank is none";
    int block = ranks - static_cast<int>(fixed.size());
    for (const rotation& each : digits) {
      if (each.step < 1 || each.block <= each.step || each.block > block) return "a rotation turns nothing or too much";
      if (block % each.block != 0 || each.block % each.step != 0) return "a rotation does not divide what it turns";
      block = each.step;
    }
    return nullptr;
  }

 private:
  int turned(int rank, int element, bool is_back) const {
    if (!moves(rank)) return rank;
    int number = rank - static_cast<int>(std::lower_bound(fixed.begin(), fixed.end(), rank) - fixed.begin());
    for (const rotation& each : digits) {
      const int turns = each.block / each.step, by = element % turns;
      element /= turns;
      const int base = number / each.block * each.block;
      number = base + (number - base + (is_back ? turns - by : by) * each.step) % each.block;
    }
    for (const int each : fixed)
      if (each <= number) ++number;
    return number;
  }
};

}  // namespace hawser::schedule
