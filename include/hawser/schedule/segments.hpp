// Where a call's segments begin and end: the one rule for engine, simulator and cost model.
#pragma once

#include <cstdint>

#include <hawser/schedule/fraction.hpp>

namespace hawser::schedule {

/// The first and the last few segments are smaller than those between: links idle while the first is reduced inside the
/// racks, and while the last is handed round. Of 8 and more, three at each end have 1/4, 2/4 and 3/4 of the full size;
/// of 4 to 7, one has half; fewer are equal.
class segmentation {
 public:
  constexpr explicit segmentation(std::int64_t segments) noexcept
      : segments_(segments),
        ramp_(segments >= 8   ? 3
              : segments >= 4 ? 1
                              : 0) {}

  constexpr std::int64_t segments() const noexcept { return segments_; }

  /// The element that segment `index` of `count` elements begins with; of index `segments()`, the count.
  constexpr std::int64_t begin(std::int64_t count, std::int64_t index) const noexcept {
    if (segments_ == 1) return index * count;
    return static_cast<std::int64_t>(static_cast<uint128>(count) * static_cast<uint128>(pieces_before(index)) /
                                     static_cast<uint128>(pieces()));
  }
  /// At least as many elements as any segment of `count` has.
  constexpr std::int64_t largest(std::int64_t count) const noexcept {
    const std::int64_t full_ones = segments_ - ramp_;
    return (count + full_ones - 1) / full_ones;
  }
  /// The part of the whole that a segment is.
  constexpr double share(std::int64_t index) const noexcept {
    return static_cast<double>(pieces_before(index + 1) - pieces_before(index)) / static_cast<double>(pieces());
  }

 private:
  /// A full segment has one piece more than the ramp has segments.
  constexpr std::int64_t pieces() const noexcept { return (ramp_ + 1) * (segments_ - ramp_); }
  constexpr std::int64_t pieces_before(std::int64_t index) const noexcept {
    const std::int64_t left = segments_ - index;
    if (index <= ramp_) return index * (index + 1) / 2;
    if (left <= ramp_) return pieces() - left * (left + 1) / 2;
    return ramp_ * (ramp_ + 1) / 2 + (index - ramp_) * (ramp_ + 1);
  }

  std::int64_t segments_;
  std::int64_t ramp_;
};

}  // namespace hawser::schedule
