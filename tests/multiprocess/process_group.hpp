// Starts a test's ranks as forked processes that share a small key-value board, and collects how they ended.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/transport/endpoint.hpp>

namespace hawser::test {

/// Process-shared memory: one published value per rank, and a barrier.
class board {
 public:
  static constexpr std::size_t max_value = 4096;

  explicit board(int size) : size_(size) {
    const std::size_t bytes = sizeof(header) + static_cast<std::size_t>(size) * sizeof(slot);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("mmap failed");
    header_ = new (memory) header;
    slots_ = reinterpret_cast<slot*>(header_ + 1);
    pthread_mutexattr_t mutex;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&header_->mutex, &mutex);
    pthread_condattr_t condition;
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&header_->changed, &condition);
  }

  void put(int owner, std::string_view value) {
    if (value.size() > max_value) throw std::runtime_error("value too long for the board");
    pthread_mutex_lock(&header_->mutex);
    std::memcpy(slots_[owner].value, value.data(), value.size());
    slots_[owner].length = value.size();
    slots_[owner].is_set = true;
    pthread_cond_broadcast(&header_->changed);
    pthread_mutex_unlock(&header_->mutex);
  }
  std::string wait_for(int owner) {
    pthread_mutex_lock(&header_->mutex);
    while (!slots_[owner].is_set) pthread_cond_wait(&header_->changed, &header_->mutex);
    std::string value(slots_[owner].value, slots_[owner].length);
    pthread_mutex_unlock(&header_->mutex);
    return value;
  }
  /// Waits until `participants` processes have called it.
  void barrier(int participants) {
    const int round = arrive(participants);
    pthread_mutex_lock(&header_->mutex);
    while (header_->round == round) pthread_cond_wait(&header_->changed, &header_->mutex);
    pthread_mutex_unlock(&header_->mutex);
  }
  /// The same for one who works while it waits: over when `has_passed` says so of the returned round.
  int arrive(int participants) {
    pthread_mutex_lock(&header_->mutex);
    const int round = header_->round;
    if (++header_->arrived == participants) {
      header_->arrived = 0;
      ++header_->round;
      pthread_cond_broadcast(&header_->changed);
    }
    pthread_mutex_unlock(&header_->mutex);
    return round;
  }
  bool has_passed(int round) {
    pthread_mutex_lock(&header_->mutex);
    const bool has_passed = header_->round != round;
    pthread_mutex_unlock(&header_->mutex);
    return has_passed;
  }

  /// Keys are "<transport>/<rank>".
  transport::endpoint_environment environment(int self) {
    transport::endpoint_environment made;
    made.self = self;
    made.size = size_;
    const auto owner = [](std::string_view key) { return std::stoi(std::string(key.substr(key.rfind('/') + 1))); };
    made.publish = [this, owner](std::string_view key, std::string_view value) { put(owner(key), value); };
    made.look_up = [this, owner](std::string_view key) { return wait_for(owner(key)); };
    made.peer_timeout = std::chrono::milliseconds(2'000);
    return made;
  }

 private:
  struct header {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int arrived = 0;
    int round = 0;
  };
  struct slot {
    bool is_set;
    std::size_t length;
    char value[max_value];
  };
  int size_;
  header* header_ = nullptr;
  slot* slots_ = nullptr;
};

/// Runs `body(rank, board)` in `size` processes; true if each returned, or died by `signal` where `dies` says so.
inline bool run_processes(
    int size, const std::function<void(int, board&)>& body,
    const std::function<bool(int)>& dies = [](int) { return false; }) {
  board shared(size);
  std::vector<pid_t> children;
  for (int self = 0; self < size; ++self) {
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) {
      try {
        body(self, shared);
        _exit(0);
      } catch (const std::exception& failed) {
        std::fprintf(stderr, "rank %d: %s\n", self, failed.what());
        _exit(1);
      }
    }
    children.push_back(child);
  }
  bool is_good = true;
  for (std::size_t ended = 0; ended < children.size(); ++ended) {
    int status = 0;
    const pid_t child = wait(&status);
    const int self = static_cast<int>(std::ranges::find(children, child) - children.begin());
    const bool as_expected =
        dies(self) ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (as_expected || !is_good) continue;
    std::fprintf(stderr, "rank %d ended with wait status 0x%x\n", self, status);
    is_good = false;
    for (const pid_t other : children)  // they may wait for the one that failed
      if (other != child) kill(other, SIGKILL);
  }
  return is_good;
}

}  // namespace hawser::test
