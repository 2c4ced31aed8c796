// See engine.hpp.
#include <hawser/executor/engine.hpp>

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>
#include <utility>

#include <hawser/executor/progress_thread.hpp>

namespace hawser::executor {

namespace {

using clock = std::chrono::steady_clock;

/// A blocked rank looks around at least this often, whatever its descriptors say.
constexpr std::chrono::milliseconds longest_block{100};
/// Sleeps between polls of a transport that cannot be waited for (MPI): doubled up to the longest.
constexpr std::chrono::microseconds shortest_nap{20}, longest_nap{1000};
/// While it spins, a driver looks at the clock only after so many polls in which nothing moved.
constexpr int polls_per_look = 8;
/// A driver that lets others in yields at most so often; who wants the mutex may have lost its core.
constexpr int most_courtesies = 100;

}  // namespace

engine::engine(std::unique_ptr<transport::router> wire, wait_policy policy, std::function<void()> on_interrupt)
    : router_(*wire), wire_(std::move(wire)), policy_(policy), on_interrupt_(std::move(on_interrupt)) {}

/// The mutex, for a moment: a driver that spins lets others in.
engine::lock engine::enter() {
  lock held(mutex_, std::try_to_lock);
  if (held) return held;
  entering_.fetch_add(1, std::memory_order_relaxed);
  held.lock();
  entering_.fetch_sub(1, std::memory_order_relaxed);
  return held;
}

void engine::let_others_in(lock& held) {
  if (entering_.load(std::memory_order_relaxed) == 0) return;
  held.unlock();
  for (int i = 0; i < most_courtesies && entering_.load(std::memory_order_relaxed) > 0; ++i) std::this_thread::yield();
  held.lock();
}

void engine::start(operation& started, std::uint16_t order_number) {
  const lock held = enter();
  active_.push_back(&started);
  try {
    started.start(order_number);
  } catch (...) {
    if (started.is_idle()) std::erase(active_, &started);
    throw;
  }
  settle();
  posted();
}

void engine::send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
  const lock held = enter();
  wire_.send(peer, match, bytes, done);
  posted();
}

void engine::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  const lock held = enter();
  wire_.receive(peer, match, into, done);
  posted();
}

/// A thread that blocks must look at what was posted since: its transport may want to be armed for it.
void engine::posted() {
  wake_waiters();
  if (driver_) {
    if (driver_->is_blocked) router_.wake();
  } else if (helper_ && unattended_ > 0) {
    helper_->wake();
  }
}

void engine::poll() {
  const lock held(mutex_, std::try_to_lock);
  if (!held) return;
  progress();
  keep_sleepers_armed();
}

/// Progress by another thread has disarmed the transports under a thread that blocks on their descriptors.
void engine::keep_sleepers_armed() {
  const bool is_asleep = driver_ ? driver_->is_blocked : is_helper_asleep_;
  if (is_asleep && !may_sleep()) router_.wake();
}

/// Whether a descriptor tells of all that may happen next; arms the transports for that.
bool engine::may_sleep() {
  if (is_interrupted_.load(std::memory_order_acquire)) return false;
  for (const operation* each : active_)
    if (each->can_only_be_polled()) return false;
  return wire_.arm();
}

bool engine::progress() {
  if (is_interrupted_.load(std::memory_order_relaxed) && is_interrupted_.exchange(false, std::memory_order_acq_rel))
    on_interrupt_();
  const bool moved = wire_.progress();
  for (std::size_t i = 0; i < active_.size(); ++i) active_[i]->advance();
  settle();
  wake_waiters();
  return moved;
}

/// Tells operations that have ended so; what they call may start others.
void engine::settle() {
  for (std::size_t i = 0; i < active_.size();) {
    operation& each = *active_[i];
    if (each.is_done()) {
      active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
      each.tell();
      i = 0;
    } else {
      if (each.failed()) each.tell();
      ++i;
    }
  }
}

/// Threads whose flags are set, whoever has set them, go on at once.
void engine::wake_waiters() {
  for (const waiter* each : waiters_) {
    if (!each->flag.load(std::memory_order_acquire)) continue;
    if (each != driver_)
      changed_.notify_all();
    else if (each->is_blocked)
      router_.wake();
  }
}

/// A waiting thread's place in line; when it leaves, another one drives.
class engine::turn {
 public:
  turn(engine& owner, waiter& self) : engine_(owner), self_(self) { engine_.waiters_.push_back(&self_); }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    std::erase(engine_.waiters_, &self_);
    if (engine_.driver_ != &self_) return;
    engine_.driver_ = nullptr;
    if (!engine_.waiters_.empty())
      engine_.changed_.notify_all();
    else if (engine_.helper_ && engine_.unattended_ > 0)
      engine_.helper_->wake();
  }

 private:
  engine& engine_;
  waiter& self_;
};

