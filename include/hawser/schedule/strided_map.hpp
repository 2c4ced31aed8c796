// A value for each of many disjoint regions of one buffer, a stride of equal copies being one entry, not one per copy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include <hawser/schedule/interval_map.hpp>

namespace hawser::schedule::detail {

/// Where many copies of a stride are alike they are kept as a comb: slots of `stride` blocks, numbered from block 0 of
/// the buffer, that all hold the same intervals. What does not fit a comb (another stride, a single interval) cuts out
/// the slots that it meets and lies in `plain_`, copy by copy; no plain entry meets a comb. The values at each point
/// are those that a plain map would have.
template <class Value>
class strided_map {
 public:
  /// Entries that are kept: a measure of memory.
  std::size_t size() const {
    std::size_t count = plain_.all().size();
    for (const auto& [begin, each] : combs_) count += each.slot.all().size();
    return count;
  }

  /// Calls f(value) for every entry that meets a region, perhaps more than once.
  template <class F>
  void each(const region& r, F&& f) const {
    each_plain(r, f);
    if (combs_.empty()) return;
    const interval span = extent(r);
    for (auto c = comb_after(span.begin.floor()); c != combs_.end() && fraction(c->first) < span.end; ++c) {
      if (c->second.stride == r.stride && is_regular(r)) {
        each_run(r, [&](const slots& run) {
          if (run.first < c->second.end / r.stride && run.last > c->first / r.stride) c->second.slot.each(run.part, f);
        });
        continue;
      }
      for (std::uint32_t k = 0; k < r.count; ++k) each_in(*c, r.at(k), f);
    }
  }

  /// Applies f(value) to exactly a region; values are made where there are none.
  template <class F>
  void update(const region& r, F&& f) {
    if (is_regular(r)) {
      each_run(r, [&](const slots& run) { update_run(r.stride, run, f); });
      return;
    }
    for (std::uint32_t k = 0; k < r.count; ++k) update_interval(r.at(k), f);
  }

  /// The same value everywhere in a region, whatever was there.
  void assign(const region& r, const Value& value) {
    if (r.count == 1) {
      cut_out(r.first);
      plain_.assign(r.first, value);
      return;
    }
    erase(r);
    update(r, [&](Value& each) { each = value; });
  }

  void erase(const region& r) {
    if (!is_regular(r)) {
      for (std::uint32_t k = 0; k < r.count; ++k) {
        cut_out(r.at(k));
        plain_.erase(r.at(k));
      }
      return;
    }
    each_run(r, [&](const slots& run) { erase_run(r.stride, run); });
  }

 private:
  using index = std::int64_t;
  static constexpr index none = std::numeric_limits<index>::max();
  /// Fewer alike slots are not worth a comb of their own.
  static constexpr index fewest_slots = 4;

  struct comb {
    index end;  // block; a multiple of the stride, as the beginning is
    index stride;
    interval_map<Value> slot;  // offsets in [0, stride)
  };
  using comb_map = std::map<index, comb>;

  /// The same part of the slots [first, last).
  struct slots {
    interval part;
    index first;
    index last;
  };

  static bool is_regular(const region& r) {
    return r.count > 1 && r.stride > 0 && r.first.length() <= fraction(r.stride);
  }
  static interval extent(const region& r) { return {r.first.begin, r.at(r.count - 1).end}; }
  static interval in_slot(const interval& part, index slot, index stride) {
    const fraction shift(slot * stride);
    return {part.begin + shift, part.end + shift};
  }

  /// A regular stride in terms of slots: two runs where its copies cross from one slot to the next.
  template <class F>
  static void each_run(const region& r, F&& f) {
    const index slot = r.first.begin.floor() / r.stride, count = r.count;
    const fraction origin(slot * r.stride), stride(r.stride);
    const interval part{r.first.begin - origin, r.first.end - origin};
    f(slots{{part.begin, std::min(part.end, stride)}, slot, slot + count});
    if (part.end > stride) f(slots{{0, part.end - stride}, slot + 1, slot + 1 + count});
  }

  typename comb_map::const_iterator comb_after(index block) const {
    auto next = combs_.upper_bound(block);
    if (next != combs_.begin() && std::prev(next)->second.end > block) --next;
    return next;
  }
  typename comb_map::iterator comb_after(index block) {
    auto next = combs_.upper_bound(block);
    if (next != combs_.begin() && std::prev(next)->second.end > block) --next;
    return next;
  }

