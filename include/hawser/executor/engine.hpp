// The event loop of one rank: drives its operations over its transport, and waits without burning a core.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <hawser/executor/operation.hpp>
#include <hawser/transport/router.hpp>

namespace hawser::executor {

/// How long to spin, then to yield, before blocking. Spinning is a loss where ranks outnumber cores: the rank that is
/// waited for may need this core.
struct wait_policy {
  int spins = 0;
  int yields = 100;  ///< a starting value, to be measured with the engine (docs/usage.md)

  static wait_policy for_ranks_on_host(int ranks);
};

/// Thread-safe: several threads may wait for different operations; one at a time drives the transport.
class engine {
 public:
  /// `on_interrupt` is called from the driving thread after `interrupt`, before anything else moves.
  engine(std::unique_ptr<transport::router> wire, wait_policy policy, std::function<void()> on_interrupt);

  /// What operations are made with.
  transport::any_transport& wire() noexcept { return wire_; }
  const transport::router& routes() const noexcept { return router_; }

  /// Starts an operation, which must stay alive until it is done.
  void start(operation& started, std::uint16_t order_number);
  /// Moves what can be moved; true if the operation is done.
  bool test(operation& tested);
  /// Drives until the operation is done or has failed. False when `deadline` passed first.
  bool wait(operation& awaited, std::chrono::steady_clock::time_point deadline);
  /// Posts a transfer of its own (point to point); `done` is called from inside a driving call.
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  /// Drives until the flag is set. False when `deadline` passed first.
  bool wait_for(const std::atomic<bool>& flag, std::chrono::steady_clock::time_point deadline);

  /// Moves what can be moved.
  void poll();

  /// From any thread: something outside happened; wakes the loop, which calls `on_interrupt`.
  void interrupt() noexcept;
  /// From `on_interrupt` or under no other call: fails all operations in progress and drops their transfers.
  void fail_all(const transport::failure& why);
  /// Drops every transfer; when it returns, no transport touches the caller's memory.
  void shutdown();

 private:
  bool progress();
  template <class Done>
  bool drive_until(Done&& is_done, std::chrono::steady_clock::time_point deadline);
  void block(std::unique_lock<std::recursive_mutex>& lock, std::chrono::steady_clock::time_point deadline);

  transport::router& router_;  // owned by wire_
  transport::any_transport wire_;
  wait_policy policy_;
  std::function<void()> on_interrupt_;
  std::recursive_mutex mutex_;
  std::vector<operation*> active_;
  std::atomic<bool> is_interrupted_{false};
  int polls_ = 0;
  int waiters_ = 0;  // threads inside drive_until
};

}  // namespace hawser::executor