/// When a wait ends without what it waits for.
class engine::limit {
 public:
  explicit limit(clock::time_point deadline) : deadline_(deadline), is_set_(true) {}
  explicit limit(std::chrono::nanoseconds patience) : patience_(patience) {}

  clock::time_point deadline(clock::time_point now) {
    if (!std::exchange(is_set_, true)) deadline_ = now + patience_;
    return deadline_;
  }

 private:
  std::chrono::nanoseconds patience_{};
  clock::time_point deadline_{};
  bool is_set_ = false;
};

bool engine::wait_for(const std::atomic<bool>& flag, clock::time_point deadline) {
  return flag.load(std::memory_order_acquire) || wait(flag, limit(deadline));
}

bool engine::wait_for(const std::atomic<bool>& flag, std::chrono::nanoseconds patience) {
  return flag.load(std::memory_order_acquire) || wait(flag, limit(patience));
}

bool engine::wait(const std::atomic<bool>& flag, limit until) {
  lock held = enter();
  waiter self{flag};
  const turn place(*this, self);
  while (!flag.load(std::memory_order_acquire)) {
    if (!driver_) {
      driver_ = &self;
      is_helper_asleep_ = false;
      return drive(held, self, until);
    }
    if (changed_.wait_until(held, until.deadline(clock::now())) == std::cv_status::timeout && driver_)
      return flag.load(std::memory_order_acquire);
  }
  return true;
}

bool engine::drive(lock& held, waiter& self, limit& until) {
  clock::time_point idle_since{};
  int yields = 0, polls = 0;
  bool spins = policy_.spin.count() > 0;
  bool is_idle = false;
  while (!self.flag.load(std::memory_order_acquire)) {
    let_others_in(held);
    if (progress()) {
      is_idle = false;
      spins = policy_.spin.count() > 0;
      polls_ = polls = 0;
      continue;
    }
    if (self.flag.load(std::memory_order_acquire)) break;
    if (spins && ++polls % polls_per_look != 0) continue;
    const auto now = clock::now();
    if (now >= until.deadline(now)) return false;
    if (!std::exchange(is_idle, true)) {
      idle_since = now;
      yields = 0;
    }
    spins = now - idle_since < policy_.spin;
    if (spins) continue;
    if (yields++ < policy_.yields) {
      held.unlock();
      std::this_thread::yield();
      held.lock();
    } else {
      block(held, self, until.deadline(now));
    }
  }
  return true;
}

void engine::block(lock& held, waiter& self, clock::time_point deadline) {
  const int descriptor = wire_.wait_descriptor();
  if (descriptor >= 0 ? !may_sleep() : is_interrupted_.load(std::memory_order_acquire)) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  const auto timeout = std::clamp(left, std::chrono::milliseconds{0}, longest_block);
  self.is_blocked = true;
  held.unlock();
  if (descriptor < 0) {
    std::this_thread::sleep_for(std::min(longest_nap, shortest_nap * (1 << std::min(polls_++, 6))));
  } else {
    pollfd watched{descriptor, POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(timeout.count()));
  }
  held.lock();
  self.is_blocked = false;
}

void engine::set_helper(progress_thread* helper) {
  const lock held = enter();
  helper_ = helper;
}

void engine::begin_unattended() {
  const lock held = enter();
  ++unattended_;
}

void engine::end_unattended() {
  const lock held = enter();
  --unattended_;
}

engine::background engine::step_in_background() {
  const lock held = enter();
  is_helper_asleep_ = false;
  if (driver_ || unattended_ == 0) return background::left;
  try {
    return background_step();
  } catch (const error& raised) {  // a back end gave up; who waits later is told why
    fail_all({raised.code(), raised.peer().value_or(rank(-1)), raised.what()});
    return background::left;
  }
}

engine::background engine::background_step() {
  if (progress() || is_interrupted_.load(std::memory_order_acquire)) return background::busy;
  // What has just ended may have been the last; the next blocking call must not find this thread awake beside it.
  if (unattended_ == 0) return background::left;
  if (!may_sleep()) return background::busy;
  is_helper_asleep_ = true;
  return background::idle;
}

void engine::interrupt() noexcept {
  is_interrupted_.store(true, std::memory_order_release);
  router_.wake();
}

void engine::fail_all(const transport::failure& why) {
  const lock held = enter();
  for (operation* each : active_) each->fail(why);
  if (why.code == errc::peer_failed && why.peer.value >= 0) wire_.peer_failed(why);
  drop_all();
}

void engine::shutdown() {
  const lock held = enter();
  drop_all();
}

/// Nobody touches memory of the caller's any more.
void engine::drop_all() {
  wire_.shutdown();
  for (operation* each : active_) {
    each->let_go();
    each->forget_transfers();
  }
  settle();
  wake_waiters();
}

}  // namespace hawser::executor
