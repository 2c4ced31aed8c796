// Where a move reads from or writes to: the same offset in the memory of several ranks.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/qualifiers.hpp>
#include <hawser/cuda/device/rank_view.hpp>
#include <hawser/cuda/device/vec16.hpp>

namespace hawser::cuda::device {

/// A base per rank and an offset in bytes, taken in turn from `first` on.
struct places {
  std::byte* const* bases = nullptr;
  std::int32_t count = 0;
  std::int32_t first = 0;
  std::uint64_t offset = 0;

  /// The i-th address.
  HAWSER_DEVICE std::byte* at(int i) const {
    const int turn = first + i;
    return bases[turn < count ? turn : turn - count] + offset;
  }
  /// Whether all of them allow accesses of 16 bytes.
  HAWSER_DEVICE bool is_aligned() const {
    bool is = true;
    for (int i = 0; i < count; ++i) is = is && device::is_aligned(at(i));
    return is;
  }
};

/// One address.
struct place {
  std::byte* address = nullptr;
  static constexpr std::int32_t count = 1;

  /// The i-th address.
  HAWSER_DEVICE std::byte* at(int) const { return address; }
  /// Whether all of them allow accesses of 16 bytes.
  HAWSER_DEVICE bool is_aligned() const { return device::is_aligned(address); }
};

/// As many addresses as ranks, a stride apart.
struct strided_places {
  std::byte* address = nullptr;
  std::int32_t count = 0;
  std::uint64_t stride = 0;

  /// The i-th address.
  HAWSER_DEVICE std::byte* at(int i) const { return address + stride * static_cast<std::uint64_t>(i); }
  /// Whether all of them allow accesses of 16 bytes.
  HAWSER_DEVICE bool is_aligned() const { return device::is_aligned(address) && stride % vector_bytes == 0; }
};

}  // namespace hawser::cuda::device
