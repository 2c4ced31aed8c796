// Symbolic data: which ranks' contributions to which block an atom holds, exactly, and in which order.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hawser/schedule/canonical_tree.hpp>
#include <hawser/schedule/verify_bounds.hpp>
#include <hawser/schedule/verify_match.hpp>

namespace hawser::schedule::detail {

/// A value of an atom: a number in a pool, or one of these.
using value_id = std::int32_t;
inline constexpr value_id uninitialised = -1;
inline constexpr value_id spoilt = -2;  ///< comes from something already reported

/// Values, immutable once made: an input block and the exact set of ranks whose contributions to it are summed.
class value_pool {
 public:
  explicit value_pool(std::int64_t ranks) : ranks_(ranks), words_((static_cast<std::size_t>(ranks) + 63) / 64) {}

  /// A sum of the contributions of no rank yet to an input block.
  value_id make(std::int64_t block) {
    nodes_.push_back({block, 0, 0});
    sets_.resize(sets_.size() + words_, 0);
    return static_cast<value_id>(nodes_.size() - 1);
  }
  value_id make(std::int64_t block, std::int64_t contributor) {
    const value_id made = make(block);
    insert(made, contributor);
    return made;
  }
  void insert(value_id v, std::int64_t r) {
    set(v)[static_cast<std::size_t>(r) / 64] |= std::uint64_t{1} << (r % 64);
    nodes_[index(v)].first = r;
    nodes_[index(v)].last = r + 1;
  }
  value_id everybody(std::int64_t block) {
    const value_id made = make(block);
    for (std::int64_t r = 0; r < ranks_; ++r) insert(made, r);
    nodes_[index(made)].first = 0;
    return made;
  }

  /// left op right. The contributors in both, if any, are appended to `twice`.
  value_id sum(value_id left, value_id right, std::vector<std::int64_t>& twice) {
    const value_id made = make(block_of(left));
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t a = set(left)[w], b = set(right)[w];
      set(made)[w] = a | b;
      if ((a & b) != 0) append_ranks(twice, w, a & b);
    }
    nodes_[index(made)].first = nodes_[index(left)].first;
    nodes_[index(made)].last = nodes_[index(right)].last;
    return made;
  }
  /// Whether the ranks of `right` continue those of `left`.
  bool follows(value_id left, value_id right) const { return nodes_[index(left)].last == nodes_[index(right)].first; }
  /// Whether the canonical tree adds `right` to `left`, which it follows. By induction over the sums that made them, a
  /// value is then associated as the tree is.
  bool adds_canonically(value_id left, value_id right) const {
    return is_canonical_sum(ranks_, nodes_[index(left)].first, nodes_[index(right)].first, nodes_[index(right)].last);
  }

  std::int64_t block_of(value_id v) const { return nodes_[index(v)].block; }
  bool equal(value_id a, value_id b) const {
    if (a == b) return true;
    if (block_of(a) != block_of(b)) return false;
    for (std::size_t w = 0; w < words_; ++w)
      if (set(a)[w] != set(b)[w]) return false;
    return true;
  }
  /// The ranks of `a` that are not in `b`.
  std::vector<std::int64_t> difference(value_id a, value_id b) const {
    std::vector<std::int64_t> list;
    for (std::size_t w = 0; w < words_; ++w) append_ranks(list, w, set(a)[w] & ~set(b)[w]);
    return list;
  }

 private:
  struct node {
    std::int64_t block;
    std::int64_t first, last;  // the run of ranks, where order is kept
  };
  static std::size_t index(value_id v) { return static_cast<std::size_t>(v); }
  std::uint64_t* set(value_id v) { return sets_.data() + index(v) * words_; }
  const std::uint64_t* set(value_id v) const { return sets_.data() + index(v) * words_; }
  static void append_ranks(std::vector<std::int64_t>& list, std::size_t word, std::uint64_t bits) {
    for (int bit = 0; bits != 0; ++bit, bits >>= 1)
      if ((bits & 1) != 0) list.push_back(static_cast<std::int64_t>(word) * 64 + bit);
  }

  std::int64_t ranks_;
  std::size_t words_;
  std::vector<node> nodes_;
  std::vector<std::uint64_t> sets_;
};