  /// Entries and copies are both in order: each finds the next that may meet the other.
  template <class F>
  void each_plain(const region& r, F&& f) const {
    if (!is_regular(r)) {
      for (std::uint32_t k = 0; k < r.count; ++k) plain_.each(r.at(k), f);
      return;
    }
    for (std::int64_t k = 0; k < r.count;) {
      const interval copy = r.at(static_cast<std::uint32_t>(k));
      const auto found = plain_.first_after(copy.begin);
      if (found == plain_.all().end()) return;
      const auto& [begin, entry] = *found;
      if (begin < copy.end) {
        plain_.each(copy, f);
        ++k;
        // An entry over many copies is met once: go on with the copy that it ends in.
        if (entry.end > copy.end) k = std::max(k, (entry.end - r.first.begin).floor() / r.stride);
      } else {
        k = std::max(k + 1, (begin - r.first.begin).floor() / r.stride);
      }
    }
  }

  template <class F>
  static void each_in(const typename comb_map::value_type& c, const interval& whole, F&& f) {
    const auto& [block, inside] = c;
    const interval where{std::max(whole.begin, fraction(block)), std::min(whole.end, fraction(inside.end))};
    if (where.is_empty()) return;
    const index stride = inside.stride, first = where.begin.floor() / stride, last = (where.end.ceil() - 1) / stride;
    const fraction from = where.begin - fraction(first * stride), to = where.end - fraction(last * stride);
    if (first == last) return inside.slot.each({from, to}, f);
    if (last > first + 1 || from <= to) return inside.slot.each({0, stride}, f);
    inside.slot.each({from, stride}, f);
    inside.slot.each({0, to}, f);
  }

  template <class F>
  void update_interval(const interval& where, F&& f) {
    cut_out(where);
    plain_.update(where, f);
  }

  /// Makes a boundary between combs at a block that is a multiple of the comb's stride.
  void split(typename comb_map::iterator c, index block) {
    if (block <= c->first || block >= c->second.end) return;
    comb rest = c->second;
    c->second.end = block;
    combs_.emplace(block, std::move(rest));
  }

  /// Moves the slots that an interval meets from the combs to the plain entries.
  void cut_out(const interval& where) {
    while (!combs_.empty()) {
      auto c = comb_after(where.begin.floor());
      if (c == combs_.end() || fraction(c->first) >= where.end) return;
      const index stride = c->second.stride;
      const index first = std::max(c->first, where.begin.floor() / stride * stride);
      const index last = std::min(c->second.end, ((where.end.ceil() - 1) / stride + 1) * stride);
      split(c, first);
      c = comb_after(first);
      split(c, last);
      const interval_map<Value> slot = std::move(c->second.slot);
      combs_.erase(c);
      for (index k = first / stride; k < last / stride; ++k)
        for (const auto& each : slot.all())
          plain_.update(in_slot({each.first, each.second.end}, k, stride),
                        [&](Value& made) { made = each.second.value; });
    }
  }

  template <class F>
  void update_run(index stride, const slots& run, F&& f) {
    for (index slot = run.first; slot < run.last;) {
      const auto c = comb_after(slot * stride);
      const index comb_begin = c == combs_.end() ? none : c->first;
      if (comb_begin <= slot * stride && c->second.stride == stride) {
        slot = on_comb(c, slot, run.last, [&](comb& each) { each.slot.update(run.part, f); });
        continue;
      }
      const auto p = plain_.first_after(fraction(slot * stride));
      const index plain_begin = p == plain_.all().end() ? none : p->first.floor();
      const index free_until = std::min({run.last, comb_begin / stride, plain_begin / stride});
      if (free_until - slot >= fewest_slots) {
        combs_.emplace(slot * stride, comb{free_until * stride, stride, {}}).first->second.slot.update(run.part, f);
        slot = free_until;
      } else {
        update_interval(in_slot(run.part, slot, stride), f);
        ++slot;
      }
    }
  }

  /// Applies f to a comb's slots [first, last), or as many as it has; returns the slot after them.
  template <class F>
  index on_comb(typename comb_map::iterator c, index first, index last, F&& f) {
    const index stride = c->second.stride;
    split(c, first * stride);
    c = comb_after(first * stride);
    split(c, last * stride);
    f(c->second);
    return c->second.end / stride;
  }

  void erase_run(index stride, const slots& run) {
    for (index slot = run.first; slot < run.last;) {
      const auto c = comb_after(slot * stride);
      const index comb_begin = c == combs_.end() ? none : c->first;
      if (comb_begin <= slot * stride && c->second.stride == stride) {
        slot = on_comb(c, slot, run.last, [&](comb& each) { each.slot.erase(run.part); });
        continue;
      }
      const auto p = plain_.first_after(fraction(slot * stride));
      const index plain_begin = p == plain_.all().end() ? none : p->first.floor();
      const index empty_until = std::min({run.last, comb_begin / stride, plain_begin / stride});
      if (empty_until > slot) {
        slot = empty_until;
        continue;
      }
      const interval copy = in_slot(run.part, slot, stride);
      cut_out(copy);
      plain_.erase(copy);
      ++slot;
    }
  }

  interval_map<Value> plain_;
  comb_map combs_;
};

}  // namespace hawser::schedule::detail
