// A key-value store and a barrier in memory that forked processes and threads share; the bootstrap of transport tests.
#pragma once

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <string_view>

#include <hawser/core/error.hpp>

namespace hawser::testing {

class shared_store {
 public:
  shared_store() {
    void* memory = ::mmap(nullptr, sizeof(state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    state_ = new (memory) state;
    pthread_mutexattr_t mutex_attributes;
    pthread_mutexattr_init(&mutex_attributes);
    pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&state_->mutex, &mutex_attributes);
    pthread_condattr_t condition_attributes;
    pthread_condattr_init(&condition_attributes);
    pthread_condattr_setpshared(&condition_attributes, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&state_->changed, &condition_attributes);
  }
  ~shared_store() { ::munmap(state_, sizeof(state)); }
  shared_store(shared_store&&) = delete;

  void put(std::string_view key, std::string_view value) {
    const locked lock(*state_);
    if (state_->used == max_entries || key.size() > sizeof(entry::key) || value.size() > sizeof(entry::value))
      fail(errc::resource, "the test store is too small");
    entry& added = state_->entries[state_->used++];
    added.key_bytes = key.size();
    added.value_bytes = value.size();
    std::memcpy(added.key, key.data(), key.size());
    std::memcpy(added.value, value.data(), value.size());
    pthread_cond_broadcast(&state_->changed);
  }

  std::string get(std::string_view key, std::chrono::seconds timeout = std::chrono::seconds(60)) {
    const locked lock(*state_);
    const timespec deadline = deadline_after(timeout);
    for (int looked = 0;;) {
      for (; looked < state_->used; ++looked) {
        const entry& each = state_->entries[looked];
        if (key == std::string_view(each.key, each.key_bytes)) return {each.value, each.value_bytes};
      }
      wait(deadline, key);
    }
  }

  /// Returns when `size` callers have come.
  void barrier(int size) {
    const locked lock(*state_);
    const long round = state_->arrived++ / size;
    pthread_cond_broadcast(&state_->changed);
    const timespec deadline = deadline_after(std::chrono::seconds(60));
    while (state_->arrived < (round + 1) * size) wait(deadline, "the barrier");
  }

 private:
  static constexpr int max_entries = 1024;
  struct entry {
    std::size_t key_bytes;
    std::size_t value_bytes;
    char key[96];
    char value[4096];
  };
  struct state {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int used = 0;
    long arrived = 0;
    entry entries[max_entries];
  };
  struct locked {
    explicit locked(state& owner) : held(owner) { pthread_mutex_lock(&held.mutex); }
    ~locked() { pthread_mutex_unlock(&held.mutex); }
    locked(locked&&) = delete;
    state& held;
  };

  static timespec deadline_after(std::chrono::seconds timeout) {
    timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += timeout.count();
    return deadline;
  }
  void wait(const timespec& deadline, std::string_view what) {
    if (pthread_cond_timedwait(&state_->changed, &state_->mutex, &deadline) == ETIMEDOUT)
      fail(errc::timeout, "waited too long for " + std::string(what));
  }

  state* state_;
};

}  // namespace hawser::testing
