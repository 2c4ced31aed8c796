// Double binary tree all-reduce: two trees, of which each member is inner in at most one, take half of the data each.
// Sanders, Speck, Traeff: Two-tree algorithms for full bandwidth broadcast, reduction and scan (ParCo 35, 2009).
#pragma once

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

}  // namespace detail

/// 2 ceil(log2 n) dependent messages, pipelined by segments; a member sends at most 2 times the data, like a tree, but
/// both trees together keep every member's link busy. Commutative operators only.
inline void double_binary_tree_all_reduce(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  const int n = members.size, me = members.self;
  if (n == 1) return out.copy(at(buffer::output, phase.whole), at(phase.input, phase.whole));
  const detail::second_order second{n};
  const detail::tree_neighbours trees[2] = {{me, n}, {second.position_of(me), n}};
  const auto peer = [&](int tree, int position) {
    return members.at(tree == 0 ? position : second.member_at(position));
  };
  for (int tree = 0; tree < 2; ++tree) {
    const interval half = phase.whole.part(tree, 2);
    const region_list result = at(buffer::output, half);
    region_list sum = at(phase.input, half);
    const auto absorb = [&](int child, side incoming) {
      if (child < 0) return;
      out.recv_reduce(peer(tree, child), result, sum, incoming);
      sum = result;
    };
    absorb(trees[tree].left, side::left);
    absorb(trees[tree].right, side::right);
    if (trees[tree].parent >= 0) out.send(peer(tree, trees[tree].parent), sum);
  }
  for (int tree = 0; tree < 2; ++tree) {
    const region_list result = at(buffer::output, phase.whole.part(tree, 2));
    if (trees[tree].parent >= 0) out.recv(peer(tree, trees[tree].parent), result);
    for (const int child : {trees[tree].right, trees[tree].left})
      if (child >= 0) out.send(peer(tree, child), result);
  }
}

}  // namespace hawser::algorithm
