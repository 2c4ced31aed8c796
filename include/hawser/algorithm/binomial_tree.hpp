// Binomial trees: broadcast, reduce, gather and scatter for every root; all-reduce and barrier made of the first two.
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH (IJHPCA 2005).
#pragma once

#include <algorithm>
#include <vector>

#include <hawser/algorithm/flat.hpp>
#include <hawser/schedule/canonical_tree.hpp>

namespace hawser::algorithm {

/// The same members, numbered from one of them on.
inline group rotated(const group& members, int first) {
  const int n = members.size;
  return {n, (members.self + n - first) % n, [n, first, at = members.at](int i) { return at((i + first) % n); }};
}

/// One member's place in the binomial tree that is rooted at member 0. The subtree of a member is the range of `span`
/// members that starts with it; its children are 1, 2, 4, ... members on.
class binomial_tree {
 public:
  explicit binomial_tree(const group& members) : members_(&members) {
    const int n = members.size, self = members.self;
    width_ = self == 0 ? 1 << detail::ceil_log2(n) : self & -self;
    span_ = std::min(width_, n - self);
  }

  bool is_root() const noexcept { return members_->self == 0; }
  int span() const noexcept { return span_; }
  /// Who is nearer to the root; for all members but the root itself.
  rank parent() const { return members_->at(members_->self - width_); }

  /// Calls f(child, offset, its span), the child with the widest subtree first: as a broadcast sends.
  template <class F>
  void each_child_widest_first(F&& f) const {
    for (int offset = width_ / 2; offset >= 1; offset /= 2)
      if (offset < span_) visit(offset, f);
  }
  /// The same, the narrowest subtree first: as a reduce receives.
  template <class F>
  void each_child_narrowest_first(F&& f) const {
    for (int offset = 1; offset < span_; offset *= 2) visit(offset, f);
  }

 private:
  template <class F>
  void visit(int offset, F&& f) const {
    f(members_->at(members_->self + offset), offset, std::min(offset, span_ - offset));
  }

