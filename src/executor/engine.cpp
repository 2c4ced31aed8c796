// See engine.hpp.
#include <hawser/executor/engine.hpp>

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

namespace hawser::executor {

namespace {

using clock = std::chrono::steady_clock;

/// A blocked rank looks around at least this often, whatever its descriptors say.
constexpr std::chrono::milliseconds longest_block{100};
/// Sleeps between polls of a transport that cannot be waited for (MPI): doubled up to the longest.
constexpr std::chrono::microseconds shortest_nap{20}, longest_nap{1000};

}  // namespace

wait_policy wait_policy::for_ranks_on_host(int ranks) {
  const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return ranks <= cores ? wait_policy{.spins = 2000, .yields = 100} : wait_policy{};
}

engine::engine(std::unique_ptr<transport::router> wire, wait_policy policy, std::function<void()> on_interrupt)
    : router_(*wire), wire_(std::move(wire)), policy_(policy), on_interrupt_(std::move(on_interrupt)) {}

void engine::start(operation& started, std::uint16_t order_number) {
  std::lock_guard lock(mutex_);
  active_.push_back(&started);
  started.start(order_number);
  if (started.is_done()) std::erase(active_, &started);
}

bool engine::test(operation& tested) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  if (!tested.is_done()) progress();
  return tested.is_done();
}

void engine::poll() {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock) progress();
}

bool engine::wait(operation& awaited, clock::time_point deadline) {
  return drive_until([&] { return awaited.is_done() || awaited.failed(); }, deadline);
}

bool engine::wait_for(const std::atomic<bool>& flag, clock::time_point deadline) {
  return drive_until([&] { return flag.load(std::memory_order_acquire); }, deadline);
}

void engine::send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
  std::lock_guard lock(mutex_);
  wire_.send(peer, match, bytes, done);
}

void engine::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  std::lock_guard lock(mutex_);
  wire_.receive(peer, match, into, done);
}

bool engine::progress() {
  if (is_interrupted_.exchange(false, std::memory_order_acq_rel)) on_interrupt_();
  const bool moved = wire_.progress();
  for (std::size_t i = 0; i < active_.size(); ++i) active_[i]->advance();
  std::erase_if(active_, [](operation* each) { return each->is_done(); });
  return moved;
}

template <class Done>
bool engine::drive_until(Done&& is_done, clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  struct visitor {
    engine& self;
    ~visitor() {
      if (--self.waiters_ > 0) self.router_.wake();  // progress here may have used up another thread's wake-up
    }
  } counted{(++waiters_, *this)};
  int idle = 0;
  while (!is_done()) {
    if (progress()) {
      idle = 0;
      polls_ = 0;
      continue;
    }
    if (is_done()) break;
    if (++idle <= policy_.spins) continue;
    if (clock::now() >= deadline) return false;
    if (idle <= policy_.spins + policy_.yields) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
    } else {
      block(lock, deadline);
    }
  }
  return true;
}

void engine::block(std::unique_lock<std::recursive_mutex>& lock, clock::time_point deadline) {
  const int descriptor = wire_.wait_descriptor();
  if (is_interrupted_.load(std::memory_order_acquire) || (descriptor >= 0 && !wire_.arm())) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  const auto timeout = std::clamp(left, std::chrono::milliseconds{0}, longest_block);
  lock.unlock();
  if (descriptor < 0) {
    std::this_thread::sleep_for(std::min(longest_nap, shortest_nap * (1 << std::min(polls_++, 6))));
  } else {
    pollfd watched{descriptor, POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(timeout.count()));
  }
  lock.lock();
}

void engine::interrupt() noexcept {
  is_interrupted_.store(true, std::memory_order_release);
  router_.wake();
}

void engine::fail_all(const transport::failure& why) {
  std::lock_guard lock(mutex_);
  for (operation* each : active_) each->fail(why);
  if (why.code == errc::peer_failed && why.peer.value >= 0) wire_.peer_failed(why);
  wire_.shutdown();
  std::erase_if(active_, [](operation* each) { return each->is_done(); });
}

void engine::shutdown() {
  std::lock_guard lock(mutex_);
  wire_.shutdown();
  std::erase_if(active_, [](operation* each) { return each->is_done(); });
}

}  // namespace hawser::executor
