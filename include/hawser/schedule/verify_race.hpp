// Races and misaligned moves inside one rank, found from what the steps touch, not from how dependences were derived.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/schedule/verify_atoms.hpp>

namespace hawser::schedule::detail {

/// Every two steps with conflicting accesses must be ordered by the dependences. It is enough to look at each access
/// and the latest conflicting ones before it: what lies further back is ordered through them.
class race_check {
 public:
  race_check(const rank_view& view, const grid& cuts, violation_list& found)
      : view_(view), cuts_(cuts), found_(found), last_(view.atoms()), ordered_(view.size(), 0), seen_(view.size(), 0) {
    invert_dependences();
  }

  void run() {
    for (std::size_t i = 0; i < view_.size(); ++i) {
      now_ = static_cast<std::uint32_t>(i);
      check_alignment();
      for (std::uint32_t before : predecessors(now_)) ordered_[before] = now_ + 1;
      for (auto operand : {view_.source(i), view_.other(i)}) read(operand);
      write(view_.target(i));
    }
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct access {
    std::uint32_t writer = none;
    std::uint32_t first_reader = none;  // index into readers_, a chain of the readers since the last write
  };
  struct reader {
    std::uint32_t step, next;
  };

  void invert_dependences() {
    const auto& [source, waits_for, first, dependents] = view_.whole();
    first_predecessor_.assign(view_.size() + 1, 0);
    for (std::uint32_t after : dependents) ++first_predecessor_[after + 1];
    for (std::size_t i = 0; i < view_.size(); ++i) first_predecessor_[i + 1] += first_predecessor_[i];
    predecessors_.resize(dependents.size());
    std::vector<std::uint32_t> next(first_predecessor_.begin(), first_predecessor_.end());
    for (std::uint32_t i = 0; i < view_.size(); ++i)
      for (std::uint32_t after : view_.whole().dependents_of(i)) predecessors_[next[after]++] = i;
  }
  std::span<const std::uint32_t> predecessors(std::uint32_t i) const {
    return std::span(predecessors_).subspan(first_predecessor_[i], first_predecessor_[i + 1] - first_predecessor_[i]);
  }

  void read(std::span<const atom> operand) {
    for (atom a : operand) {
      access& at = last_[a];
      if (at.writer != none) need(at.writer, a);
      if (at.first_reader != none && readers_[at.first_reader].step == now_) continue;
      readers_.push_back({now_, at.first_reader});
      at.first_reader = static_cast<std::uint32_t>(readers_.size() - 1);
    }
  }

  void write(std::span<const atom> operand) {
    for (atom a : operand) {
      access& at = last_[a];
      if (at.writer == now_)
        report(violation_kind::race,
               describe_step(view_.written(), now_) + " writes " + view_.name(a, cuts_) + " twice");
      else if (at.writer != none)
        need(at.writer, a);
      for (std::uint32_t r = at.first_reader; r != none; r = readers_[r].next) need(readers_[r].step, a);
      at = {now_, none};
    }
  }

  /// The step `before` must have completed before the present one starts.
  void need(std::uint32_t before, atom a) {
    if (before == now_ || ordered_[before] == now_ + 1) return;
    if (!reaches(before))
      report(violation_kind::race, describe_step(view_.written(), now_) + " does not wait for " +
                                       describe_step(view_.written(), before) + ", which also touches " +
                                       view_.name(a, cuts_));
    ordered_[before] = now_ + 1;
  }

  /// Depth-first search from the present step backwards; dependences point forward.
  bool reaches(std::uint32_t before) {
    ++search_;
    std::vector<std::uint32_t> open{now_};
    while (!open.empty()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      for (std::uint32_t p : predecessors(i)) {
        if (p == before) return true;
        if (p < before || seen_[p] == search_) continue;
        seen_[p] = search_;
        open.push_back(p);
      }
    }
    return false;
  }

  /// Operands of a local step are of one shape, piece by piece; where they overlap they are the same.
  void check_alignment() {
    const step_kind kind = view_.written().steps[now_].kind;
    const auto source = view_.source(now_), target = view_.target(now_), other = view_.other(now_);
    const bool has_source = kind != step_kind::recv, has_target = kind != step_kind::send;
    const bool is_aligned =
        (!has_source || !has_target || fits(source, target)) && (kind != step_kind::reduce || fits(other, target));
    const bool has_stray = (!has_source && !source.empty()) || (!has_target && !target.empty()) ||
                           (kind != step_kind::reduce && !other.empty());
    if (!is_aligned || has_stray)
      report(violation_kind::misaligned_move,
             describe_step(view_.written(), now_) + " moves " + std::to_string(source.size()) + " pieces to " +
                 std::to_string(target.size()) + ", or to other fractional coordinates");
    else if (has_target && has_source)
      for (auto operand : {source, other})
        if (!operand.empty() && overlaps_shifted(operand, target))
          report(violation_kind::race, describe_step(view_.written(), now_) + " reads what it writes, shifted");
  }
  bool fits(std::span<const atom> a, std::span<const atom> b) const {
    if (a.size() != b.size()) return false;
    for (std::size_t k = 0; k < a.size(); ++k)
      if (view_.piece_of(a[k]) != view_.piece_of(b[k])) return false;
    return true;
  }
  bool overlaps_shifted(std::span<const atom> a, std::span<const atom> b) {
    if (position_.empty()) position_.assign(view_.atoms(), {});
    ++placed_;
    for (std::uint32_t k = 0; k < b.size(); ++k) position_[b[k]] = {placed_, k};
    for (std::uint32_t k = 0; k < a.size(); ++k)
      if (position_[a[k]].first == placed_ && position_[a[k]].second != k) return true;
    return false;
  }

  void report(violation_kind kind, std::string text) {
    found_.add(kind, view_.self(), now_, view_.written().steps[now_].peer, std::move(text));
  }

  const rank_view& view_;
  const grid& cuts_;
  violation_list& found_;
  std::vector<access> last_;            // per atom
  std::vector<std::uint32_t> ordered_;  // per step: is before the present one if equal to now_ + 1
  std::vector<std::uint32_t> seen_;     // per step: visited in this search
  std::vector<std::pair<std::uint32_t, std::uint32_t>> position_;  // per atom: where in the target
  std::vector<reader> readers_;
  std::vector<std::uint32_t> first_predecessor_, predecessors_;
  std::uint32_t now_ = 0, search_ = 0, placed_ = 0;
};

}  // namespace hawser::schedule::detail
