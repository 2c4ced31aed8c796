// The event loop of one rank: drives its operations over its transport, and waits without burning a core.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <hawser/executor/operation.hpp>
#include <hawser/executor/wait_policy.hpp>
#include <hawser/transport/router.hpp>

namespace hawser::executor {

class progress_thread;

/// Thread-safe: several threads may wait, each for a flag of its own. One of them drives the transport; the others
/// sleep until their flags are set or the driver leaves. Where none waits, a progress thread drives what is unattended.
class engine {
  using lock = std::unique_lock<std::recursive_mutex>;

 public:
  /// `on_interrupt` is called from the driving thread after `interrupt`, before anything else moves.
  engine(std::unique_ptr<transport::router> wire, wait_policy policy, std::function<void()> on_interrupt);

  /// What operations are made with.
  transport::any_transport& wire() noexcept { return wire_; }
  const transport::router& routes() const noexcept { return router_; }

  /// Starts an operation, which must stay alive until it is done.
  void start(operation& started, std::uint16_t order_number);
  /// Posts a transfer of its own (point to point); `done` is called from inside a driving call.
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  /// Drives, or sleeps while another thread does, until the flag is set; only what runs inside a driving call of this
  /// engine may set it. False when `deadline` passed first.
  bool wait_for(const std::atomic<bool>& flag, std::chrono::steady_clock::time_point deadline);
  /// The same for so long, counted from when the clock is first looked at: not for what is over at once.
  bool wait_for(const std::atomic<bool>& flag, std::chrono::nanoseconds patience);
  /// Moves what can be moved, unless another thread is at it.
  void poll();
  /// Calls f while nobody drives.
  template <class F>
  auto locked(F&& f) {
    const lock held = enter();
    return f();
  }

  /// Whether a thread can block until this engine has something to do; not over a transport that can only be polled.
  bool can_block() const { return wire_.wait_descriptor() >= 0; }
  /// The thread that drives while none waits and something is unattended; null: none. It must outlive the engine's use.
  void set_helper(progress_thread* helper);
  /// Something begins that the caller does not wait for at once; `end_unattended` is called from its completion.
  void begin_unattended();
  void end_unattended();
  /// What a step of the progress thread came to: more to do at once; nothing, and the descriptor tells when there is;
  /// or not its turn, until it is woken.
  enum class background { busy, idle, left };
  /// Never blocks; a back end that gives up fails what is in progress instead of throwing.
  background step_in_background();

  /// From any thread: something outside happened; wakes the loop, which calls `on_interrupt`.
  void interrupt() noexcept;
  /// From `on_interrupt` or under no other call: fails all operations in progress and drops their transfers.
  void fail_all(const transport::failure& why);
  /// Drops every transfer; when it returns, no transport touches the caller's memory.
  void shutdown();

 private:
  struct waiter {
    const std::atomic<bool>& flag;
    bool is_blocked = false;  // the driver, in poll(2)
  };
  class turn;
  class limit;

  lock enter();
  void let_others_in(lock& held);
  bool progress();
  void settle();
  void wake_waiters();
  void keep_sleepers_armed();
  bool may_sleep();
  void drop_all();
  void posted();
  background background_step();
  bool wait(const std::atomic<bool>& flag, limit until);
  bool drive(lock& held, waiter& self, limit& until);
  void block(lock& held, waiter& self, std::chrono::steady_clock::time_point deadline);

  transport::router& router_;  // owned by wire_
  transport::any_transport wire_;
  wait_policy policy_;
  std::function<void()> on_interrupt_;
  std::recursive_mutex mutex_;
  std::atomic<int> entering_{0};  // threads that want the mutex, for a driver that would keep it
  std::vector<operation*> active_;
  std::atomic<bool> is_interrupted_{false};
  int polls_ = 0;
  std::vector<waiter*> waiters_;
  std::condition_variable_any changed_;  // for the waiters that do not drive
  waiter* driver_ = nullptr;
  progress_thread* helper_ = nullptr;
  int unattended_ = 0;
  bool is_helper_asleep_ = false;  // it blocks on this engine's descriptor
};

}  // namespace hawser::executor
