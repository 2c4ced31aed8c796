// The arguments of a call as its kernel gets them: plain data, passed by value.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/copy.hpp>
#include <hawser/cuda/device/epilogue.hpp>
#include <hawser/cuda/device/rank_view.hpp>
#include <hawser/cuda/device/reduce.hpp>
#include <hawser/cuda/device/sync.hpp>

namespace hawser::cuda::device {

/// A buffer of the caller that all ranks have mapped, or nothing: then the data goes through the windows' staging.
struct mapped_buffer {
  std::byte* of[max_ranks] = {};
  bool is_mapped = false;
};

/// Of all-reduce and reduce-scatter, on one rank.
struct reduce_call {
  rank_view view{};
  phase_control phases{};
  const std::byte* input = nullptr;  ///< any alignment; all-reduce: `count` elements, reduce-scatter: size * count
  std::byte* output = nullptr;       ///< `count` elements; may be the input, or reduce-scatter's own block of it
  std::uint64_t count = 0;           ///< elements
  double factor = 1;                 ///< of a premultiplied sum: what this rank's input is multiplied with
  scaling how = scaling::none;       ///< of the result
  std::uint32_t divisor = 1;
  mapped_buffer inputs{};   ///< read in place where mapped: no factor then, and one-shot not into its input
  mapped_buffer outputs{};  ///< of two-shot
};

/// Of broadcast, all-gather and all-to-all, on one rank; sizes in bytes.
struct exchange_call {
  rank_view view{};
  phase_control phases{};
  const std::byte* input = nullptr;
  std::byte* output = nullptr;
  std::uint64_t block_bytes = 0;  ///< of each block
  std::int32_t root = 0;          ///< of a broadcast
  mapped_buffer outputs{};
  const std::uint64_t* send_offsets = nullptr;  ///< of all-to-all-v: per rank, in memory that the kernel reads
  const std::uint64_t* send_bytes = nullptr;
  const std::uint64_t* recv_offsets = nullptr;
  const std::uint64_t* recv_bytes = nullptr;
};

/// The same address for reading; nothing is written through it.
HAWSER_DEVICE place source_at(const std::byte* address) {
  return {const_cast<std::byte*>(address)};
}

/// The memory of all ranks at one offset: their mapped buffers, or else their windows from `staging` on.
HAWSER_DEVICE places everyone(const rank_view& view, const mapped_buffer& mapped, std::uint64_t staging,
                              std::uint64_t offset) {
  if (mapped.is_mapped) return {mapped.of, view.size, 0, offset};
  return {view.windows, view.size, 0, staging + offset};
}
/// The same, one's own first, so that not all ranks write to one at a time.
HAWSER_DEVICE places everyone_in_turn(const rank_view& view, const mapped_buffer& mapped, std::uint64_t staging,
                                      std::uint64_t offset) {
  places all = everyone(view, mapped, staging, offset);
  all.first = view.rank;
  return all;
}

/// The part of an all-reduce that rank `r` reduces: whole lines of 128 bytes, but for the last one. In elements.
struct part {
  std::uint64_t begin = 0;
  std::uint64_t count = 0;
};
/// The same.
template <class T>
HAWSER_DEVICE part part_of(std::uint64_t count, int ranks, int r) {
  constexpr std::uint64_t grain = window_layout::line % sizeof(T) == 0 ? window_layout::line / sizeof(T) : 1;
  const auto k = static_cast<std::uint64_t>(ranks);
  const std::uint64_t size = ((count + k - 1) / k + grain - 1) / grain * grain;
  const std::uint64_t begin = size * static_cast<std::uint64_t>(r);
  if (begin >= count) return {count, 0};
  return {begin, count - begin < size ? count - begin : size};
}

/// Copies the caller's elements to where peers read them, multiplied with the rank's factor where the sum has one.
template <class T, class Op, block_policy Block>
HAWSER_DEVICE void stage(const Block& block, const std::byte* from, std::byte* to, std::uint64_t count, double factor) {
  if constexpr (std::same_as<Op, add> && !std::integral<T> && !std::is_class_v<accumulator_of<T>>) {
    if (factor != 1) {
      const scaled<T> multiplied{scaling::multiply, 1, static_cast<accumulator_of<T>>(factor)};
      return reduce_places<T>(block, source_at(from), place{to}, count, add{}, multiplied);
    }
  }
  copy_places<T>(block, from, place{to}, count);
}

}  // namespace hawser::cuda::device
