// See progress_thread.hpp.
#include <hawser/executor/progress_thread.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <exception>

#include <hawser/core/error.hpp>

#include "core/quiet_thread.hpp"

namespace hawser::executor {

namespace {

/// With something in flight it looks around at least this often, as a rank that blocks does.
constexpr int longest_sleep_ms = 100;

int make_bell() {
  const int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0)
    fail(errc::resource, "cannot create the descriptor that the progress thread waits on", std::strerror(errno),
         "raise the limit of open files (ulimit -n), or set communicator_options::progress to caller");
  return made;
}

}  // namespace

std::shared_ptr<progress_thread> progress_thread::shared() {
  static std::mutex mutex;
  static std::weak_ptr<progress_thread> current;
  std::lock_guard lock(mutex);
  auto found = current.lock();
  if (!found) current = found = std::make_shared<progress_thread>();
  return found;
}

progress_thread::progress_thread() : bell_(make_bell()) {
  try {
    thread_ = start_quiet_thread([this] { run(); }, "the progress thread",
                                 "set communicator_options::progress to caller");
  } catch (...) {
    ::close(bell_);
    throw;
  }
}

progress_thread::~progress_thread() {
  is_over_.store(true, std::memory_order_release);
  wake();
  thread_.join();
  ::close(bell_);
}

void progress_thread::add(engine& driven) {
  {
    std::lock_guard lock(mutex_);
    engines_.push_back(&driven);
  }
  wake();
}

void progress_thread::remove(engine& driven) {
  std::lock_guard lock(mutex_);
  std::erase(engines_, &driven);
}

void progress_thread::wake() noexcept {
  if (is_rung_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(bell_, &one, sizeof one);
}

void progress_thread::run() {
  std::vector<int> descriptors;
  while (!is_over_.load(std::memory_order_acquire))
    if (!step_all(descriptors)) fall_asleep(descriptors);
}

/// Whether any engine has more to do at once; else the descriptors to sleep on.
bool progress_thread::step_all(std::vector<int>& descriptors) {
  descriptors.clear();
  bool is_busy = false;
  std::lock_guard lock(mutex_);
  for (engine* each : engines_) {
    const auto came_to = each->step_in_background();
    is_busy = is_busy || came_to == engine::background::busy;
    if (came_to == engine::background::idle) descriptors.push_back(each->wire().wait_descriptor());
  }
  return is_busy;
}

void progress_thread::fall_asleep(const std::vector<int>& descriptors) {
  std::vector<pollfd> watched{{bell_, POLLIN, 0}};
  for (int each : descriptors) watched.push_back({each, POLLIN, 0});
  ::poll(watched.data(), watched.size(), descriptors.empty() ? -1 : longest_sleep_ms);
  if ((watched[0].revents & POLLIN) == 0) return;
  // Cleared before the engines are looked at: who rings from here on is heard the next time.
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto got = read(bell_, &rings, sizeof rings);
  is_rung_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace hawser::executor
