// The runs of the last shapes of calls, for the next calls of these shapes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <hawser/communicator/call.hpp>
#include <hawser/communicator/communicator.hpp>

namespace hawser::detail {

class communicator_state;

/// Making a run costs many times what a small call does: its steps, their transfers and dependences are allocated and
/// laid out. A call of a shape seen before takes the run of that one and exchanges the addresses of the buffers. A run
/// is used by one call at a time; another of the same shape meanwhile gets one of its own.
///
/// Calls are made by one thread at a time, but a handle may go on any thread: it only marks its run as free.
class kept_runs {
 public:
  /// Shapes remembered; with `most_bytes` a bound of 4 MiB for a communicator.
  static constexpr std::size_t most_runs = 32;
  /// A run that holds more (scratch, staged buffers, steps) is not kept: beside its work, making it costs little.
  static constexpr std::size_t most_bytes = std::size_t{128} << 10;

  kept_runs();
  kept_runs(const kept_runs&) = delete;
  kept_runs& operator=(const kept_runs&) = delete;
  ~kept_runs();

  /// A run of this call, not started. Throws as `collectives` says.
  run_handle take(communicator_state& members, call made);
  /// No call to come uses one of the runs that there are.
  void outdate() noexcept;
  /// Runs that are kept or used, for tests.
  std::size_t size() const noexcept;

 private:
  static std::uint64_t digest_of(const call& made) noexcept;
  std::size_t place_for_new() noexcept;

  std::array<std::uint64_t, most_runs> digests_{};
  std::array<std::unique_ptr<collective_run>, most_runs> runs_;
  std::array<bool, most_runs> is_outdated_{};
  std::size_t next_ = 0;  // to be replaced
};

}  // namespace hawser::detail
