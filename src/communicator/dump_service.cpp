// See dump_service.hpp.
#include "dump_service.hpp"

#include <semaphore.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <hawser/core/error.hpp>

#include "../core/quiet_thread.hpp"
#include "job.hpp"

namespace hawser::detail {

namespace {

/// What a handler of signals may touch, for as long as the process lives: sem_post is safe there, and no descriptor is
/// kept for it.
struct bell {
  sem_t semaphore;
  std::atomic<int> signal{0};  // the one that has come

  bell() { sem_init(&semaphore, 0, 0); }
};

bell& the_bell() {
  static bell made;
  return made;
}

extern "C" {
static void dump_on_signal(int number) {
  const int kept = errno;
  the_bell().signal.store(number, std::memory_order_relaxed);
  sem_post(&the_bell().semaphore);
  errno = kept;
}
}

}  // namespace

std::shared_ptr<dump_service> dump_service::shared() {
  static std::mutex mutex;
  static std::weak_ptr<dump_service> current;
  std::lock_guard lock(mutex);
  auto found = current.lock();
  if (!found) current = found = std::make_shared<dump_service>();
  return found;
}

dump_service::dump_service() {
  the_bell();  // before a handler can need it
  thread_ = start_quiet_thread([this] { run(); }, "the thread that writes dumps", "unset HAWSER_DUMP_DIR");
}

dump_service::~dump_service() {
  is_over_.store(true, std::memory_order_release);
  wake();
  thread_.join();
}

void dump_service::add(job& served) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(&served);
  }
  wake();  // what it was told before
}

void dump_service::remove(job& served) {
  std::lock_guard lock(mutex_);
  std::erase(jobs_, &served);
}

void dump_service::wake() noexcept {
  sem_post(&the_bell().semaphore);
}

bool dump_service::listen_to(int number) {
  struct sigaction now {};
  if (::sigaction(number, nullptr, &now) != 0) return false;
  if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == &dump_on_signal) return true;
  if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL) return false;
  struct sigaction wanted {};
  wanted.sa_handler = &dump_on_signal;
  wanted.sa_flags = SA_RESTART;
  sigemptyset(&wanted.sa_mask);
  return ::sigaction(number, &wanted, nullptr) == 0;
}

void dump_service::run() {
  while (!is_over_.load(std::memory_order_acquire)) {
    if (sem_wait(&the_bell().semaphore) != 0) continue;  // EINTR
    const int number = the_bell().signal.exchange(0, std::memory_order_relaxed);
    std::lock_guard lock(mutex_);
    for (job* each : jobs_) {
      if (number != 0) each->dump_at_signal(number);
      each->dump_at_notice();
    }
  }
}

}  // namespace hawser::detail
