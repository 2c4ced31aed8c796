// A schedule with its dependences, ready to run: what the executor executes and the verifier checks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <hawser/schedule/step.hpp>

namespace hawser::schedule {

/// One rank's steps and which of them must have completed before another may start.
struct program {
  schedule source;
  std::vector<std::uint32_t> waits_for;        ///< per step: number of steps that it waits for
  std::vector<std::uint32_t> first_dependent;  ///< per step (and one past the end): index into `dependents`
  std::vector<std::uint32_t> dependents;

  std::span<const std::uint32_t> dependents_of(std::size_t step_index) const {
    return std::span(dependents)
        .subspan(first_dependent[step_index], first_dependent[step_index + 1] - first_dependent[step_index]);
  }
};

namespace detail {

/// Who last wrote and who has since read each interval of one buffer.
class access_map {
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

}  // namespace detail

/// Derives the dependences of a schedule from the overlap of what its steps read and write (read after write, write
/// after read, write after write). O(k log k) for k intervals.
inline program derive_dependences(schedule source) {
  const auto steps = static_cast<std::uint32_t>(source.steps.size());
  detail::access_map maps[3];
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  // (before, after)
  for (std::uint32_t i = 0; i < steps; ++i) {
    const std::size_t first_edge = edges.size();
    const auto depends = [&](std::uint32_t before) {
      if (before != i) edges.emplace_back(before, i);
    };
    const auto each_interval = [&](operand o, auto&& f) {
      for (const region& r : source.at(o))
        for (std::uint32_t k = 0; k < r.count; ++k) f(maps[static_cast<std::size_t>(r.where)], r.at(k));
    };
    const step& s = source.steps[i];
    each_interval(s.source, [&](auto& map, const interval& where) { map.read(where, i, depends); });
    each_interval(s.other, [&](auto& map, const interval& where) { map.read(where, i, depends); });
    each_interval(s.target, [&](auto& map, const interval& where) { map.write(where, i, depends); });
    std::sort(edges.begin() + static_cast<std::ptrdiff_t>(first_edge), edges.end());
    edges.erase(std::unique(edges.begin() + static_cast<std::ptrdiff_t>(first_edge), edges.end()), edges.end());
  }

  program result;
  result.waits_for.assign(steps, 0);
  result.first_dependent.assign(steps + 1, 0);
  for (const auto& [before, after] : edges) {
    ++result.waits_for[after];
    ++result.first_dependent[before + 1];
  }
  for (std::uint32_t i = 0; i < steps; ++i) result.first_dependent[i + 1] += result.first_dependent[i];
  result.dependents.resize(edges.size());
  std::vector<std::uint32_t> next(result.first_dependent.begin(), result.first_dependent.end());
  for (const auto& [before, after] : edges) result.dependents[next[before]++] = after;
  result.source = std::move(source);
  return result;
}

}  // namespace hawser::schedule
