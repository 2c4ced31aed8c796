// Broadcast and reduce of long vectors in parts: a scatter and an all-gather, or a reduce-scatter and a gather.
// van de Geijn, Barnett et al.: Interprocessor collective communication library (SHPCC 1994).
#pragma once

#include <hawser/algorithm/binomial_tree.hpp>
#include <hawser/algorithm/circulant.hpp>

namespace hawser::algorithm {

/// A binomial scatter of n parts and a circulant all-gather; the root sends less than 2 times the data.
inline void scatter_all_gather_broadcast(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int n = members.size, me = members.self;
  const binomial_tree tree(members);
  const locator result = split(buffer::output, phase.whole, n);
  const locator source = tree.is_root() ? split(phase.input, phase.whole, n) : result;
  if (!tree.is_root()) out.recv(tree.parent(), result(me, me + tree.span()));
  tree.each_child_widest_first(
      [&](rank child, int offset, int span) { out.send(child, source(me + offset, me + offset + span)); });
  circulant_all_gather({members, source(me, me + 1), result}, out);
}

/// A circulant reduce-scatter of n parts and a binomial gather; the root receives less than 2 times the data.
/// Commutative operators only.
inline void reduce_scatter_gather_reduce(const rooted_phase& phase, builder& out) {
  const group members = rotated(phase.members, phase.root);
  const int n = members.size, me = members.self;
  const binomial_tree tree(members);
  const locator result = split(buffer::output, phase.whole, n);
  circulant_reduce_scatter({members, split(phase.input, phase.whole, n), result}, out);
  tree.each_child_narrowest_first(
      [&](rank child, int offset, int span) { out.recv(child, result(me + offset, me + offset + span)); });
  if (!tree.is_root()) out.send(tree.parent(), result(me, me + tree.span()));
}

}  // namespace hawser::algorithm
