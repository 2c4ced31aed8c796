// Rack-to-rack traffic in stages in which every rack sends to one rack and receives from one: no incast, and the stages
// together take as long as the busiest rack's link needs anyway. Birkhoff: Tres observaciones sobre el algebra lineal
// (1946); as FAST schedules all-to-all-v (Lei et al., arXiv:2505.09764).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>

namespace hawser::algorithm {

/// A stage: rack i sends `carried[i]` elements, at most `amount`, to rack `to[i]`, which is -1 where it sends nothing.
struct balanced_stage {
  std::int64_t amount = 0;
  std::vector<std::int32_t> to;
  std::vector<std::int64_t> carried;
  friend bool operator==(const balanced_stage&, const balanced_stage&) = default;
};

/// The decomposition of a matrix of rack sums: computed from what all ranks agree on, equal on all of them.
struct balanced_stages {
  std::int64_t racks = 0;
  std::vector<std::int64_t> sums;  ///< [from * racks + to]: elements; what stays in a rack is 0
  std::vector<balanced_stage> stages;
  friend bool operator==(const balanced_stages&, const balanced_stages&) = default;

  /// Elements that one rack has for another.
  std::int64_t between(std::int64_t from, std::int64_t to) const {
    return sums[static_cast<std::size_t>(from * racks + to)];
  }
  /// What the busiest rack sends or receives: no schedule can take less time over links of one rate.
  std::int64_t bound() const {
    std::int64_t most = 0;
    for (std::int64_t i = 0; i < racks; ++i) {
      std::int64_t sent = 0, received = 0;
      for (std::int64_t j = 0; j < racks; ++j) sent += between(i, j), received += between(j, i);
      most = std::max({most, sent, received});
    }
    return most;
  }
};

namespace detail {

/// Fills the matrix up until every row and column has the same sum, then takes perfect matchings out of it. Entries
/// below a threshold are left for later, so that the first stages are large and there are few of them.
class birkhoff_decomposition {
 public:
  explicit birkhoff_decomposition(const balanced_stages& of)
      : n_(static_cast<std::size_t>(of.racks)), real_(of.sums), all_(of.sums), left_(of.bound()) {
    fill_up();
    to_.assign(n_, none);
    from_.assign(n_, none);
  }

  std::vector<balanced_stage> run() {
    std::vector<balanced_stage> stages;
    // A power of two, halved where no perfect matching of entries as large is left; at 1 there always is one.
    threshold_ = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(left_)));
    while (left_ > 0)
      if (is_matched())
        stages.push_back(take());
      else
        threshold_ /= 2;
    return stages;
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;

  std::int64_t& at(std::size_t from, std::size_t to) { return all_[from * n_ + to]; }

  void fill_up() {
    std::vector<std::int64_t> rows(n_, left_), columns(n_, left_);
    for (std::size_t i = 0; i < n_; ++i)
      for (std::size_t j = 0; j < n_; ++j) rows[i] -= at(i, j), columns[j] -= at(i, j);
    const auto fill = [&](std::size_t i, std::size_t j) {
      const std::int64_t idle = std::min(rows[i], columns[j]);
      at(i, j) += idle, rows[i] -= idle, columns[j] -= idle;
    };
    for (std::size_t i = 0; i < n_; ++i) fill(i, i);  // at best a rack idles by itself
    for (std::size_t i = 0, j = 0; i < n_ && j < n_; rows[i] == 0 ? ++i : ++j) fill(i, j);
  }

  bool is_matched() {
    for (std::size_t row = 0; row < n_; ++row) {
      if (to_[row] != none) continue;
      visited_.assign(n_, false);
      if (!augment(row)) return false;
    }
    return true;
  }
  /// Finds a place for a row, moving others where needed (Kuhn). The path is kept here: n may be in the thousands.
  bool augment(std::size_t free_row) {
    std::vector<std::pair<std::size_t, std::size_t>> path{{free_row, 0}};  // row, next column to try
    while (!path.empty()) {
      auto& [row, column] = path.back();
      while (column < n_ && (visited_[column] || at(row, column) < threshold_)) ++column;
      if (column == n_) {
        path.pop_back();
        continue;
      }
      visited_[column] = true;
      if (from_[column] != none) {
        path.emplace_back(from_[column], 0);
        ++path[path.size() - 2].second;
        continue;
      }
      ++column;
      for (const auto& [moved, next] : path) {
        to_[moved] = next - 1;
        from_[next - 1] = moved;
      }
      return true;
    }
    return false;
  }

  balanced_stage take() {
    balanced_stage stage{left_, std::vector<std::int32_t>(n_, -1), std::vector<std::int64_t>(n_, 0)};
    for (std::size_t i = 0; i < n_; ++i) stage.amount = std::min(stage.amount, at(i, to_[i]));
    for (std::size_t i = 0; i < n_; ++i) {
      const std::size_t j = to_[i];
      std::int64_t& real = real_[i * n_ + j];
      stage.carried[i] = std::min(real, stage.amount);
      if (stage.carried[i] > 0) stage.to[i] = static_cast<std::int32_t>(j);
      real -= stage.carried[i];
      at(i, j) -= stage.amount;
      if (at(i, j) < threshold_) to_[i] = from_[j] = none;
    }
    left_ -= stage.amount;
    return stage;
  }

  std::size_t n_;
  std::vector<std::int64_t> real_, all_;  // what is left, without and with what fills up
  std::int64_t left_;                     // of every row and column
  std::int64_t threshold_ = 0;
  std::vector<std::size_t> to_, from_;  // the matching
  std::vector<bool> visited_;
};

}  // namespace detail

/// Decomposes the sums of what each rack has for each other, [from * racks + to]; what a rack has for itself is left
/// out. The amounts of the stages add up to the bound. At most racks^2 stages; O(racks^2) time for each rack that a
/// stage leaves without a partner. Throws errc::invalid_argument where the matrix is not square or a sum is negative.
inline balanced_stages balance(std::span<const std::int64_t> sums, std::int64_t racks) {
  if (racks < 0 || sums.size() != static_cast<std::size_t>(racks * racks))
    fail(errc::invalid_argument, "the sums of the racks are not a square matrix",
         std::to_string(sums.size()) + " sums of " + std::to_string(racks) + " racks");
  balanced_stages made{racks, {sums.begin(), sums.end()}, {}};
  for (std::int64_t i = 0; i < racks; ++i) made.sums[static_cast<std::size_t>(i * racks + i)] = 0;
  for (std::int64_t each : made.sums)
    if (each < 0) fail(errc::invalid_argument, "a rack has less than nothing for another", std::to_string(each));
  made.stages = detail::birkhoff_decomposition(made).run();
  return made;
}

}  // namespace hawser::algorithm