/// "rank 3", "ranks 3, 5 and 12 more"
inline std::string list_ranks(const std::vector<std::int64_t>& ranks) {
  constexpr std::size_t shown = 4;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size() && i < shown; ++i)
    text.append(i ? ", " : "").append(std::to_string(ranks[i]));
  if (ranks.size() > shown) text.append(" and ").append(std::to_string(ranks.size() - shown)).append(" more");
  return text;
}

/// The contents of all ranks' buffers, and what the steps do to them.
class memory {
 public:
  memory(const machine& all, std::int64_t ranks, const request& what, bool check_order, bool check_canonical,
         violation_list& found)
      : all_(all),
        ranks_(ranks),
        what_(what),
        check_order_((check_order || check_canonical) && reduces(what.what)),
        check_canonical_(check_canonical && reduces(what.what)),
        found_(found),
        pool_(ranks) {
    for (std::size_t r = 0; r < all.ranks(); ++r) {
      contents_.emplace_back(all.at(r).atoms(), uninitialised);
      if (static_cast<std::int64_t>(r) < ranks) give_input(r);
    }
  }

  void copy_or_reduce(step_id s) {
    const std::size_t r = all_.rank_of(s), i = all_.index_of(s);
    const rank_view& view = all_.at(r);
    const auto source = view.source(i), target = view.target(i), other = view.other(i);
    const bool adds = all_.at(s).kind == step_kind::reduce;
    for (std::size_t k = 0; k < target.size(); ++k) {
      const value_id value = load(s, r, source[k]);
      store(r, target[k], adds ? combine(s, target[k], value, load(s, r, other[k])) : value);
    }
  }

  void transfer(step_id send, step_id receive) {
    const std::size_t from = all_.rank_of(send), to = all_.rank_of(receive);
    const auto source = all_.at(from).source(all_.index_of(send));
    const rank_view& view = all_.at(to);
    const auto target = view.target(all_.index_of(receive)), own = view.source(all_.index_of(receive));
    const bool adds = all_.at(receive).kind == step_kind::recv_reduce;
    for (std::size_t k = 0; k < target.size(); ++k) {
      const value_id value = load(send, from, source[k]);
      store(to, target[k], adds ? combine(receive, target[k], load(receive, to, own[k]), value) : value);
    }
  }

  void check_results() {
    for (std::size_t r = 0; static_cast<std::int64_t>(r) < ranks_ && !found_.is_full(); ++r) {
      const rank self(static_cast<std::int32_t>(r));
      const memory_map map(what_, self, ranks_);
      const bool only_root =
          has_root(what_.what) && what_.what != collective::broadcast && what_.what != collective::scatter;
      if (only_root && self != what_.root) continue;
      for (std::int64_t b = 0; b < output_blocks(what_.what, ranks_); ++b)
        check_block(r, all_.at(r).first_atom(map.output, map.first_output + b), expected(self, b));
    }
  }

 private:
  void give_input(std::size_t r) {
    const rank self(static_cast<std::int32_t>(r));
    const bool only_root = what_.what == collective::broadcast || what_.what == collective::scatter;
    if (only_root && self != what_.root) return;
    const memory_map map(what_, self, ranks_);
    for (std::int64_t b = 0; b < input_blocks(what_.what, ranks_); ++b) {
      const value_id value = pool_.make(b, self.value);
      const atom first = all_.at(r).first_atom(map.input, map.first_input + b);
      for (std::int64_t p = 0; p < all_.cuts().pieces(); ++p) contents_[r][first + static_cast<std::size_t>(p)] = value;
    }
  }

  /// What block b of a rank's output must hold at the end.
  value_id expected(rank self, std::int64_t b) {
    switch (what_.what) {
      case collective::all_reduce:
      case collective::reduce:
      case collective::barrier: return pool_.everybody(0);
      case collective::reduce_scatter: return pool_.everybody(self.value);
      case collective::all_gather:
      case collective::gather: return pool_.make(0, b);
      case collective::all_to_all:
      case collective::all_to_all_v: return pool_.make(self.value, b);
      case collective::broadcast: return pool_.make(0, what_.root.value);
      case collective::scatter: return pool_.make(self.value, what_.root.value);
    }
    return spoilt;
  }

