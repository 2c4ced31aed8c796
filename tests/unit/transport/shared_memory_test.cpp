// The shared-memory transport: conformance between threads and between processes on each copy path, and its own rules.
#include <hawser/transport/host_memory.hpp>
#include <hawser/transport/shared_memory.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>

#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using transport::shared_memory_factory;
using transport::shared_memory_options;
using transport::shared_memory_transport;
using copy = shared_memory_options::copy;

transport_world in_host_memory(transport_world made) {
  made.name += "_host_memory";
  made.memory = [] { return &host_memory(); };
  return made;
}

transport_world world(std::string name, transport_world::start how, copy path, std::size_t ring_bytes) {
  return {.name = std::move(name), .how = how, .prepare = [=] {
            return shared_memory_factory({.path = path, .ring_bytes = ring_bytes}).open;
          }};
}

constexpr auto threads = transport_world::start::threads;
constexpr auto processes = transport_world::start::processes;
constexpr std::size_t usual_ring = shared_memory_options{}.ring_bytes;
constexpr std::size_t tiny_ring = std::size_t{8} << 10;

INSTANTIATE_TEST_SUITE_P(shared_memory, transport_conformance,
                         ::testing::Values(world("threads", threads, copy::automatic, usual_ring),
                                           world("threads_staged_tiny", threads, copy::staged, tiny_ring),
                                           in_host_memory(world("threads", threads, copy::automatic, tiny_ring)),
                                           in_host_memory(world("processes", processes, copy::automatic, tiny_ring)),
                                           world("threads_one_copy", threads, copy::one_copy, tiny_ring),
                                           world("processes", processes, copy::automatic, usual_ring),
                                           world("processes_staged", processes, copy::staged, usual_ring),
                                           world("processes_staged_tiny", processes, copy::staged, tiny_ring),
                                           world("processes_one_copy", processes, copy::one_copy, tiny_ring)),
                         transport_conformance::name);

/// Whether the object or the doorbell that a rank has published still has a name. Other programs' objects do not count.
bool has_names(shared_store& store, rank owner) {
  const std::string path = "/dev/shm/" + store.get("shared_memory/" + to_string(owner));
  return ::access(path.c_str(), F_OK) == 0 || ::access((path + ".bell").c_str(), F_OK) == 0;
}

/// Runs a body with the typed endpoint, once in threads.
void run_typed(
    int size, const shared_memory_options& options,
    const std::function<void(shared_memory_transport&, rank, shared_store&)>& body,
    const std::function<void(endpoint_environment&)>& change = [](endpoint_environment&) {}) {
  shared_store store;
  std::vector<std::string> problems(static_cast<std::size_t>(size));
  std::vector<std::thread> ranks;
  for (int i = 0; i < size; ++i)
    ranks.emplace_back([&, i] {
      try {
        endpoint_environment environment = environment_of(i, size, store);
        change(environment);
        shared_memory_transport endpoint(environment, options);
        body(endpoint, i, store);
        store.barrier(size);
      } catch (const std::exception& problem) {
        problems[static_cast<std::size_t>(i)] = problem.what();
      }
    });
  for (std::thread& each : ranks) each.join();
  for (const std::string& each : problems) EXPECT_EQ(each, "");
}

TEST(shared_memory, reaches_every_neighbour_and_leaves_no_names) {
  std::atomic<int> reached{0};
  run_typed(4, {}, [&](shared_memory_transport& endpoint, rank self, shared_store& store) {
    for (int i = 0; i < 4; ++i) reached += endpoint.reaches(i);
    require(!endpoint.reaches(self) && !endpoint.reaches(4) && !endpoint.reaches(-1), "no rank but the neighbours");
    require(endpoint.problems().empty(), "no problems");
    store.barrier(4);
    for (int i = 0; i < 4; ++i) require(!has_names(store, i), "the names of rank " + std::to_string(i) + " are gone");
  });
  EXPECT_EQ(reached, 12);
}

