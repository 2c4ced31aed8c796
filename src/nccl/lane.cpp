// A communicator is polled, since NCCL offers nothing else to wait for: first eagerly, then every few microseconds.
#include "nccl/lane.hpp"

#include <thread>
#include <utility>

#include "nccl/results.hpp"

namespace hawser::nccl {
namespace {

/// NCCL carries out most groups in tens of microseconds, and what waits for a peer may take seconds.
constexpr int eager_polls = 200;
constexpr std::chrono::microseconds pause{50};

void wait_a_little(int& polls) {
  if (++polls < eager_polls)
    std::this_thread::yield();
  else
    std::this_thread::sleep_for(pause);
}

}  // namespace

ncclResult_t grouped(const functions& calls, const std::function<ncclResult_t()>& work) {
  ncclResult_t result = calls.group_start();
  if (!is_fine(result)) return result;
  result = work();
  const ncclResult_t ended = calls.group_end();
  return is_fine(result) ? ended : result;
}

ncclComm_t lane::usable() {
  if (failure_) throw *failure_;
  const ncclComm_t comm = comm_.load();
  if (has_ended_.load() || comm == nullptr) fail(errc::aborted, "the NCCL communicator was aborted", why_ended_);
  return comm;
}

void lane::fail_with(ncclResult_t result, std::string_view doing) {
  failure_ = to_error(calls(), comm_.load(), result, doing);
  throw *failure_;
}

ncclResult_t lane::state_of(ncclComm_t comm) const {
  ncclResult_t state = ncclSuccess;
  const ncclResult_t asked = calls().async_error(comm, &state);
  return asked == ncclSuccess ? state : asked;
}

void lane::start(const ncclUniqueId& id, int size, int place, ncclConfig_t config, const patience& until) {
  constexpr std::string_view doing = "make a communicator";
  {
    std::lock_guard lock(mutex_);
    ncclComm_t made = nullptr;
    const ncclResult_t result = calls().init(&made, size, id, place, &config);
    comm_.store(made);
    if (!is_fine(result)) fail_with(result, doing);
    if (made == nullptr) fail_with(ncclInternalError, doing);
  }
  wait_until_ready(doing, until);
}

void lane::start(lane& parent, int color, int key, ncclConfig_t config, const patience& until) {
  constexpr std::string_view doing = "split a communicator";
  splitting_ = &parent;
  parent.run(
      doing, [&](ncclComm_t comm) { return calls().split(comm, color, key, &split_into_, &config); }, until);
  splitting_ = nullptr;
  adopt_split();
  std::unique_lock lock(mutex_);
  if (comm_.load() == nullptr) fail_with(ncclInternalError, doing);
  lock.unlock();
  wait_until_ready(doing, until);
}

void lane::adopt_split() noexcept {
  comm_.store(std::atomic_ref(split_into_).load(std::memory_order_acquire));
}

void lane::run(std::string_view doing, const std::function<ncclResult_t(ncclComm_t)>& call, const patience& until) {
  {
    std::lock_guard lock(mutex_);
    const ncclResult_t result = call(usable());
    if (result == ncclSuccess) return;
    if (!is_fine(result)) fail_with(result, doing);
  }
  wait_until_ready(doing, until);
}

void lane::run_if_alive(const std::function<ncclResult_t(ncclComm_t)>& call) noexcept {
  std::lock_guard lock(mutex_);
  const ncclComm_t comm = comm_.load();
  if (!has_ended_.load() && comm != nullptr) call(comm);
}

void lane::wait_until_ready(std::string_view doing, const patience& until) {
  for (int polls = 0;; wait_a_little(polls)) {
    {
      std::lock_guard lock(mutex_);
      const ncclResult_t state = state_of(usable());
      if (state == ncclSuccess) return;
      if (state != ncclInProgress) fail_with(state, doing);
      if (clock::now() >= until.deadline) {
        failure_ = error(errc::timeout,
                         describe("NCCL could not " + std::string(doing) + " in time",
                                  "another rank has not come to its side", "do all ranks make the same calls?"));
        throw *failure_;
      }
    }
    until.look();
  }
}

std::optional<transport::failure> lane::poll() {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || is_reported_) return std::nullopt;
  const ncclComm_t comm = comm_.load();
  if (!failure_ && !has_ended_.load() && comm != nullptr) {
    const ncclResult_t state = state_of(comm);
    if (!is_fine(state)) failure_ = to_error(calls(), comm, state, "go on");
  }
  if (!failure_) return std::nullopt;
  is_reported_ = true;
  return transport::failure{failure_->code(), failure_->peer().value_or(rank{-1}), failure_->what()};
}

void lane::abort(std::string_view reason, std::chrono::milliseconds longest_wait) noexcept {
  if (has_ended_.exchange(true)) return;
  if (lane* const parent = std::exchange(splitting_, nullptr)) {
    parent->abort("a split of it failed", std::chrono::milliseconds{0});  // NCCL may still be writing what it makes
    adopt_split();                                                        // whole or not, it must be aborted
  }
  const auto deadline = clock::now() + longest_wait;
  std::unique_lock lock(mutex_, std::try_to_lock);
  while (!lock && clock::now() < deadline) {
    std::this_thread::yield();
    lock.try_lock();
  }
  if (lock) why_ended_ = std::string(reason);
  if (const ncclComm_t comm = comm_.exchange(nullptr)) calls().abort(comm);
}

void lane::begin_finish() noexcept {
  std::lock_guard lock(mutex_);
  const ncclComm_t comm = comm_.load();
  if (has_ended_.load() || failure_ || comm == nullptr) return;
  const ncclResult_t result = calls().finalize(comm);
  if (!is_fine(result)) failure_ = to_error(calls(), comm, result, "finalise a communicator");
}

bool lane::is_quiet(clock::time_point deadline) noexcept {
  for (int polls = 0;; wait_a_little(polls)) {
    std::lock_guard lock(mutex_);
    const ncclComm_t comm = comm_.load();
    if (has_ended_.load() || failure_ || comm == nullptr) return false;
    const ncclResult_t state = state_of(comm);
    if (state == ncclSuccess) return true;
    if (state != ncclInProgress || clock::now() >= deadline) return false;
  }
}

void lane::finish(clock::time_point deadline) noexcept {
  if (is_quiet(deadline) && !has_ended_.exchange(true)) {
    const ncclComm_t comm = comm_.exchange(nullptr);
    if (calls().destroy(comm) == ncclSuccess) return;
    calls().abort(comm);
  }
  abort("it could not end in good order", std::chrono::milliseconds{0});
}

}  // namespace hawser::nccl