  value_id load(step_id s, std::size_t r, atom a) {
    value_id& value = contents_[r][a];
    if (value != uninitialised) return value;
    report(violation_kind::uninitialised_read, s, "reads " + name(r, a) + ", which nobody has written");
    return value = spoilt;
  }

  void store(std::size_t r, atom a, value_id value) { contents_[r][a] = value; }

  /// The value of a reduction step at one atom; `own` stands on the side that the step's `incoming` leaves.
  value_id combine(step_id s, atom a, value_id own, value_id incoming) {
    if (own == spoilt || incoming == spoilt) return spoilt;
    const bool is_left = all_.at(s).incoming == side::left;
    const value_id left = is_left ? incoming : own, right = is_left ? own : incoming;
    if (left == last_left_ && right == last_right_) return last_sum_;
    if (pool_.block_of(left) != pool_.block_of(right)) {
      report(violation_kind::wrong_destination, s,
             "adds data of block " + std::to_string(pool_.block_of(incoming)) + " to data of block " +
                 std::to_string(pool_.block_of(own)) + " at " + name(all_.rank_of(s), a));
      return spoilt;
    }
    if (check_order_ && !pool_.follows(left, right)) {
      report(violation_kind::wrong_order, s,
             "joins contributions that do not follow each other in rank order at " + name(all_.rank_of(s), a));
      return spoilt;
    }
    if (check_canonical_ && !pool_.adds_canonically(left, right)) {
      report(violation_kind::wrong_order, s,
             "joins contributions that the canonical sum does not join at " + name(all_.rank_of(s), a));
      return spoilt;
    }
    twice_.clear();
    const value_id made = pool_.sum(left, right, twice_);
    if (!twice_.empty() && what_.what != collective::barrier) {
      report(violation_kind::double_contribution, s,
             "adds the contribution of " + list_ranks(twice_) + " twice at " + name(all_.rank_of(s), a));
      return spoilt;
    }
    last_left_ = left, last_right_ = right, last_sum_ = made;
    return made;
  }

  void check_block(std::size_t r, atom first, value_id wanted) {
    value_id last_good = wanted;
    for (std::int64_t p = 0; p < all_.cuts().pieces(); ++p) {
      const atom a = first + static_cast<atom>(p);
      const value_id value = contents_[r][a];
      if (value == spoilt || value == last_good) continue;
      if (value != uninitialised && pool_.equal(value, wanted)) {
        last_good = value;
        continue;
      }
      return wrong(r, a, value, wanted);
    }
  }

  void wrong(std::size_t r, atom a, value_id value, value_id wanted) {
    const std::string where = name(r, a) + " of rank " + std::to_string(r);
    if (value == uninitialised) return result(violation_kind::missing_contribution, r, where + " is never written");
    if (pool_.block_of(value) != pool_.block_of(wanted))
      return result(violation_kind::wrong_destination, r,
                    where + " ends with data of block " + std::to_string(pool_.block_of(value)) + " instead of block " +
                        std::to_string(pool_.block_of(wanted)));
    if (const auto foreign = pool_.difference(value, wanted); !foreign.empty())
      return result(violation_kind::wrong_destination, r,
                    where + " ends with data of " + list_ranks(foreign) + ", which does not belong there");
    result(violation_kind::missing_contribution, r,
           where + " lacks the contribution of " + list_ranks(pool_.difference(wanted, value)));
  }

  std::string name(std::size_t r, atom a) const { return all_.at(r).name(a, all_.cuts()); }
  void report(violation_kind kind, step_id s, const std::string& text) {
    if (!found_.is_full())
      found_.add(kind, all_.at(all_.rank_of(s)).self(), all_.index_of(s), all_.at(s).peer, all_.name(s) + " " + text);
  }
  void result(violation_kind kind, std::size_t r, std::string&& text) {
    found_.add(kind, all_.at(r).self(), no_step, -1, std::move(text));
  }

  const machine& all_;
  std::int64_t ranks_;
  const request& what_;
  bool check_order_;
  bool check_canonical_;
  violation_list& found_;
  value_pool pool_;
  std::vector<std::vector<value_id>> contents_;  // per rank, per atom
  std::vector<std::int64_t> twice_;
  value_id last_left_ = spoilt, last_right_ = spoilt, last_sum_ = spoilt;  // neighbouring atoms add the same values
};

}  // namespace hawser::schedule::detail
