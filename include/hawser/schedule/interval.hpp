// Where data lies: half-open intervals of blocks, and regular strides of them, in one of a rank's three buffers.
//
// Invariant: a move keeps the fractional coordinate inside a block (source and destination differ by whole blocks), so
// that floor(count * fraction) gives both ends the same number of elements for every count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/schedule/fraction.hpp>

namespace hawser::schedule {

/// A buffer is a sequence of blocks: one for the vector of an all-reduce, one per rank for the input of an all-to-all.
enum class buffer : std::uint8_t { input, output, scratch };

/// "input", "output" or "scratch".
constexpr std::string_view to_string(buffer where) noexcept {
  switch (where) {
    case buffer::input: return "input";
    case buffer::output: return "output";
    case buffer::scratch: return "scratch";
  }
  return "?";
}

/// [begin, end) in units of blocks: [2, 3) is the third block, [1/4, 1/2) the second quarter of the first.
struct interval {
  fraction begin;
  fraction end;

  friend constexpr bool operator==(const interval&, const interval&) = default;
  constexpr bool is_empty() const noexcept { return begin >= end; }
  /// In blocks.
  constexpr fraction length() const { return end - begin; }
  /// The part of this interval that `relative`, an interval of [0, 1), names.
  constexpr interval within(const interval& relative) const {
    const fraction size = length();
    return {begin + size * relative.begin, begin + size * relative.end};
  }
  /// Part k of n equal parts.
  constexpr interval part(std::int64_t k, std::int64_t n) const { return parts(k, k + 1, n); }
  /// Parts [first, last) of n equal parts.
  constexpr interval parts(std::int64_t first, std::int64_t last, std::int64_t n) const {
    return {cut(first, n), last == n ? end : cut(last, n)};
  }

 private:
  /// (begin * (n - k) + end * k) / n, reduced once: schedules have thousands of these.
  constexpr fraction cut(std::int64_t k, std::int64_t n) const {
    constexpr std::uint64_t small = std::uint64_t{1} << 20;  // products of three such factors fit 64 bits
    const auto at = static_cast<std::uint64_t>(k), of = static_cast<std::uint64_t>(n);
    if (begin.den() == end.den() && begin.den() < small && end.num() < small && of < small)
      return {begin.num() * (of - at) + end.num() * at, begin.den() * of};
    if (end.num() < small && begin.num() < small && begin.den() < small && end.den() < small && of < 1024)
      return {begin.num() * end.den() * (of - at) + end.num() * begin.den() * at, begin.den() * end.den() * of};
    return begin + length() * fraction(at, of);
  }
};

/// `count` copies of an interval, `stride` whole blocks apart, in one buffer.
struct region {
  buffer where = buffer::input;
  std::uint32_t count = 1;
  std::int64_t stride = 0;
  interval first;

  friend constexpr bool operator==(const region&, const region&) = default;
  /// Copy k of the interval.
  constexpr interval at(std::uint32_t k) const {
    const fraction shift(stride * static_cast<std::int64_t>(k));
    return {first.begin + shift, first.end + shift};
  }
};

using region_list = std::vector<region>;

/// Appends an interval, joining it to the last region where it continues it (adjacent, or the next of a stride), so
/// that a shuffle over thousands of blocks stays one region.
inline void append(region_list& list, buffer where, const interval& added) {
  if (added.is_empty()) return;
  if (!list.empty() && list.back().where == where) {
    region& last = list.back();
    if (last.count == 1 && last.first.end == added.begin) {
      last.first.end = added.end;
      return;
    }
    const fraction previous = last.count == 1 ? last.first.begin : last.at(last.count - 1).begin;
    // Whole blocks apart only where both have the same fractional coordinate: cheap to tell, and seldom so.
    const bool is_aligned = added.begin.den() == previous.den() && added.begin.num() > previous.num() &&
                            (added.begin.num() - previous.num()) % previous.den() == 0;
    if (is_aligned && added.length() == last.first.length()) {
      const auto distance = static_cast<std::int64_t>((added.begin.num() - previous.num()) / previous.den());
      if (last.count == 1 || distance == last.stride) {
        last.stride = distance;
        ++last.count;
        return;
      }
    }
  }
  list.push_back({where, 1, 0, added});
}

/// "[0,1/2)".
inline std::string to_string(const interval& i) {
  return "[" + to_string(i.begin) + "," + to_string(i.end) + ")";
}

/// The buffer and the first interval, with count and stride where there are more.
inline std::string to_string(const region& r) {
  std::string text = std::string(to_string(r.where)) + to_string(r.first);
  if (r.count > 1) text += "x" + std::to_string(r.count) + "+" + std::to_string(r.stride);
  return text;
}

}  // namespace hawser::schedule
