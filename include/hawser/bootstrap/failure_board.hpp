// The failed ranks that this process knows of, written by the monitor and read by every waiting loop.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/core/failure_kind.hpp>
#include <hawser/core/rank.hpp>

namespace hawser::bootstrap {

/// One rank's failure, the loss of a link to it (`failure_kind::cut_link`), or an abort of the whole job (no peer).
struct failure_notice {
  errc code = errc::peer_failed;
  std::optional<rank> peer;
  std::string reason;
  failure_kind kind = failure_kind::unknown;
  std::string scope{};      ///< an abort, a cut link: of which communicator's job; empty: of the job as it was started
  bool is_certain = false;  ///< a peer's failure: its process has ended, it is not only out of reach

  /// An abort ends one communicator's job, and a link is a connection of one: to the others of its ranks it is nothing.
  bool is_of_scope_only() const noexcept { return code == errc::aborted || kind == failure_kind::cut_link; }
};

/// The exception for work that a failure stopped; `problem` says what could not be done.
inline error to_error(const failure_notice& notice, std::string_view problem) {
  if (!notice.peer) return {notice.code, describe(problem, notice.reason)};
  error raised(notice.code, describe(problem, "rank " + to_string(*notice.peer) + " failed: " + notice.reason));
  raised.with_peer(*notice.peer);
  return raised;
}

/// Thread-safe. Reading that nothing is new costs one relaxed load.
class failure_board {
 public:
  /// Called with each notice before any listener is, so that boards made from this one are up to date when waiters
  /// wake.
  struct watcher {
    void (*take)(void* state, const failure_notice& notice) = nullptr;
    void* state = nullptr;
    friend bool operator==(const watcher&, const watcher&) = default;
  };
  /// Called once per notice, from the posting thread, to wake a blocked loop.
  struct listener {
    void (*notify)(void* state) = nullptr;
    void* state = nullptr;
    friend bool operator==(const listener&, const listener&) = default;
  };

  /// Rises by one with each notice.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// The notices from position `from` on, oldest first.
  std::vector<failure_notice> since(std::uint64_t from) const {
    std::lock_guard lock(mutex_);
    return {notices_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(from, notices_.size())),
            notices_.end()};
  }

  /// A second notice about the same rank is dropped, but for its certainty: the first cause is the one to report. That
  /// a link to it is cut is another matter than its end.
  void post(failure_notice notice) {
    std::lock_guard lock(mutex_);
    for (failure_notice& known : notices_)
      if (notice.peer && known.peer == notice.peer && known.is_of_scope_only() == notice.is_of_scope_only() &&
          known.scope == notice.scope) {
        known.is_certain = known.is_certain || notice.is_certain;
        return;
      }
    notices_.push_back(std::move(notice));
    generation_.store(notices_.size(), std::memory_order_release);
    for (const watcher& each : watchers_) each.take(each.state, notices_.back());
    for (const listener& each : listeners_) each.notify(each.state);
  }

  /// It is called for notices posted from now on. Returns those posted before.
  std::vector<failure_notice> add_watcher(watcher added) {
    std::lock_guard lock(mutex_);
    watchers_.push_back(added);
    return notices_;
  }
  /// As `remove_listener`.
  void remove_watcher(watcher removed) {
    std::lock_guard lock(mutex_);
    std::erase(watchers_, removed);
  }

  /// It is called for notices posted from now on; those posted before are in `since`.
  void add_listener(listener added) {
    std::lock_guard lock(mutex_);
    listeners_.push_back(added);
  }
  /// When it returns, the listener is not running and will not be called again.
  void remove_listener(listener removed) {
    std::lock_guard lock(mutex_);
    std::erase(listeners_, removed);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<failure_notice> notices_;
  std::vector<watcher> watchers_;
  std::vector<listener> listeners_;
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace hawser::bootstrap