TEST(shared_memory, both_sides_agree_when_one_cannot_map_the_other) {
  // Rank 1 is told another name for rank 0's object, as if it lay in another container's /dev/shm.
  const auto blind = [](endpoint_environment& environment) {
    if (environment.self != rank(1)) return;
    environment.look_up = [look_up = environment.look_up](std::string_view key) {
      const std::string value = look_up(key);
      return key == "shared_memory/0" ? "hawser-" + std::string(32, '0') : value;
    };
  };
  run_typed(
      3, {},
      [](shared_memory_transport& endpoint, rank self, shared_store&) {
        for (int i = 0; i < 3; ++i) {
          const bool is_cut = (self == rank(0) && i == 1) || (self == rank(1) && i == 0);
          require(endpoint.reaches(i) == (rank(i) != self && !is_cut), "the verdict about rank " + std::to_string(i));
          require(endpoint.problems().contains(i) == is_cut, "its reason");
        }
        if (self != rank(0)) return;
        ticket done;
        try {
          endpoint.send(1, tag_of(1), {}, done);
          require(false, "an error");
        } catch (const error& problem) {
          require(problem.code() == errc::unsupported, "that it is not reached");
        }
      },
      blind);
}

TEST(shared_memory, reaches_nobody_where_no_object_can_be_made) {
  shared_store store;
  const pid_t poor = ::fork();
  const rank self = poor == 0 ? 1 : 0;
  if (poor == 0) {
    // As on a host whose /dev/shm is full.
    const rlimit nothing{4096, 4096};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &nothing);
  }
  int failures = 1;
  try {
    shared_memory_transport endpoint(environment_of(self, 2, store));
    failures = endpoint.reaches(0) + endpoint.reaches(1);
    const std::string reason = endpoint.problems().at(1 - self.value);
    if (reason.find("no room for") == std::string::npos) ++failures, std::fprintf(stderr, "%s\n", reason.c_str());
    failures += endpoint.wait_descriptor() < 0 || !endpoint.arm() || endpoint.progress();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
  }
  if (poor == 0) ::_exit(failures);
  int status = -1;
  ::waitpid(poor, &status, 0);
  EXPECT_EQ(status, 0) << "on the rank without memory";
  EXPECT_EQ(failures, 0) << "on the other rank";
}

