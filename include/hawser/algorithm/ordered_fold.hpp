// The sum of contributions that lie beside each other, in the order of the members.
#pragma once

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// Scratch places for the contributions of all members but one, each like `piece`.
class contribution_slots {
 public:
  contribution_slots(const region_list& piece, const group& members, builder& out)
      : piece_(piece), self_(members.self), size_(members.size) {
    blocks_ = piece_blocks(piece);
    first_ = out.reserve_like(piece, size_ - 1);
  }

  /// The place of another member's contribution.
  region_list of(int member) const {
    return moved(piece_, buffer::scratch, first_ + blocks_ * (member < self_ ? member : member - 1));
  }

  /// result = contributions of 0, 1, ..., the own one lying at `piece`. Overwrites the slots.
  void fold(const region_list& result, builder& out) const {
    if (size_ == 1) return out.copy(result, piece_);
    for (int member = 1; member < self_; ++member) out.reduce(of(0), of(0), of(member));
    if (self_ > 0) out.reduce(result, piece_, of(0), side::left);
    for (int member = self_ + 1; member < size_; ++member)
      out.reduce(result, member == 1 ? piece_ : result, of(member));
  }

 private:
  region_list piece_;
  int self_, size_;
  std::int64_t blocks_ = 0, first_ = 0;
};

}  // namespace hawser::algorithm
