// One rank as its kernel sees it: who it is, where everyone's window is, how long it waits.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/cuda/device/qualifiers.hpp>
#include <hawser/cuda/device/window.hpp>

namespace hawser::cuda::device {

/// Trivially copyable, passed to kernels by value. Kernel bodies take it as an argument, so that several ranks can
/// share one grid.
struct rank_view {
  std::int32_t rank = 0;
  std::int32_t size = 1;
  std::uint64_t timeout_ns = 0;  ///< after so long without progress a wait gives up
  window_layout layout{};
  std::byte* windows[max_ranks] = {};  ///< of every rank, as mapped here

  /// An object at an offset of rank `of`'s window.
  template <class T>
  HAWSER_DEVICE T* at(int of, std::uint64_t offset) const {
    return reinterpret_cast<T*>(windows[of] + offset);
  }
};

/// How the phases of a call are kept apart: by flags on the device, or by the host, which then launches them one by
/// one.
struct phase_control {
  static constexpr std::int32_t all = -1;
  std::int32_t only = all;     ///< the phase to run; `all` with device flags between them
  std::uint32_t sequence = 0;  ///< the number of the call, where the host keeps the phases apart

  /// Whether a phase is part of this launch.
  HAWSER_DEVICE bool runs(int phase) const { return only == all || only == phase; }
};

/// Why a call ended early, as the abort word has it: 0, or reason * 2^16 + rank + 1.
enum class fault_reason : std::uint32_t { none, never_arrived, block_mismatch, aborted };

/// A fault and the rank that caused it; -1 where none did (an abort by the host).
struct fault {
  fault_reason reason = fault_reason::none;
  std::int32_t peer = -1;

  /// As the abort word has it.
  constexpr std::uint32_t word() const {
    return static_cast<std::uint32_t>(reason) << 16 | static_cast<std::uint32_t>(peer + 1);
  }
  /// What a word means.
  static constexpr fault of(std::uint32_t word) {
    return {static_cast<fault_reason>(word >> 16), static_cast<std::int32_t>(word & 0xffff) - 1};
  }
};

}  // namespace hawser::cuda::device
