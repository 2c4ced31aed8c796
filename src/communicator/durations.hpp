// How long the last calls of one communicator took on this rank, for comparing them with those of others.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <hawser/schedule/request.hpp>

namespace hawser::detail {

/// Whether no rank can leave the call before all have made it: only then the durations say who came last.
constexpr bool joins_all_ranks(schedule::collective what) noexcept {
  return !schedule::has_root(what);
}

/// Written by whatever thread ends a call, read by another.
class durations {
 public:
  static constexpr std::size_t kept = 1024;

  /// `number` counts the communicator's calls from 1; `ticks` of 0 are not kept.
  void note(std::uint64_t number, std::uint64_t ticks) noexcept {
    if (ticks != 0)
      places_[number % kept].store((number & number_mask) << tick_bits | (ticks < most_ticks ? ticks : most_ticks),
                                   std::memory_order_relaxed);
  }
  /// In ticks; 0 where it is not known.
  std::uint64_t of(std::uint64_t number) const noexcept {
    const std::uint64_t found = places_[number % kept].load(std::memory_order_relaxed);
    return found >> tick_bits == (number & number_mask) ? found & most_ticks : 0;
  }

 private:
  static constexpr int tick_bits = 42;  // some 20 minutes
  static constexpr std::uint64_t most_ticks = (std::uint64_t{1} << tick_bits) - 1;
  static constexpr std::uint64_t number_mask = (std::uint64_t{1} << (64 - tick_bits)) - 1;

  std::array<std::atomic<std::uint64_t>, kept> places_{};
};

}  // namespace hawser::detail
