// Spanning trees packed into a network: what a packed all-gather or reduce-scatter is generated from. Computed once
// (algorithm/pack_trees.hpp), the same on every rank, and stored as text.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>

namespace hawser::schedule {

/// A tree over all ranks that carries `parts` of its root's block.
struct packed_tree {
  int root = 0;
  std::int64_t parts = 0;
  std::vector<std::pair<int, int>> edges{};  ///< (parent, child), parents before their children
  friend bool operator==(const packed_tree&, const packed_tree&) = default;
};

/// The trees of each root carry all `parts` of its block between them.
struct tree_packing {
  int ranks = 1;
  std::int64_t parts = 1;       ///< equal parts that a block is cut into
  double bytes_per_second = 0;  ///< at which every rank's block can leave it at once, by the capacities
  std::vector<packed_tree> trees{};
  friend bool operator==(const tree_packing&, const tree_packing&) = default;
};

/// Text, one line per tree; `parse_tree_packing` reads it.
inline std::string to_string(const tree_packing& packing) {
  std::ostringstream text;
  text.precision(17);
  text << "hawser.tree_packing/1 " << packing.ranks << ' ' << packing.parts << ' ' << packing.bytes_per_second << '\n';
  for (const packed_tree& tree : packing.trees) {
    text << tree.root << ' ' << tree.parts;
    for (const auto& [parent, child] : tree.edges) text << ' ' << parent << '>' << child;
    text << '\n';
  }
  return text.str();
}

namespace detail {

/// Throws errc::parse unless every tree spans the ranks and the trees of each root carry its whole block.
inline void check(const tree_packing& packing) {
  const auto wrong = [](const std::string& why) { fail(errc::parse, "this is no tree packing", why); };
  if (packing.ranks < 1 || packing.parts < 1) wrong("it has no ranks or no parts");
  const auto n = static_cast<std::size_t>(packing.ranks);
  std::vector<std::int64_t> carried(n, 0);
  for (const packed_tree& tree : packing.trees) {
    if (tree.root < 0 || tree.root >= packing.ranks || tree.parts < 1) wrong("a tree has no root or carries nothing");
    std::vector<bool> has(n, false);
    has[static_cast<std::size_t>(tree.root)] = true;
    for (const auto& [parent, child] : tree.edges) {
      const bool are_ranks = parent >= 0 && parent < packing.ranks && child >= 0 && child < packing.ranks;
      if (!are_ranks || !has[static_cast<std::size_t>(parent)] || has[static_cast<std::size_t>(child)])
        wrong("the tree of rank " + std::to_string(tree.root) + " has the edge " + std::to_string(parent) + ">" +
              std::to_string(child) + ", which continues no tree");
      has[static_cast<std::size_t>(child)] = true;
    }
    if (tree.edges.size() + 1 != n) wrong("a tree of rank " + std::to_string(tree.root) + " misses some rank");
    carried[static_cast<std::size_t>(tree.root)] += tree.parts;
  }
  for (std::size_t r = 0; r < n; ++r)
    if (carried[r] != packing.parts)
      wrong("the trees of rank " + std::to_string(r) + " carry " + std::to_string(carried[r]) + " of " +
            std::to_string(packing.parts) + " parts");
}

}  // namespace detail

/// Reads what `to_string` wrote. Throws errc::parse that says what is wrong.
inline tree_packing parse_tree_packing(const std::string& text) {
  std::istringstream lines(text);
  std::string line, kind;
  tree_packing packing;
  std::getline(lines, line);
  std::istringstream head(line);
  if (!(head >> kind >> packing.ranks >> packing.parts >> packing.bytes_per_second) || kind != "hawser.tree_packing/1")
    fail(errc::parse, "this is no tree packing", "its first line is \"" + line + "\"",
         "it should be \"hawser.tree_packing/1 RANKS PARTS BYTES_PER_SECOND\"");
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    packed_tree tree;
    std::pair<int, int> edge;
    char arrow = 0;
    bool is_read = static_cast<bool>(words >> tree.root >> tree.parts);
    while (is_read && words >> edge.first) {
      is_read = words >> arrow >> edge.second && arrow == '>';
      tree.edges.push_back(edge);
    }
    if (!is_read || !words.eof())
      fail(errc::parse, "this is no tree packing", "a line is \"" + line + "\"",
           "it should be \"ROOT PARTS PARENT>CHILD ...\"");
    packing.trees.push_back(std::move(tree));
  }
  detail::check(packing);
  return packing;
}

}  // namespace hawser::schedule
