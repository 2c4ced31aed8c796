// A block of threads made of host threads: runs the device core where there is no GPU, in tests and under TSan.
#pragma once

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>

#include <hawser/cuda/device/block.hpp>

namespace hawser::cuda::device {

/// What the threads of one block share.
struct host_block_state {
  explicit host_block_state(unsigned count) : threads(count), meeting(count) {}

  unsigned threads;
  std::barrier<> meeting;
  std::atomic<unsigned> votes{0};
};

/// One thread of such a block. Payload is moved by plain accesses, so that TSan sees every access that the protocol
/// does not order; flags and lines are std::atomic_ref. It cannot show tearing, or what a GPU's memory model allows
/// beyond.
class host_block {
 public:
  host_block(host_block_state& state, unsigned thread, unsigned cta, unsigned ctas)
      : state_(&state), thread_(thread), cta_(cta), ctas_(ctas) {}

  unsigned thread() const noexcept { return thread_; }
  unsigned threads() const noexcept { return state_->threads; }
  unsigned cta() const noexcept { return cta_; }
  unsigned ctas() const noexcept { return ctas_; }

  /// All threads of the block wait for each other.
  void sync() const { state_->meeting.arrive_and_wait(); }
  /// `sync`, and whether `condition` held in any thread.
  bool any(bool condition) const {
    if (condition) state_->votes.store(1, std::memory_order_relaxed);
    sync();
    const bool result = state_->votes.load(std::memory_order_relaxed) != 0;
    sync();
    state_->votes.store(0, std::memory_order_relaxed);
    sync();
    return result;
  }

  /// 16 bytes.
  vec16 load(const vec16* from) const { return *from; }
  void store(vec16* to, const vec16& value) const { *to = value; }

  /// Each half in one piece, as 64 bits with the data below.
  flagged_line load_line(const flagged_line* from) const {
    const auto* half = reinterpret_cast<const std::uint64_t*>(from);
    const std::uint64_t a = relaxed(half[0]), b = relaxed(half[1]);
    return {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32), static_cast<std::uint32_t>(b),
            static_cast<std::uint32_t>(b >> 32)};
  }
  /// The same the other way.
  void store_line(flagged_line* to, const flagged_line& line) const {
    auto* half = reinterpret_cast<std::uint64_t*>(to);
    std::atomic_ref(half[0]).store(line.data0 | std::uint64_t{line.flag0} << 32, std::memory_order_relaxed);
    std::atomic_ref(half[1]).store(line.data1 | std::uint64_t{line.flag1} << 32, std::memory_order_relaxed);
  }

  /// Flags and words.
  std::uint32_t load_acquire(const std::uint32_t* from) const {
    return std::atomic_ref(const_cast<std::uint32_t&>(*from)).load(std::memory_order_acquire);
  }
  std::uint32_t load_relaxed(const std::uint32_t* from) const { return relaxed(*from); }
  void store_release(std::uint32_t* to, std::uint32_t value) const {
    std::atomic_ref(*to).store(value, std::memory_order_release);
  }
  void store_relaxed(std::uint32_t* to, std::uint32_t value) const {
    std::atomic_ref(*to).store(value, std::memory_order_relaxed);
  }
  void claim(std::uint32_t* word, std::uint32_t value) const {
    std::uint32_t expected = 0;
    std::atomic_ref(*word).compare_exchange_strong(expected, value, std::memory_order_relaxed);
  }

  /// Of a clock that only grows.
  std::uint64_t nanoseconds() const {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
  }
  /// Between two polls: threads outnumber cores.
  void pause() const { std::this_thread::yield(); }

 private:
  template <class T>
  static T relaxed(const T& from) {
    return std::atomic_ref(const_cast<T&>(from)).load(std::memory_order_relaxed);
  }

  host_block_state* state_;
  unsigned thread_;
  unsigned cta_;
  unsigned ctas_;
};

static_assert(block_policy<host_block>);

}  // namespace hawser::cuda::device
