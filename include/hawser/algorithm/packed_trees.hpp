// All-gather, reduce-scatter and all-reduce along packed trees: each tree carries an interval of its root's block.
// Zhao et al.: ForestColl (arXiv:2402.06787). The packing is prepared once, see pack_trees.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/algorithm/phase.hpp>
#include <hawser/schedule/tree_packing.hpp>

namespace hawser::algorithm {

namespace detail {

/// One rank's neighbours in one tree, and what of the root's block the tree carries.
struct tree_role {
  int root = 0, parent = -1;
  std::vector<int> children;
  interval carried;
};

/// One tree by rank: whose child each one is, and its own children.
struct tree_links {
  std::vector<int> parent;
  std::vector<std::vector<int>> children;

  tree_links(const schedule::packed_tree& tree, int ranks)
      : parent(static_cast<std::size_t>(ranks), -1), children(parent.size()) {
    for (const auto& [from, to] : tree.edges) {
      parent[static_cast<std::size_t>(to)] = from;
      children[static_cast<std::size_t>(from)].push_back(to);
    }
  }
};

/// A rank's part in every tree, those included that rotations make. Ranks run through the trees in the same order, so
/// that messages match.
inline std::vector<tree_role> roles_in(const schedule::tree_packing& packing, int self) {
  const schedule::rank_rotations& alike = packing.alike;
  std::vector<tree_role> roles;
  std::vector<std::int64_t> carried(static_cast<std::size_t>(packing.ranks), 0);
  for (const schedule::packed_tree& tree : packing.trees) {
    const tree_links links(tree, packing.ranks);
    const int copies = alike.moves(tree.root) ? alike.size() : 1;
    for (int i = 0; i < copies; ++i) {
      const auto at = static_cast<std::size_t>(alike.moved_back(self, i));  // who plays this rank's part in the tree
      tree_role role;
      role.root = alike.moved(tree.root, i);
      std::int64_t& first = carried[static_cast<std::size_t>(role.root)];
      role.carried = interval{0, 1}.parts(first, first + tree.parts, packing.parts);
      first += tree.parts;
      if (links.parent[at] >= 0) role.parent = alike.moved(links.parent[at], i);
      for (const int child : links.children[at]) role.children.push_back(alike.moved(child, i));
      roles.push_back(std::move(role));
    }
  }
  return roles;
}

/// The part of a rank's block that a tree carries. A block is one region.
inline region_list carried_part(const locator& blocks, int root, const interval& carried) {
  region_list part = blocks(root, root + 1);
  for (region& each : part) each.first = each.first.within(carried);
  return part;
}

}  // namespace detail

/// Down every tree. The blocks that the phase locates must be one region each.
inline void packed_all_gather(const schedule::tree_packing& packing, const all_gather_phase& phase, builder& out) {
  const int me = phase.members.self;
  for (const detail::tree_role& tree : detail::roles_in(packing, me)) {
    const region_list part = detail::carried_part(phase.output, tree.root, tree.carried);
    const bool is_root = tree.root == me;
    if (!is_root) out.recv(phase.members.at(tree.parent), part);
    const locator own = [&](int, int) { return phase.own; };
    const region_list source = is_root ? detail::carried_part(own, me, tree.carried) : part;
    for (const int child : tree.children) out.send(phase.members.at(child), source);
  }
  out.copy(phase.output(me, me + 1), phase.own);
}

/// Up every tree. Commutative operators only.
inline void packed_reduce_scatter(const schedule::tree_packing& packing, const reduce_scatter_phase& phase,
                                  builder& out) {
  const int me = phase.members.self;
  for (const detail::tree_role& tree : detail::roles_in(packing, me)) {
    const region_list result = detail::carried_part(phase.accumulator, tree.root, tree.carried);
    region_list sum = detail::carried_part(phase.input, tree.root, tree.carried);
    for (auto child = tree.children.rbegin(); child != tree.children.rend(); ++child) {
      out.recv_reduce(phase.members.at(*child), result, sum);
      sum = result;
    }
    if (tree.parent >= 0) out.send(phase.members.at(tree.parent), sum);
    if (tree.root == me) out.copy(result, sum);
  }
}

/// Whether a collective can run along packed trees.
constexpr bool serves_packed(schedule::collective what) {
  using schedule::collective;
  return what == collective::all_gather || what == collective::reduce_scatter || what == collective::all_reduce;
}

/// One rank's schedule of an all-gather, a reduce-scatter or an all-reduce over all ranks of a packing.
/// Throws errc::unsupported for another collective or an operator that does not commute.
inline schedule::schedule generate_packed(const schedule::tree_packing& packing, const schedule::request& what,
                                          rank self) {
  using schedule::collective;
  const int n = packing.ranks, me = self.value;
  const group members{n, me, [](int i) { return rank(i); }};
  const auto blocks = [](buffer where) -> locator {
    return [where](int first, int last) { return at(where, {first, last}); };
  };
  builder out(what, self, n);
  out.begin_phase(std::string(to_string(what.what)) + " along packed trees");
  if (reduces(what.what) && !what.is_commutative)
    fail(errc::unsupported, "packed trees do not keep the order of a non-commutative operator");
  switch (what.what) {
    case collective::all_gather:
      packed_all_gather(packing, {members, at(buffer::input, {0, 1}), blocks(buffer::output)}, out);
      break;
    case collective::reduce_scatter: {
      out.reserve_scratch(n);
      const locator partial = [me](int first, int) {
        return first == me ? at(buffer::output, {0, 1}) : at(buffer::scratch, {first, first + 1});
      };
      packed_reduce_scatter(packing, {members, blocks(buffer::input), partial}, out);
      break;
    }
    case collective::all_reduce: {
      const locator result = split(buffer::output, {0, 1}, n);
      packed_reduce_scatter(packing, {members, split(buffer::input, {0, 1}, n), result}, out);
      packed_all_gather(packing, {members, result(me, me + 1), result}, out);
      break;
    }
    default:
      fail(errc::unsupported, std::string(to_string(what.what)) + " does not run along packed trees", {},
           "they serve all_gather, reduce_scatter and all_reduce");
  }
  return std::move(out).finish();
}

}  // namespace hawser::algorithm
