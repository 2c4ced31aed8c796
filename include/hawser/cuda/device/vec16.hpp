// Sixteen bytes, the widest access of a GPU's thread, and groups of elements made of such.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/qualifiers.hpp>

namespace hawser::cuda::device {

/// One access: 16 bytes at an address that is a multiple of 16.
struct alignas(16) vec16 {
  std::uint32_t word[4];
};

inline constexpr std::size_t vector_bytes = sizeof(vec16);

/// Whether addresses allow accesses of 16 bytes.
HAWSER_DEVICE bool is_aligned(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % vector_bytes == 0;
}

/// `Lanes` elements in registers; a whole number of vec16 where `Lanes * sizeof(T)` is a multiple of 16.
template <class T, int Lanes>
struct alignas(16) lanes {
  T at[Lanes];

  static constexpr int vectors = static_cast<int>(sizeof(T) * Lanes / vector_bytes);
};

/// Elements that share one step of a thread so that the narrower of `In` and `Out` fills one vec16; 1 where a size does
/// not divide 16 (a user's type), whose elements go one by one.
template <class In, class Out = In>
constexpr int lanes_of() {
  constexpr std::size_t narrow = sizeof(In) < sizeof(Out) ? sizeof(In) : sizeof(Out);
  if (vector_bytes % sizeof(In) != 0 || vector_bytes % sizeof(Out) != 0) return 1;
  return static_cast<int>(vector_bytes / narrow);
}

/// Whether elements of these types move in vec16 at all.
template <class In, class Out = In>
constexpr bool is_vectorised() {
  return vector_bytes % sizeof(In) == 0 && vector_bytes % sizeof(Out) == 0;
}

/// Steps of a thread that are in flight together: fewer for 1-byte elements, whose accumulators are four times as wide.
template <class T>
constexpr int unroll_of() {
  return sizeof(T) == 1 ? 2 : 4;
}

}  // namespace hawser::cuda::device
