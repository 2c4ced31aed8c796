// Random block sizes of an all_to_all_v as skewed as those of an MoE layer, and the data that goes with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace hawser::test {

using matrix = std::vector<std::vector<std::int64_t>>;  // [from][to]: elements

/// Bounds of the blocks that are not empty: most are usual, one in ten is large.
struct block_bounds {
  int most_usual, least_large, most_large;
};

/// Sizes for n ranks: a third of the blocks empty, whole rows too.
inline matrix skewed_sizes(int n, std::mt19937& random, const block_bounds& bounds) {
  const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  matrix sizes(static_cast<std::size_t>(n), std::vector<std::int64_t>(static_cast<std::size_t>(n)));
  for (auto& row : sizes) {
    const bool is_silent = number(0, 4) == 0;
    for (std::int64_t& each : row) {
      const int kind = number(0, 9);
      const bool is_empty = is_silent || kind < 3, is_usual = kind < 9;
      each = is_empty ? 0 : is_usual ? number(1, bounds.most_usual) : number(bounds.least_large, bounds.most_large);
    }
  }
  return sizes;
}

/// One rank's part of an exchange: its counts, its input, and what must arrive. Elements say where they come from, as
/// whole numbers below 2^31 for up to 64 ranks and blocks of 2^19 elements.
template <class T>
struct exchange_of {
  std::vector<std::int64_t> sent, received;
  std::vector<T> data, wanted;

  exchange_of(const matrix& sizes, std::size_t self) : sent(sizes[self]) {
    for (std::size_t r = 0; r < sizes.size(); ++r) {
      received.push_back(sizes[r][self]);
      for (std::int64_t i = 0; i < sent[r]; ++i) data.push_back(element(self, r, i));
      for (std::int64_t i = 0; i < received[r]; ++i) wanted.push_back(element(r, self, i));
    }
  }

 private:
  static T element(std::size_t from, std::size_t to, std::int64_t i) {
    return static_cast<T>((static_cast<std::int64_t>(from * 64 + to) << 19) + i);
  }
};

}  // namespace hawser::test
