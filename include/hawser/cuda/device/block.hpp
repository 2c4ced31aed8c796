// What the device core asks of whoever runs it: a CTA of a GPU, or host threads that act as one.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/qualifiers.hpp>
#include <hawser/cuda/device/vec16.hpp>

namespace hawser::cuda::device {

/// A line of the low-latency protocol: twice 4 bytes of data and their flag. Each half is stored and loaded in one
/// piece, so that whoever sees the flag has the data beside it (LL of NCCL).
struct alignas(16) flagged_line {
  std::uint32_t data0, flag0, data1, flag1;
};

/// One thread of a block of threads (a CTA of one rank): who it is, and what it may do to memory that other ranks see.
/// - `load`/`store`: 16 bytes, relaxed, seen by all GPUs and the host; never through a cache that may be stale.
/// - `load_acquire`/`store_release`: flags, system scope. Releases carry what the block did before its `sync`.
/// - `claim`: sets a word that is 0, once.  - `any`: `sync`, and whether the condition held in any thread of the block.
template <class B>
concept block_policy = requires(const B& b, std::uint32_t* word, const std::uint32_t* from, vec16* vector,
                                const vec16* from_vector, flagged_line* line, const flagged_line* from_line,
                                bool condition) {
  { b.thread() } -> std::convertible_to<unsigned>;
  { b.threads() } -> std::convertible_to<unsigned>;
  { b.cta() } -> std::convertible_to<unsigned>;
  { b.ctas() } -> std::convertible_to<unsigned>;
  b.sync();
  { b.any(condition) } -> std::same_as<bool>;
  { b.load(from_vector) } -> std::same_as<vec16>;
  b.store(vector, vec16{});
  { b.load_line(from_line) } -> std::same_as<flagged_line>;
  b.store_line(line, flagged_line{});
  { b.load_acquire(from) } -> std::same_as<std::uint32_t>;
  { b.load_relaxed(from) } -> std::same_as<std::uint32_t>;
  b.store_release(word, std::uint32_t{});
  b.store_relaxed(word, std::uint32_t{});
  b.claim(word, std::uint32_t{});
  { b.nanoseconds() } -> std::same_as<std::uint64_t>;
  b.pause();
};

}  // namespace hawser::cuda::device
