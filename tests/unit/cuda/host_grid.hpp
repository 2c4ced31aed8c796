// Ranks whose kernels run on host threads: windows, views, and grids of host_blocks. With elements to reduce.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/cuda/device/host_block.hpp>
#include <hawser/cuda/device/rank_view.hpp>

namespace device_testing {

using namespace hawser::cuda::device;

/// Seed of a test: HAWSER_TEST_SEED, or a new one; printed with every failure by SCOPED_TRACE.
inline std::uint64_t test_seed() {
  const char* const given = std::getenv("HAWSER_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// How a rank's kernel is launched.
struct grid_shape {
  unsigned ctas = 2;
  unsigned threads = 2;
};

/// A group of ranks with windows in host memory.
class host_group {
 public:
  static constexpr std::uint64_t patience_ns = 60'000'000'000;

  explicit host_group(int ranks, grid_shape grid = {},
                      window_shape shape = {.low_latency_bytes = 4096, .staging_bytes = 1 << 18})
      : grid_(grid), views_(static_cast<std::size_t>(ranks)) {
    shape.ranks = ranks;
    shape.ctas = static_cast<std::int32_t>(grid.ctas) + 1;  // one that is never launched
    const window_layout layout{shape};
    for (int r = 0; r < ranks; ++r) windows_.push_back(std::make_unique<vec16[]>(layout.bytes() / sizeof(vec16) + 1));
    for (int r = 0; r < ranks; ++r) {
      rank_view& view = views_[static_cast<std::size_t>(r)];
      view = {.rank = r, .size = ranks, .timeout_ns = patience_ns, .layout = layout};
      for (int p = 0; p < ranks; ++p)
        view.windows[p] = reinterpret_cast<std::byte*>(windows_[static_cast<std::size_t>(p)].get());
    }
  }

  int size() const { return static_cast<int>(views_.size()); }
  grid_shape grid() const { return grid_; }
  rank_view& view(int rank) { return views_[static_cast<std::size_t>(rank)]; }

  /// The fault that a rank's window holds.
  fault fault_of(int rank) { return fault::of(*view(rank).at<std::uint32_t>(rank, view(rank).layout.abort_word())); }

  /// Runs body(block, rank) on every thread of every CTA of the ranks for which `takes_part`, as one kernel each.
  template <class Body, class Filter>
  void launch(const Body& body, const Filter& takes_part) {
    std::vector<std::unique_ptr<host_block_state>> blocks;
    std::vector<std::thread> threads;
    for (int r = 0; r < size(); ++r) {
      if (!takes_part(r)) continue;
      for (unsigned c = 0; c < grid_.ctas; ++c) {
        blocks.push_back(std::make_unique<host_block_state>(grid_.threads));
        for (unsigned t = 0; t < grid_.threads; ++t)
          threads.emplace_back(
              [&body, &state = *blocks.back(), t, c, r, ctas = grid_.ctas] { body(host_block(state, t, c, ctas), r); });
      }
    }
    for (std::thread& each : threads) each.join();
  }
  template <class Body>
  void launch(const Body& body) {
    launch(body, [](int) { return true; });
  }

 private:
  grid_shape grid_;
  std::vector<std::unique_ptr<vec16[]>> windows_;
  std::vector<rank_view> views_;
};

/// A buffer that is 16-byte aligned but for `offset` bytes, poisoned, with guards of which a test asks afterwards.
template <class T>
class device_buffer {
 public:
  static constexpr std::byte poison{0xcd};

  explicit device_buffer(std::size_t count, std::size_t offset = 0)
      : count_(count),
        offset_(guard_bytes + offset),
        bytes_(offset_ + count * sizeof(T) + guard_bytes),
        memory_(std::make_unique<vec16[]>(bytes_ / sizeof(vec16) + 1)) {
    std::fill_n(raw(), bytes_, poison);
  }
  device_buffer(const std::vector<T>& elements, std::size_t offset) : device_buffer(elements.size(), offset) {
    if (!elements.empty()) std::memcpy(data(), elements.data(), elements.size() * sizeof(T));
  }

  std::byte* data() { return raw() + offset_; }
  T operator[](std::size_t i) const {
    T element;
    std::memcpy(static_cast<void*>(&element), raw() + offset_ + i * sizeof(T), sizeof(T));
    return element;
  }
  std::size_t size() const { return count_; }
  bool has_intact_guards() const {
    const auto is_poison = [](std::byte b) { return b == poison; };
    const std::byte* const end = raw() + offset_ + count_ * sizeof(T);
    return std::all_of(raw(), raw() + offset_, is_poison) && std::all_of(end, end + guard_bytes, is_poison);
  }

 private:
  static constexpr std::size_t guard_bytes = 64;

  std::byte* raw() const { return reinterpret_cast<std::byte*>(memory_.get()); }

  std::size_t count_;
  std::size_t offset_;
  std::size_t bytes_;
  std::unique_ptr<vec16[]> memory_;
};

}  // namespace device_testing
