// Where the blocks of a buffer lie in memory, and which bytes a schedule's regions name in one segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <hawser/schedule/interval.hpp>
#include <hawser/schedule/segments.hpp>

namespace hawser::executor {

/// A contiguous piece of memory.
struct run {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// Segment `index` of `of`: the same part of every block (schedule/segments.hpp).
struct segment {
  std::int64_t index = 0;
  std::int64_t of = 1;

  /// The segment's bounds in a block of `count` elements.
  std::int64_t begin(std::int64_t count) const noexcept { return schedule::segmentation(of).begin(count, index); }
  std::int64_t end(std::int64_t count) const noexcept { return schedule::segmentation(of).begin(count, index + 1); }
  /// At least as many elements as any segment of such a block has.
  std::int64_t largest(std::int64_t count) const noexcept { return schedule::segmentation(of).largest(count); }
};

/// The blocks of one buffer: all of one size, or each with its own count and offset.
class block_layout {
 public:
  block_layout() = default;

  /// Block b begins at element b * count.
  static block_layout uniform(void* base, std::int64_t count, std::size_t element_bytes) {
    block_layout layout;
    layout.base_ = static_cast<std::byte*>(base);
    layout.count_ = count;
    layout.element_bytes_ = element_bytes;
    return layout;
  }
  /// Block b has counts[b] elements and begins at element offsets[b]. The spans must outlive the layout.
  static block_layout ragged(void* base, std::span<const std::int64_t> counts, std::span<const std::int64_t> offsets,
                             std::size_t element_bytes) {
    block_layout layout;
    layout.base_ = static_cast<std::byte*>(base);
    layout.counts_ = counts;
    layout.offsets_ = offsets;
    layout.element_bytes_ = element_bytes;
    layout.is_ragged_ = true;
    return layout;
  }
  /// The same blocks, holding only one segment of each at a time: scratch memory of a segment in flight.
  block_layout& hold_one_segment() {
    holds_one_segment_ = true;
    return *this;
  }
  /// Sets the address of block 0.
  void move_to(void* base) noexcept { base_ = static_cast<std::byte*>(base); }
  std::byte* base() const noexcept { return base_; }

  /// Elements of a block.
  std::int64_t count(std::int64_t block) const {
    return is_ragged_ ? counts_[static_cast<std::size_t>(block)] : count_;
  }
  std::size_t element_bytes() const noexcept { return element_bytes_; }
  bool is_ragged() const noexcept { return is_ragged_; }

  /// Appends the bytes that a region names in a segment, joining what is adjacent.
  void append_runs(const schedule::region& where, segment part, std::vector<run>& runs) const {
    for (std::uint32_t k = 0; k < where.count; ++k) append_runs(where.at(k), part, runs);
  }

 private:
  std::int64_t offset(std::int64_t block, segment part) const {
    if (is_ragged_) return offsets_[static_cast<std::size_t>(block)];
    return block * (holds_one_segment_ ? part.largest(count_) : count_);
  }

  void append_runs(const schedule::interval& where, segment part, std::vector<run>& runs) const {
    const std::int64_t first = where.begin.floor(), last = where.end.ceil();
    if (!is_ragged_ && part.of == 1 && where.begin.is_whole() && where.end.is_whole())
      return append(first * count_, (last - first) * count_, runs);
    for (std::int64_t block = first; block < last; ++block) {
      const std::int64_t all = count(block), begin = part.begin(all), elements = part.end(all) - begin;
      const std::int64_t low = block == first ? where.begin.fractional().of(elements) : 0;
      const std::int64_t high = block == where.end.floor() ? where.end.fractional().of(elements) : elements;
      append(offset(block, part) + (holds_one_segment_ ? 0 : begin) + low, high - low, runs);
    }
  }

  void append(std::int64_t element, std::int64_t elements, std::vector<run>& runs) const {
    if (elements <= 0) return;
    std::byte* const data = base_ + static_cast<std::size_t>(element) * element_bytes_;
    const std::size_t bytes = static_cast<std::size_t>(elements) * element_bytes_;
    if (!runs.empty() && runs.back().data + runs.back().bytes == data)
      runs.back().bytes += bytes;
    else
      runs.push_back({data, bytes});
  }

  std::byte* base_ = nullptr;
  std::int64_t count_ = 0;
  std::span<const std::int64_t> counts_;
  std::span<const std::int64_t> offsets_;
  std::size_t element_bytes_ = 1;
  bool is_ragged_ = false;
  bool holds_one_segment_ = false;
};

}  // namespace hawser::executor
