// Threads as ranks over any transport, and what they need to look at memory that another thread is writing.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

namespace hawser::test {

/// The transports that threads of one process can use, by name.
inline const std::vector<std::string>& thread_transports() {
  static const std::vector<std::string> names{"in_process", "shared_memory"};
  return names;
}

/// As `run_in_process`, over a transport of `thread_transports`, or "tcp".
template <class Body>
void run_threads_over(const std::string& transport, int size, communicator_options options, Body&& body) {
  if (transport == "in_process") return run_in_process(size, options, std::forward<Body>(body));
  options.transports = {transport == "tcp" ? transport::tcp_factory() : transport::shared_memory_factory()};
  detail::run_threads(size, options, std::forward<Body>(body));
}

/// Waits until the condition holds; false after a time that no machine needs.
template <class Condition>
bool eventually(Condition&& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Whether memory that another thread may be writing holds these values now. The kernel reads it, so that it is no data
/// race of this program.
template <class T>
bool holds_now(const std::vector<T>& memory, const std::vector<T>& expected) {
  static const int self = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::vector<T> seen(memory.size());
  const auto bytes = seen.size() * sizeof(T);
  const auto address = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(memory.data()));
  return pread(self, seen.data(), bytes, address) == static_cast<ssize_t>(bytes) &&
         std::memcmp(seen.data(), expected.data(), bytes) == 0;
}

/// Threads of this process.
inline int thread_count() {
  std::vector<char> status(8192);
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t got = read(file, status.data(), status.size() - 1);
  close(file);
  if (got <= 0) return -1;
  const char* found = std::strstr(status.data(), "Threads:");
  return found ? std::atoi(found + 8) : -1;
}

}  // namespace hawser::test
