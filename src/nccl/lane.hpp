// One NCCL communicator: who may call it when, what has gone wrong with it, and how it ends.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/error.hpp>
#include <hawser/transport/transport.hpp>

#include "nccl/opened.hpp"

namespace hawser::nccl {

/// Bounds of a wait for NCCL: an end by the clock, and a look at what else may end it, which throws.
struct patience {
  std::chrono::steady_clock::time_point deadline;
  std::function<void()> look = [] {};
};

/// NCCL's communicators do not block (config.blocking = 0): a call that takes long goes on in a thread of NCCL's, and
/// the communicator may not be used before it is done. So the lock is held for short calls only, and `abort`, which
/// frees the communicator, waits for no peer. Calls of one lane come from one thread at a time, but for `abort`,
/// `poll`.
class lane {
 public:
  using clock = std::chrono::steady_clock;

  explicit lane(std::shared_ptr<const library> made_by) : library_(std::move(made_by)) {}
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  /// Aborts what was not closed.
  ~lane() { abort("it has ended", std::chrono::milliseconds{0}); }

  /// From an id: communicator number `place` of `size`. Comes back when all have, or throws.
  void start(const ncclUniqueId& id, int size, int place, ncclConfig_t config, const patience& until);
  /// From a part of another lane's ranks: those of a colour, in the order of `key`. Collective over the parent's. After
  /// a failure the end of this lane aborts the parent, which must not end before.
  void start(lane& parent, int color, int key, ncclConfig_t config, const patience& until);

  /// Makes a call, and waits until NCCL has carried it out, which is not until its work is done. Throws the first
  /// failure, now and at every later call; errc::aborted after `abort`.
  void run(std::string_view doing, const std::function<ncclResult_t(ncclComm_t)>& call, const patience& until);
  /// A call that is over at once, for what ends with the communicator anyway: nothing where it has ended.
  void run_if_alive(const std::function<ncclResult_t(ncclComm_t)>& call) noexcept;

  /// The failure that NCCL has noticed or that a call met, once. Never blocks.
  std::optional<transport::failure> poll();

  /// The first of these to be called counts. Where a call is stuck for longer than `longest_wait`, goes ahead under it:
  /// that is what ncclCommAbort is for.
  void abort(std::string_view reason, std::chrono::milliseconds longest_wait) noexcept;
  /// Begins to leave in good order; `finish` ends it, by abort where the others do not come in time.
  void begin_finish() noexcept;
  void finish(clock::time_point deadline) noexcept;

  const functions& calls() const noexcept { return library_->calls(); }

 private:
  /// Under the lock.
  ncclComm_t usable();
  [[noreturn]] void fail_with(ncclResult_t result, std::string_view doing);
  ncclResult_t state_of(ncclComm_t comm) const;
  void wait_until_ready(std::string_view doing, const patience& until);
  bool is_quiet(clock::time_point deadline) noexcept;
  void adopt_split() noexcept;

  std::shared_ptr<const library> library_;
  std::mutex mutex_;
  std::atomic<ncclComm_t> comm_{nullptr};
  ncclComm_t split_into_ = nullptr;  ///< NCCL's thread writes it when a split is done
  lane* splitting_ = nullptr;        ///< whose split was begun and not seen to end
  std::atomic<bool> has_ended_{false};
  std::optional<error> failure_;  ///< the first one
  bool is_reported_ = false;
  std::string why_ended_;
};

/// Calls between ncclGroupStart and ncclGroupEnd; the group is ended whatever they say.
ncclResult_t grouped(const functions& calls, const std::function<ncclResult_t()>& work);

}  // namespace hawser::nccl