TEST(shared_memory, works_with_a_small_memory_budget) {
  run_typed(
      4, {.path = copy::staged},
      [](shared_memory_transport& endpoint, rank self, shared_store& store) {
        const rank next = (self.value + 1) % 4, previous = (self.value + 3) % 4;
        const auto data = pattern(300'000, 1);
        payload got(data.size());
        ticket sent, received;
        endpoint.receive(previous, tag_of(1), into(got), received);
        endpoint.send(next, tag_of(1), data, sent);
        const bool is_smaller_than_ring = sent.is_over();
        store.barrier(4);  // a rank that reads meanwhile makes room
        while (!sent.is_over() || !received.is_over()) endpoint.progress();
        require(!is_smaller_than_ring, "the message is larger than the ring");
        require(got == data, "the message");
      },
      [](endpoint_environment& environment) { environment.memory_budget = std::size_t{100} << 10; });
}

TEST(shared_memory, a_ring_size_must_be_a_power_of_two) {
  shared_store store;
  EXPECT_THROW(shared_memory_transport(environment_of(0, 1, store), {.ring_bytes = 100'000}), error);
}

TEST(shared_memory, uses_one_copy_only_where_it_is_possible_and_asked_for) {
  run_typed(2, {.path = copy::staged}, [](shared_memory_transport& endpoint, rank self, shared_store&) {
    require(!endpoint.copies_once(1 - self.value), "staged");
  });
  run_typed(2, {}, [](shared_memory_transport& endpoint, rank self, shared_store&) {
    require(!endpoint.copies_once(1 - self.value), "staging is faster");
    require(endpoint.shares_host_memory(1 - self.value), "threads of one process may always open its files");
  });
  run_typed(2, {.one_copy_threshold = 1000}, [](shared_memory_transport& endpoint, rank self, shared_store&) {
    require(endpoint.copies_once(1 - self.value), "threads of one process may always read each other");
  });
}

TEST(shared_memory, transfers_with_a_neighbour_that_left_fail) {
  run_typed(2, {}, [](shared_memory_transport& endpoint, rank self, shared_store& store) {
    std::vector<std::byte> small(100), large(std::size_t{1} << 20), got(100);
    ticket in_ring, unread, never;
    if (self == rank(0)) {
      endpoint.send(1, tag_of(1), small, in_ring);
      require(in_ring.has_succeeded(), "a small message is complete when it lies in the ring");
      store.barrier(2);
      endpoint.shutdown();
      store.barrier(2);
    } else {
      ticket received;
      endpoint.send(0, tag_of(9), large, unread);
      endpoint.receive(0, tag_of(2), into(got), never);
      store.barrier(2);
      store.barrier(2);
      endpoint.receive(0, tag_of(1), into(small), received);
      while (endpoint.progress()) {
      }
      require(received.has_succeeded(), "what was sent before is received");
      require(never.why && never.why->code == errc::peer_failed, "what was not is a failure");
      require(unread.why && unread.why->code == errc::peer_failed, "as is what was not read");
    }
  });
}

// The neighbour is killed in the middle of a transfer: the survivor must neither crash nor hang.
TEST(shared_memory, survives_the_death_of_a_neighbour) {
  for (const copy path : {copy::staged, copy::automatic}) {
    shared_store store;
    const pid_t victim = ::fork();
    if (victim == 0) {
      shared_memory_transport endpoint(environment_of(1, 2, store), {.path = path});
      const auto data = pattern(std::size_t{16} << 20, 1);
      ticket sent;
      endpoint.send(0, tag_of(1), data, sent);
      while (!sent.is_over()) endpoint.progress();
      ::pause();
    }
    shared_memory_transport endpoint(environment_of(0, 2, store), {.path = path});
    std::vector<std::byte> got(std::size_t{16} << 20);
    ticket first, second, stuck;
    endpoint.receive(1, tag_of(1), into(got), first);
    while (!first.is_over()) endpoint.progress();
    EXPECT_TRUE(first.has_succeeded());
    // No barrier: one killed on its way out of it would keep the store's lock for ever.
    ::kill(victim, SIGKILL);
    ::waitpid(victim, nullptr, 0);
    endpoint.receive(1, tag_of(2), into(got), second);
    endpoint.send(1, tag_of(3), got, stuck);
    for (int i = 0; i < 1000; ++i) endpoint.progress();
    EXPECT_TRUE(endpoint.arm());
    EXPECT_FALSE(second.is_over() || stuck.is_over());
    endpoint.peer_failed({errc::peer_failed, 1, "killed"});
    EXPECT_EQ(second.why->what, "killed");
    EXPECT_EQ(stuck.why->what, "killed");
    EXPECT_FALSE(has_names(store, 0) || has_names(store, 1)) << "nothing is left in /dev/shm";
  }
}

/// Rank 0 learns of a large message, its sender is killed, and only then is it received.
void receive_from_the_dead(const shared_memory_options& options, std::pmr::memory_resource* (*memory)()) {
  shared_store store;
  const std::vector<std::byte> small(8);
  const pid_t victim = ::fork();
  if (victim == 0) {
    std::pmr::set_default_resource(memory());
    shared_memory_transport endpoint(environment_of(1, 2, store), options);
    const auto data = pattern(std::size_t{4} << 20, 1);
    ticket offered, sent;
    endpoint.send(0, tag_of(1), data, offered);
    endpoint.send(0, tag_of(2), small, sent);
    for (;;) endpoint.progress();
  }
  shared_memory_transport endpoint(environment_of(0, 2, store), options);
  const bool is_whole = !endpoint.copies_once(1) && !endpoint.shares_host_memory(1);
  std::vector<std::byte> got(std::size_t{4} << 20), came(8);
  ticket first, second;
  endpoint.receive(1, tag_of(2), into(came), first);
  while (!first.is_over()) endpoint.progress();
  ::kill(victim, SIGKILL);
  ::waitpid(victim, nullptr, 0);
  if (is_whole) GTEST_SKIP() << "this system refuses to read another process";
  endpoint.receive(1, tag_of(1), into(got), second);
  while (!second.is_over()) endpoint.progress();
  ASSERT_TRUE(second.why);
  EXPECT_EQ(second.why->code, errc::peer_failed) << second.why->what;
  EXPECT_EQ(second.why->peer, rank(1));
}

TEST(shared_memory, a_message_of_a_neighbour_that_died_names_it) {
  receive_from_the_dead({.one_copy_threshold = 1000}, &std::pmr::new_delete_resource);
}

TEST(shared_memory, host_memory_of_a_neighbour_that_died_names_it) {
  receive_from_the_dead({}, [] { return &host_memory(); });
}

}  // namespace
}  // namespace hawser::testing
