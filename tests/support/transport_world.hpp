// Runs a body as n ranks, in threads or in forked processes, each with its own endpoint of the transport under test.
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory_resource>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/transport/endpoint.hpp>
#include "support/payload.hpp"
#include "support/shared_store.hpp"

namespace hawser::testing {

using transport::any_transport;
using transport::endpoint_environment;
using transport::failure;
using transport::sink;
using transport::tag;

/// Opens one rank's endpoint.
using opener = std::function<any_transport(const endpoint_environment&)>;
/// What one rank does; the store is a way around the transport under test.
using rank_body = std::function<void(any_transport& endpoint, rank self, shared_store& store)>;

/// A transport and the way its ranks are started. `prepare` is called once per run, before the ranks start; `memory` by
/// every rank.
struct transport_world {
  std::string name;
  enum class start { threads, processes } how = start::threads;
  std::function<opener()> prepare;
  std::function<std::pmr::memory_resource*()> memory = &std::pmr::new_delete_resource;

  void run(int size, const rank_body& body) const;
};

inline void PrintTo(const transport_world& world, std::ostream* out) {
  *out << world.name;
}

/// Checks of a rank's body; they work in forked processes too.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("not so: " + what);
}

inline endpoint_environment environment_of(rank self, int size, shared_store& store) {
  endpoint_environment environment;
  environment.self = self;
  environment.size = size;
  for (int i = 0; i < size; ++i) environment.neighbours.push_back(i);
  environment.publish = [&store](std::string_view key, std::string_view value) { store.put(key, value); };
  environment.look_up = [&store](std::string_view key) { return store.get(key); };
  environment.secret = "a secret of the tests, long enough to be one";
  return environment;
}

/// One rank's life: open, body, and, when all are through, shutdown.
inline void live(const opener& open, int size, rank self, shared_store& store, const rank_body& body) {
  any_transport endpoint = open(environment_of(self, size, store));
  try {
    body(endpoint, self, store);
  } catch (const std::exception& problem) {
    // The process ends here: the transfers that the body left pending, its memory, must not be touched any more.
    std::fprintf(stderr, "rank %d: %s\n", self.value, problem.what());
    std::fflush(nullptr);
    ::_exit(1);
  }
  store.barrier(size);
  endpoint.shutdown();
}

inline void run_threads(const opener& open, int size, shared_store& store, const rank_body& body) {
  std::vector<std::string> problems(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int i = 0; i < size; ++i)
    threads.emplace_back([&, i] {
      try {
        live(open, size, i, store, body);
      } catch (const std::exception& problem) {
        problems[static_cast<std::size_t>(i)] = problem.what();
      }
    });
  for (std::thread& each : threads) each.join();
  for (int i = 0; i < size; ++i) EXPECT_EQ(problems[static_cast<std::size_t>(i)], "") << "on rank " << i;
}

inline void run_processes(const opener& open, int size, shared_store& store, const rank_body& body) {
  std::fflush(nullptr);
  std::vector<pid_t> children;
  for (int i = 0; i < size; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(200);  // a hanging rank dies, and fails the test
      int status = 0;
      try {
        live(open, size, i, store, body);
      } catch (const std::exception& problem) {
        std::fprintf(stderr, "rank %d: %s\n", i, problem.what());
        status = 1;
      }
      std::fflush(nullptr);
      ::_exit(status);
    }
    children.push_back(child);
  }
  for (int i = 0; i < size; ++i) {
    int status = -1;
    ::waitpid(children[static_cast<std::size_t>(i)], &status, 0);
    EXPECT_EQ(status, 0) << "wait status of rank " << i;
  }
}

inline void transport_world::run(int size, const rank_body& body) const {
  shared_store store;
  const opener open = [this, made = prepare()](const endpoint_environment& environment) {
    std::pmr::set_default_resource(memory());
    return made(environment);
  };
  (how == start::threads ? run_threads : run_processes)(open, size, store, body);
}

/// A completion that can be waited for.
struct ticket : transport::completion {
  ticket() { done = &finish; }
  ticket(ticket&&) = delete;
  static void finish(completion& self, const failure* failed) {
    auto& mine = static_cast<ticket&>(self);
    ++mine.calls;
    if (failed) mine.why = *failed;
  }
  bool is_over() const { return calls > 0; }
  bool has_succeeded() const { return calls == 1 && !why; }
  int calls = 0;
  std::optional<failure> why;
};

enum class waiting { poll, block };

/// Progresses until the condition holds. Blocking waits that are not woken within a minute are lost wake-ups.
template <class Condition>
void wait_until(any_transport& endpoint, waiting how, Condition&& holds) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + std::chrono::seconds(60);
  const bool can_block = how == waiting::block && endpoint.wait_descriptor() >= 0;
  while (!holds()) {
    if (endpoint.progress()) continue;
    if (holds()) return;
    if (can_block && endpoint.arm()) {
      pollfd bell{endpoint.wait_descriptor(), POLLIN, 0};
      require(::poll(&bell, 1, 60'000) == 1, "the endpoint wakes up");
    } else {
      require(clock::now() < deadline, "the transfer ends within a minute");
      std::this_thread::yield();
    }
  }
}

inline void wait_for(any_transport& endpoint, const ticket& each, waiting how = waiting::poll) {
  wait_until(endpoint, how, [&] { return each.is_over(); });
  if (each.why) throw error(each.why->code, each.why->what);
  require(each.calls == 1, "a completion is called once");
}

template <class Vector>
sink into(Vector& data) {
  return {.data = data.data(), .bytes = data.size()};
}

}  // namespace hawser::testing