  const group* members_;
  int width_, span_;
};

/// floor(log2 n) dependent messages; every member but the root receives the data once.
inline void binomial_broadcast(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const binomial_tree tree(members);
  const region_list result = at(buffer::output, phase.whole);
  const region_list source = tree.is_root() ? at(phase.input, phase.whole) : result;
  if (!tree.is_root()) out.recv(tree.parent(), result);
  tree.each_child_widest_first([&](rank child, int, int) { out.send(child, source); });
  out.copy(result, source);
}

namespace detail {

/// Sums a subtree in the output, in the order of the members; returns where the sum lies.
inline region_list binomial_sum(const binomial_tree& tree, const rooted_phase& phase, builder& out) {
  const region_list result = at(buffer::output, phase.whole);
  region_list sum = at(phase.input, phase.whole);
  tree.each_child_narrowest_first([&](rank child, int, int) {
    out.recv_reduce(child, result, sum);
    sum = result;
  });
  return sum;
}

}  // namespace detail

/// floor(log2 n) dependent messages; every member but the root sends the data once. Commutative operators only, since
/// the order starts at the root.
inline void binomial_reduce(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const binomial_tree tree(members);
  const region_list sum = detail::binomial_sum(tree, phase, out);
  if (tree.is_root())
    out.copy(at(buffer::output, phase.whole), sum);
  else
    out.send(tree.parent(), sum);
}

namespace detail {

/// Members [first, last) whose sum is one of the canonical tree.
struct canonical_range {
  int first = 0, last = 0;
  int middle() const { return first + static_cast<int>(schedule::canonical_split(last - first)); }
  bool has(int member) const { return first <= member && member < last; }
  /// Who sums it: the root where it is one of them, else the first.
  int owner(int root) const { return has(root) ? root : first; }
};

/// The ranges of the canonical tree of n members that one of them is in, the smallest first.
inline std::vector<canonical_range> canonical_path(int n, int member) {
  std::vector<canonical_range> path{{0, n}};
  while (path.back().last - path.back().first > 1) {
    const auto [first, last] = path.back();
    const int middle = path.back().middle();
    path.push_back(member < middle ? canonical_range{first, middle} : canonical_range{middle, last});
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace detail

/// The canonical tree of sums (schedule/canonical_tree.hpp), for any root: it sums what it is in, the first member the
/// rest. Keeps the order. At most ceil(log2 n) dependent messages.
inline void binomial_ordered_reduce(const rooted_phase& phase, builder& out) {
  const auto& [members, root, whole, input] = phase;
  const int me = members.self;
  const region_list result = at(buffer::output, whole);
  region_list sum = at(input, whole);
  const std::vector<detail::canonical_range> path = detail::canonical_path(members.size, me);
  for (std::size_t i = 1; i < path.size(); ++i) {
    const detail::canonical_range& parent = path[i];
    const int owner = parent.owner(root), middle = parent.middle();
    if (owner != me) return out.send(members.at(owner), sum);
    const bool is_left = me < middle;
    const detail::canonical_range other =
        is_left ? detail::canonical_range{middle, parent.last} : detail::canonical_range{parent.first, middle};
    out.recv_reduce(members.at(other.owner(root)), result, sum, is_left ? side::right : side::left);
    sum = result;
  }
  out.copy(result, sum);
}

namespace detail {

/// The pieces of a subtree's members: the own one where it lies, the others in scratch, where each is written once.
class subtree_pieces {
 public:
  /// `pieces` says how large they are; `first` is the member's number there.
  subtree_pieces(const region_list& own, const locator& pieces, int first, int span, int n, builder& out) {
    at_.push_back(own);
    for (int i = 1; i < span; ++i) {
      const region_list piece = wrapped(pieces, first + i, 1, n);
      at_.push_back(moved(piece, buffer::scratch, out.reserve_like(piece, 1)));
    }
  }
  /// Of the members first .. last - 1 places on.
  region_list at(int first, int last) const {
    region_list list;
    for (int i = first; i < last; ++i) join(list, at_[static_cast<std::size_t>(i)]);
    return list;
  }

 private:
  std::vector<region_list> at_;
};

}  // namespace detail

/// floor(log2 n) dependent messages; a piece travels once per level of the tree.
inline void binomial_gather(const gather_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const binomial_tree tree(members);
  if (tree.is_root()) {
    tree.each_child_narrowest_first([&](rank child, int offset, int span) {
      out.recv(child, wrapped(phase.output, phase.root + offset, span, members.size));
    });
    return out.copy(phase.output(phase.root, phase.root + 1), phase.own);
  }
  const detail::subtree_pieces pieces(phase.own, phase.output, phase.members.self, tree.span(), members.size, out);
  tree.each_child_narrowest_first(
      [&](rank child, int offset, int span) { out.recv(child, pieces.at(offset, offset + span)); });
  out.send(tree.parent(), pieces.at(0, tree.span()));
}

/// The gather backwards.
inline void binomial_scatter(const scatter_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const binomial_tree tree(members);
  if (tree.is_root()) {
    tree.each_child_widest_first([&](rank child, int offset, int span) {
      out.send(child, wrapped(phase.input, phase.root + offset, span, members.size));
    });
    return out.copy(phase.own, phase.input(phase.root, phase.root + 1));
  }
  const detail::subtree_pieces pieces(phase.own, phase.input, phase.members.self, tree.span(), members.size, out);
  out.recv(tree.parent(), pieces.at(0, tree.span()));
  tree.each_child_widest_first(
      [&](rank child, int offset, int span) { out.send(child, pieces.at(offset, offset + span)); });
}

/// A reduce to member 0 and its broadcast; a barrier where the data is a token. Keeps the order, in the canonical tree.
inline void binomial_all_reduce(const all_reduce_phase& phase, builder& out) {
  binomial_reduce({phase.members, 0, phase.whole, phase.input}, out);
  binomial_broadcast({phase.members, 0, phase.whole, buffer::output}, out);
}

}  // namespace hawser::algorithm
