// What a flat algorithm is given: the members of its group and where each member's piece of the data lies.
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>

#include <hawser/schedule/builder.hpp>

namespace hawser::algorithm {

using schedule::append;
using schedule::buffer;
using schedule::builder;
using schedule::fraction;
using schedule::interval;
using schedule::region;
using schedule::region_list;
using schedule::side;

/// The participants of one phase, numbered 0 .. size - 1.
struct group {
  int size = 1;
  int self = 0;
  std::function<rank(int)> at;
  /// Ranks that a member stands for, and so the links that it has, where members differ; empty: all alike.
  std::function<std::int64_t(int)> weight{};
  /// The switch that joins the members, where it can reduce; -1: none. It is no member; its own steps are those of
  /// `self == size`.
  rank network_switch = -1;

  bool is_switch() const noexcept { return self == size; }
};

/// The regions of the pieces of members [first, last), in order. Pieces are disjoint.
using locator = std::function<region_list(int first, int last)>;

/// The regions of the pieces of members first, first + 1, ... (count of them), wrapping around at the group's size.
inline region_list wrapped(const locator& where, int first, int count, int size) {
  first %= size;
  region_list list = where(first, std::min(first + count, size));
  if (first + count > size)
    for (const region& each : where(0, first + count - size)) list.push_back(each);
  return list;
}

/// Appends regions, joining them where they continue each other (see schedule::append).
inline void join(region_list& list, const region_list& added) {
  for (const region& each : added)
    if (each.count == 1)
      append(list, each.where, each.first);
    else
      list.push_back(each);
}

/// The bounds of n equal parts of an interval over one denominator, so that each costs one reduction to lowest terms.
class even_parts {
 public:
  even_parts(const interval& whole, int n) : whole_(whole), n_(n) {
    const fraction step = whole.length() * fraction(1, static_cast<std::uint64_t>(n));
    const std::uint64_t shared = std::gcd(whole.begin.den(), step.den());
    const schedule::uint128 den = schedule::uint128{whole.begin.den() / shared} * step.den();
    fits_ = den * static_cast<std::uint64_t>(whole.end.ceil()) <= INT64_MAX;
    if (!fits_) return;
    den_ = static_cast<std::uint64_t>(den);
    begin_ = whole.begin.num() * (den_ / whole.begin.den());
    step_ = step.num() * (den_ / step.den());
  }
  /// Parts [first, last).
  interval at(int first, int last) const {
    if (!fits_) return whole_.parts(first, last, n_);
    return {bound(first), last == n_ ? whole_.end : bound(last)};
  }

 private:
  fraction bound(int k) const { return {begin_ + step_ * static_cast<std::uint64_t>(k), den_}; }

  interval whole_;
  int n_;
  bool fits_ = false;
  std::uint64_t den_ = 1, begin_ = 0, step_ = 0;
};

/// Piece i is part i of n equal parts of an interval of one buffer.
inline locator split(buffer where, const interval& whole, int n) {
  return [where, parts = even_parts(whole, n)](int first, int last) {
    region_list list;
    append(list, where, parts.at(first, last));
    return list;
  };
}

/// One interval of one buffer as a region list.
inline region_list at(buffer where, const interval& i) {
  return {{where, 1, 0, i}};
}

/// Whole blocks that a region list needs when its intervals are laid out one after the other (see `moved`).
inline std::int64_t piece_blocks(const region_list& list) {
  std::int64_t blocks = 0;
  for (const region& each : list) blocks += each.count * (each.first.end.ceil() - each.first.begin.floor());
  return blocks;
}

/// The same intervals laid out one after the other from a whole block of another buffer on; each keeps its fractional
/// coordinate.
inline region_list moved(const region_list& list, buffer where, std::int64_t block) {
  region_list result;
  for (const region& each : list) {
    const std::int64_t span = each.first.end.ceil() - each.first.begin.floor();
    const fraction base(each.first.begin.floor());
    const fraction to(block);
    result.push_back({where, each.count, span, {each.first.begin - base + to, each.first.end - base + to}});
    block += span * each.count;
  }
  return result;
}

/// Every member ends with the sum over all members of its own piece.
struct reduce_scatter_phase {
  group members;
  locator input;        ///< each member's contribution to every piece
  locator accumulator;  ///< where partial sums may be kept; for `members.self`: where its result belongs
};

/// Every member ends with every member's piece.
struct all_gather_phase {
  group members;
  region_list own;  ///< this member's piece, where it lies now
  locator output;   ///< where the pieces belong
};

/// Every member ends with the sum over all members of an interval.
struct all_reduce_phase {
  group members;
  interval whole;
  buffer input = buffer::input;  ///< where this member's contribution lies; the result belongs in the output
};

/// Member i ends with the pieces that all members have for it.
struct all_to_all_phase {
  group members;
  locator input;   ///< the piece for each member
  locator output;  ///< where the piece from each member belongs
};

/// One member holds data that all receive (broadcast), or receives the sum of all (reduce).
struct rooted_phase {
  group members;
  int root = 0;
  interval whole;
  buffer input = buffer::input;  ///< where this member's data lies; the result belongs in the output
};

/// The root ends with every member's piece.
struct gather_phase {
  group members;
  int root = 0;
  region_list own;  ///< this member's piece
  locator output;   ///< at the root: where the pieces belong; elsewhere only their sizes count
};

/// Every member ends with its own piece of what the root has.
struct scatter_phase {
  group members;
  int root = 0;
  locator input;    ///< at the root: the pieces; elsewhere only their sizes count
  region_list own;  ///< where this member's piece belongs
};

}  // namespace hawser::algorithm
