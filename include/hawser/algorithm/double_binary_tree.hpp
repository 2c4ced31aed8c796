// Double binary tree all-reduce: two trees, of which each member is inner in at most one, take half of the data each.
// Sanders, Speck, Traeff: Two-tree algorithms for full bandwidth broadcast, reduction and scan (ParCo 35, 2009).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hawser/algorithm/flat.hpp>

namespace hawser::algorithm {

namespace detail {

/// A member's neighbours in a binary tree over the positions 0 .. n - 1 in order: odd positions are leaves, 0 is the
/// root and has a right child only. -1: none. (The form of NCCL's trees.)
struct tree_neighbours {
  int parent = -1, left = -1, right = -1;

  tree_neighbours(int position, int n) {
    const int bit = position == 0 ? 1 << ceil_log2(n) : position & -position;
    if (position > 0) {
      parent = (position ^ bit) | (bit << 1);
      if (parent >= n) parent = position ^ bit;
      if (bit > 1) left = position - bit / 2;
    }
    for (int step = bit / 2; step >= 1 && right < 0; step /= 2)
      if (position + step < n) right = position + step;
  }
};

/// The same tree over the members in another order: mirrored where n is even, shifted by one where it is odd, so that
/// what is a leaf in one order is inner in the other.
struct second_order {
  int n;
  int position_of(int member) const { return n % 2 == 0 ? n - 1 - member : (member + n - 1) % n; }
  int member_at(int position) const { return n % 2 == 0 ? n - 1 - position : (position + 1) % n; }
};

/// Which members make up the trees, and which hang below them in both: those so small that it is cheaper for them to
/// hand the data once each way, 1S, than to be inner, 2S.
class tree_members {
 public:
  /// A full member moves 2S, and S/2 more where one hangs on it: worth it below 2/2.5 of the largest weight. More than
  /// one per leaf of a tree would make that member the bottleneck; then all are inner.
  explicit tree_members(const group& members) : inner_count_(members.size) {
    if (!members.weight) return;
    std::int64_t largest = 0;
    for (int i = 0; i < members.size; ++i) largest = std::max(largest, members.weight(i));
    for (int i = 0; i < members.size; ++i) (5 * members.weight(i) < 4 * largest ? hanging_ : inner_).push_back(i);
    if (3 * hanging_.size() > static_cast<std::size_t>(members.size)) hanging_.clear();
    if (!hanging_.empty()) inner_count_ = static_cast<int>(inner_.size());
  }
  int inner_count() const noexcept { return inner_count_; }
  int inner(int index) const { return hanging_.empty() ? index : inner_[static_cast<std::size_t>(index)]; }
  int index_of_inner(int member) const {
    if (hanging_.empty()) return member;
    return static_cast<int>(std::lower_bound(inner_.begin(), inner_.end(), member) - inner_.begin());
  }
  /// The j-th member that hangs below; -1: there are fewer.
  int hanging(int j) const {
    return static_cast<std::size_t>(j) < hanging_.size() ? hanging_[static_cast<std::size_t>(j)] : -1;
  }
  /// Which of those that hang below a member is; -1: it is inner.
  int index_of_hanging(int member) const {
    const auto found = std::find(hanging_.begin(), hanging_.end(), member);
    return found == hanging_.end() ? -1 : static_cast<int>(found - hanging_.begin());
  }

 private:
  int inner_count_;
  std::vector<int> inner_, hanging_;  // empty where all are alike: no memory of the size of the group then
};

/// A member's neighbours in one of the two trees. -1: none.
struct tree_place {
  int parent = -1, left = -1, right = -1, hanging = -1;
};

inline tree_place place_in_tree(const tree_members& members, int self, int tree) {
  const int n = members.inner_count();
  const second_order second{n};
  const auto member_at = [&](int position) {
    return position < 0 ? -1 : members.inner(tree == 0 ? position : second.member_at(position));
  };
  // Leaves of a tree are its odd positions; what is a leaf here is inner in the other tree.
  if (const int below = members.index_of_hanging(self); below >= 0) return {.parent = member_at(2 * below + 1)};
  const int index = members.index_of_inner(self);
  const int position = tree == 0 ? index : second.position_of(index);
  const tree_neighbours near(position, n);
  return {member_at(near.parent), member_at(near.left), member_at(near.right),
          position % 2 == 1 ? members.hanging(position / 2) : -1};
}

}  // namespace detail

/// 2 ceil(log2 n) dependent messages, pipelined by segments; a member sends at most 2 times the data, like a tree, but
/// both trees together keep every member's link busy. Between racks of different sizes, the undersized ones are leaves
/// of both trees and send the data once; a rack that has one below it sends up to 5/2 of the data. Commutative
/// operators only.
inline void double_binary_tree_all_reduce(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  if (members.size == 1) return out.copy(at(buffer::output, phase.whole), at(phase.input, phase.whole));
  const detail::tree_members chosen(members);
  const detail::tree_place trees[2] = {detail::place_in_tree(chosen, members.self, 0),
                                       detail::place_in_tree(chosen, members.self, 1)};
  for (int tree = 0; tree < 2; ++tree) {
    const auto& [parent, left, right, hanging] = trees[tree];
    const interval half = phase.whole.part(tree, 2);
    const region_list result = at(buffer::output, half);
    region_list sum = at(phase.input, half);
    const auto absorb = [&](int child, side incoming) {
      if (child < 0) return;
      out.recv_reduce(members.at(child), result, sum, incoming);
      sum = result;
    };
    absorb(left, side::left);
    absorb(right, side::right);
    absorb(hanging, side::right);
    if (parent >= 0) out.send(members.at(parent), sum);
  }
  for (int tree = 0; tree < 2; ++tree) {
    const auto& [parent, left, right, hanging] = trees[tree];
    const region_list result = at(buffer::output, phase.whole.part(tree, 2));
    if (parent >= 0) out.recv(members.at(parent), result);
    for (const int child : {right, left, hanging})
      if (child >= 0) out.send(members.at(child), result);
  }
}

}  // namespace hawser::algorithm
