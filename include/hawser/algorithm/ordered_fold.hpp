// The sum of contributions that lie beside each other: in the order of the members, associated as mode canonical says.
#pragma once

#include <span>
#include <vector>

#include <hawser/algorithm/phase.hpp>
#include <hawser/schedule/canonical_tree.hpp>

namespace hawser::algorithm {

/// Where a contribution, or the sum of some, lies; only what is writable may be summed over.
struct summand {
  region_list place;
  bool is_writable = false;
};

namespace detail {

/// The sum of more than one goes to `result`, or, where that is null, over one of the summands.
inline summand sum_range(std::span<const summand> values, const region_list* result, builder& out) {
  if (values.size() == 1) return values.front();
  const auto split = static_cast<std::size_t>(schedule::canonical_split(static_cast<std::int64_t>(values.size())));
  const summand left = sum_range(values.first(split), nullptr, out);
  const summand right = sum_range(values.subspan(split), nullptr, out);
  summand sum{result ? *result : (left.is_writable ? left : right).place, true};
  if (left.is_writable)
    out.reduce(sum.place, left.place, right.place);
  else
    out.reduce(sum.place, right.place, left.place, side::left);
  return sum;
}

}  // namespace detail

/// result = the sum of the values, in their order, in the canonical tree. At most one of them is not writable.
inline void sum_canonically(std::span<const summand> values, const region_list& result, builder& out) {
  const summand sum = detail::sum_range(values, &result, out);
  out.copy(result, sum.place);
}

/// Scratch places for the contributions of all members but one, each like `piece`.
class contribution_slots {
 public:
  contribution_slots(const region_list& piece, const group& members, builder& out) : self_(members.self) {
    const std::int64_t blocks = piece_blocks(piece), first = out.reserve_like(piece, members.size - 1);
    for (int i = 0; i < members.size; ++i)
      if (i == self_)
        values_.push_back({piece, false});
      else
        values_.push_back({moved(piece, buffer::scratch, first + blocks * (i < self_ ? i : i - 1)), true});
  }

  /// The place of another member's contribution.
  const region_list& of(int member) const { return values_[static_cast<std::size_t>(member)].place; }

  /// result = the canonical sum of all, the own one lying at `piece`. Overwrites the slots.
  void fold(const region_list& result, builder& out) const { sum_canonically(values_, result, out); }

 private:
  int self_;
  std::vector<summand> values_;
};

}  // namespace hawser::algorithm
