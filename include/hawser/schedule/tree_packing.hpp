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
#include <hawser/schedule/rank_rotations.hpp>

namespace hawser::schedule {

/// A tree over all ranks that carries `parts` of its root's block.
struct packed_tree {
  int root = 0;
  std::int64_t parts = 0;
  std::vector<std::pair<int, int>> edges{};  ///< (parent, child), parents before their children
  friend bool operator==(const packed_tree&, const packed_tree&) = default;
};

/// The trees of each root carry all `parts` of its block between them. A tree whose root the rotations move stands for
/// what they make of it: one tree for each of their elements, rooted at each of the ranks that are alike.
struct tree_packing {
  int ranks = 1;
  std::int64_t parts = 1;       ///< equal parts that a block is cut into
  double bytes_per_second = 0;  ///< at which every rank's block can leave it at once, by the capacities
  std::vector<packed_tree> trees{};
  rank_rotations alike{ranks, {}, {}};
  friend bool operator==(const tree_packing&, const tree_packing&) = default;
};

/// Text, one line per tree, after a line "alike" where rotations make more of them; `parse_tree_packing` reads it.
inline std::string to_string(const tree_packing& packing) {
  std::ostringstream text;
  text.precision(17);
  text << "hawser.tree_packing/1 " << packing.ranks << ' ' << packing.parts << ' ' << packing.bytes_per_second << '\n';
  if (!packing.alike.digits.empty()) {
    text << "alike";
    for (const rotation& each : packing.alike.digits) text << ' ' << each.block << '/' << each.step;
    for (const int each : packing.alike.fixed) text << ' ' << each;
    text << '\n';
  }
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
  if (packing.alike.ranks != packing.ranks) wrong("its rotations are of other ranks");
  if (const char* const fault = packing.alike.fault()) wrong(fault);
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
    const int alike = packing.alike.moves(tree.root) ? packing.alike.size() : 1;
    for (int i = 0; i < alike; ++i) carried[static_cast<std::size_t>(packing.alike.moved(tree.root, i))] += tree.parts;
  }
  for (std::size_t r = 0; r < n; ++r)
    if (carried[r] != packing.parts)
      wrong("the trees of rank " + std::to_string(r) + " carry " + std::to_string(carried[r]) + " of " +
            std::to_string(packing.parts) + " parts");
}

/// False where the text is something else.
inline bool parse_rotations(const std::string& text, rank_rotations& read) {
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    std::istringstream numbers(word);
    rotation turn;
    char slash = 0;
    if (!(numbers >> turn.block)) return false;
    if (numbers.eof()) {
      read.fixed.push_back(turn.block);
    } else if (numbers >> slash >> turn.step && slash == '/' &&
               numbers.peek() == std::istringstream::traits_type::eof()) {
      read.digits.push_back(turn);
    } else {
      return false;
    }
  }
  return !read.digits.empty();
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
  packing.alike.ranks = packing.ranks;
  while (std::getline(lines, line)) {
    if (line.starts_with("alike ")) {
      if (!packing.trees.empty() || !detail::parse_rotations(line.substr(6), packing.alike))
        fail(errc::parse, "this is no tree packing", "a line is \"" + line + "\"",
             "it should be \"alike BLOCK/STEP ... FIXED_RANK ...\", before all trees");
      continue;
    }
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
