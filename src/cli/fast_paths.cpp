// Tries fast paths: kernels in this process, what two processes share between this one and a child of it.
#include "fast_paths.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/crc32c.hpp>
#include <hawser/executor/reduce.hpp>
#include <hawser/executor/trusted_kernels.hpp>
#include <hawser/transport/shared_memory.hpp>

#include "describe_topology.hpp"

#ifdef HAWSER_HAS_UCX
#include <hawser/ucx/transport.hpp>
#endif

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds patience{5'000};  // of the two processes with each other

fast_path vector_kernels() {
  std::string sets;
  for (const executor::instruction_set each : executor::instruction_sets())
    if (each != executor::instruction_set::baseline) sets += (sets.empty() ? "" : ", ") + std::string(to_string(each));
  const std::string& refused = executor::refused_kernels();
  if (!refused.empty()) return {"vector kernels", false, refused + (sets.empty() ? "" : "; used: " + sets)};
  if (sets.empty()) return {"vector kernels", false, "this processor has none that hawser knows; plain ones are used"};
  return {"vector kernels", true, sets + ": the same bits as the plain ones"};
}

fast_path checksums() {
  const bool has = crc32c_method() != "tables";
  return {"crc32c instruction", has,
          has ? "the same checksums as by tables" : "the processor has none, or it differs; tables are used"};
}

fast_path ucx() {
#ifdef HAWSER_HAS_UCX
  const transport::factory line = hawser::ucx::ucx_factory();
  const bool suits = !line.suits_host || line.suits_host();
  return {"ucx", suits, suits ? "it has a network device of this host" : "no network device of this host is UCX's; tcp"};
#else
  return {"ucx", false, "hawser was built without it"};
#endif
}

/// A store and a rank of it in this process that publish and read a key over TLS.
fast_path tls() {
  try {
    bootstrap::store_server_options served;
    served.secret = bootstrap::make_secret();
    served.has_tls = true;
    bootstrap::store_server server(served);
    bootstrap::store_options options;
    options.self = rank(0);
    options.secret = served.secret;
    options.has_tls = true;
    options.port = server.port();
    options.server_rank.reset();
    options.connect_timeout = patience;
    bootstrap::store_bootstrap door(options);
    door.put("key", "value");
    const bool is_right = door.get("key", patience) == "value";
    door.leave();
    return {"tls", is_right, is_right ? "a store and a rank have spoken over it" : "a value came back as another one"};
  } catch (const error& failed) {
    return {"tls", false, failed.what()};
  }
}

/// What one of two processes of this host finds of the other.
struct neighbour {
  bool is_mapped = false, shares_memory = false, is_read = false;
  std::string problem;
};

neighbour meet(rank self, const bootstrap::store_options& told) {
  bootstrap::store_options options = told;
  options.self = self;
  bootstrap::store_bootstrap door(options);
  transport::endpoint_environment environment;
  environment.self = self;
  environment.size = 2;
  environment.neighbours = {rank(0), rank(1)};
  environment.secret = options.secret;
  // Keys are written once: each endpoint has its own.
  const auto named = [&](std::string_view key) { return environment.incarnation + "/" + std::string(key); };
  environment.publish = [&](std::string_view key, std::string_view value) { door.put(named(key), value); };
  environment.look_up = [&](std::string_view key) { return door.get(named(key), patience); };
  const rank other(1 - self.value);
  neighbour found;
  for (const bool by_one_copy : {false, true}) {
    environment.incarnation = by_one_copy ? "one copy" : "";
    transport::shared_memory_options how;
    if (by_one_copy) how.path = transport::shared_memory_options::copy::one_copy;
    transport::shared_memory_transport endpoint(environment, how);
    if (by_one_copy) {
      found.is_read = endpoint.copies_once(other);
    } else {
      found.is_mapped = endpoint.reaches(other);
      found.shares_memory = endpoint.shares_host_memory(other);
      for (const auto& [number, problem] : endpoint.problems()) found.problem = problem;
    }
    endpoint.shutdown();
  }
  door.leave();
  return found;
}

/// In the child; it says nothing, its parent sees what both agree on.
[[noreturn]] void be_neighbour(int port_in, bootstrap::store_options options) {
  int code = 1;
  try {
    if (::read(port_in, &options.port, sizeof options.port) == sizeof options.port) {
      static_cast<void>(meet(rank(1), options));
      code = 0;
    }
  } catch (const std::exception&) {  // the parent runs into its time-out and says so
  }
  ::_exit(code);
}

neighbour meet_a_child() {
  bootstrap::store_options options;
  options.size = 2;
  options.secret = bootstrap::make_secret();
  options.server_rank.reset();
  options.connect_timeout = patience;
  int ports[2];
  if (::pipe(ports) != 0) return {.problem = "no pipe"};
  const pid_t child = ::fork();
  if (child == 0) be_neighbour(ports[0], options);
  neighbour found;
  ::close(ports[0]);
  try {
    if (child < 0) fail(errc::resource, "no process could be started");
    bootstrap::store_server_options served;
    served.size = 2;
    served.secret = options.secret;
    bootstrap::store_server server(served);
    options.port = server.port();
    if (::write(ports[1], &options.port, sizeof options.port) != sizeof options.port)
      fail(errc::io, "the other process is gone");
    found = meet(rank(0), options);
    server.close(patience);
  } catch (const std::exception& failed) {
    found.problem = failed.what();
  }
  ::close(ports[1]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return found;
}

void add_neighbour(std::vector<fast_path>& to) {
  const neighbour found = meet_a_child();
  const std::string rings = "messages go through rings", without = "not without shared memory";
  const std::string why = found.problem.empty() ? "the other process was not reached" : found.problem;
  to.push_back({"shared memory", found.is_mapped,
                found.is_mapped ? "mapped by another process and recognised" : why + "; tcp is used inside the host"});
  to.push_back({"host_memory() of neighbours", found.shares_memory,
                found.shares_memory ? "mapped by another process" : found.is_mapped ? "not to be mapped; " + rings : without});
  to.push_back({"reading a neighbour", found.is_read,
                found.is_read     ? "process_vm_readv gave the right words, both ways"
                : found.is_mapped ? "the system forbids process_vm_readv; " + rings
                                  : without});
}

}  // namespace

std::vector<fast_path> try_fast_paths() {
  std::vector<fast_path> all;
  add_neighbour(all);  // first: it forks
  all.push_back(vector_kernels());
  all.push_back(checksums());
  all.push_back(ucx());
  all.push_back(tls());
  return all;
}

std::string in_words(const std::vector<fast_path>& all) {
  std::string text = "fast paths\n";
  for (const fast_path& each : all)
    text += formatted("  %-28s %s: %s\n", each.name.c_str(), each.is_trusted ? "trusted" : "not used", each.reason.c_str());
  return text;
}

}  // namespace hawser::cli
