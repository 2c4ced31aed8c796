// A value for each of many disjoint intervals of one buffer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

#include <hawser/schedule/interval.hpp>

namespace hawser::schedule::detail {

/// Disjoint intervals in order, gaps allowed. Every call is O(log n) and the entries that it touches.
template <class Value>
class interval_map {
 public:
  struct entry {
    fraction end;
    Value value;
  };
  using entries = std::map<fraction, entry>;

  const entries& all() const noexcept { return entries_; }

  /// The first entry that ends after `where`.
  typename entries::const_iterator first_after(const fraction& where) const {
    auto next = entries_.upper_bound(where);
    if (next != entries_.begin() && std::prev(next)->second.end > where) --next;
    return next;
  }

  /// Calls f(value) for every entry that meets an interval.
  template <class F>
  void each(const interval& where, F&& f) const {
    for (auto next = first_after(where.begin); next != entries_.end() && next->first < where.end; ++next)
      f(next->second.value);
  }

  /// Applies f(value) to exactly an interval: entries are cut at its ends and made where there are none.
  template <class F>
  void update(const interval& where, F&& f) {
    // Most schedules touch the same chunks again and again: then one search does.
    if (const auto same = entries_.lower_bound(where.begin); is_same(same, where)) return f(same->second.value);
    split(where.begin);
    split(where.end);
    fraction at = where.begin;
    for (auto next = entries_.lower_bound(at); at < where.end; ++next) {
      if (next == entries_.end() || next->first > at) {
        const fraction end = next == entries_.end() ? where.end : std::min(where.end, next->first);
        next = entries_.emplace_hint(next, at, entry{end, {}});
      }
      f(next->second.value);
      at = next->second.end;
    }
  }

  /// One entry for the whole interval in place of all that was there.
  void assign(const interval& where, Value value) {
    if (const auto same = entries_.lower_bound(where.begin); is_same(same, where)) {
      same->second.value = std::move(value);
      return;
    }
    erase(where);
    entries_.emplace(where.begin, entry{where.end, std::move(value)});
  }

  void erase(const interval& where) {
    if (const auto same = entries_.lower_bound(where.begin); is_same(same, where)) {
      entries_.erase(same);
      return;
    }
    const auto first = first_after(where.begin);
    if (first == entries_.end() || first->first >= where.end) return;
    split(where.begin);
    split(where.end);
    entries_.erase(entries_.lower_bound(where.begin), entries_.lower_bound(where.end));
  }

 private:
  bool is_same(typename entries::iterator found, const interval& where) const {
    return found != entries_.end() && found->first == where.begin && found->second.end == where.end;
  }

  /// Makes a boundary at `where`, so that no entry spans it.
  void split(const fraction& where) {
    const auto next = entries_.lower_bound(where);
    if (next == entries_.begin()) return;
    auto before = std::prev(next);
    if (before->second.end <= where) return;
    entry rest = before->second;
    before->second.end = where;
    entries_.emplace_hint(next, where, std::move(rest));
  }

  entries entries_;
};

}  // namespace hawser::schedule::detail
