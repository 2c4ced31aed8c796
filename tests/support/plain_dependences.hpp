// The dependences of a schedule derived copy by copy of every stride: slow and plain, the oracle of derive_dependences.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <hawser/schedule/step.hpp>

namespace hawser::tests {

using schedule::fraction;
using schedule::interval;

/// Who last wrote and who has since read each interval of one buffer.
class plain_access_map {
 public:
  /// Calls `depends(step)` for each step that a read of the interval must wait for, and notes the reader.
  template <class Depends>
  void read(const interval& where, std::uint32_t reader, Depends&& depends) {
    visit(where, [&](access& each) {
      if (each.writer >= 0) depends(static_cast<std::uint32_t>(each.writer));
      if (each.readers.empty() || each.readers.back() != reader) each.readers.push_back(reader);
    });
  }

  /// Calls `depends(step)` for each step that a write must wait for, and makes it the last writer.
  template <class Depends>
  void write(const interval& where, std::uint32_t writer, Depends&& depends) {
    const auto first = visit(where, [&](access& each) {
      if (each.writer >= 0) depends(static_cast<std::uint32_t>(each.writer));
      for (std::uint32_t reader : each.readers) depends(reader);
    });
    entries_.erase(first, entries_.lower_bound(where.end));
    entries_.emplace(where.begin, access{where.end, static_cast<std::int64_t>(writer), {}});
  }

 private:
  struct access {
    fraction end;
    std::int64_t writer = -1;
    std::vector<std::uint32_t> readers;
  };
  using entries = std::map<fraction, access>;

  /// Makes a boundary at `where`, so that no entry spans it.
  void split(const fraction& where) {
    auto next = entries_.lower_bound(where);
    if (next == entries_.begin()) return;
    auto before = std::prev(next);
    if (before->second.end <= where) return;
    access rest = before->second;
    before->second.end = where;
    entries_.emplace_hint(next, where, std::move(rest));
  }

  /// Applies f to the entries that make up an interval, creating those that are missing; returns the first.
  template <class F>
  entries::iterator visit(const interval& where, F&& f) {
    split(where.begin);
    split(where.end);
    fraction at = where.begin;
    auto next = entries_.lower_bound(at);
    auto first = entries_.end();
    while (at < where.end) {
      if (next == entries_.end() || next->first > at) {
        const fraction end = next == entries_.end() ? where.end : std::min(where.end, next->first);
        next = entries_.emplace_hint(next, at, access{end, -1, {}});
      }
      if (first == entries_.end()) first = next;
      f(next->second);
      at = next->second.end;
      ++next;
    }
    return first;
  }

  entries entries_;
};

/// (before, after) for every read after write, write after read and write after write.
inline std::set<std::pair<std::uint32_t, std::uint32_t>> plain_dependences(const schedule::schedule& source) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> edges;
  plain_access_map maps[3];
  for (std::uint32_t i = 0; i < source.steps.size(); ++i) {
    const auto depends = [&](std::uint32_t before) {
      if (before != i) edges.emplace(before, i);
    };
    const auto each_interval = [&](schedule::operand o, auto&& f) {
      for (const schedule::region& r : source.at(o))
        for (std::uint32_t k = 0; k < r.count; ++k) f(maps[static_cast<std::size_t>(r.where)], r.at(k));
    };
    const schedule::step& s = source.steps[i];
    each_interval(s.source, [&](auto& map, const interval& where) { map.read(where, i, depends); });
    each_interval(s.other, [&](auto& map, const interval& where) { map.read(where, i, depends); });
    each_interval(s.target, [&](auto& map, const interval& where) { map.write(where, i, depends); });
  }
  return edges;
}

}  // namespace hawser::tests
