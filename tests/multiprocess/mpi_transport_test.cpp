// The MPI transport and bootstrap under mpirun: every rank runs this program; the argument picks what is checked.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <span>

#include <hawser/mpi/bootstrap.hpp>
#include <hawser/mpi/transport.hpp>

#include "transport_checks.hpp"

namespace hawser::test {
namespace {

constexpr auto peer_timeout = 2s;

transport::endpoint_environment environment_of(bootstrap::bootstrap& job) {
  transport::endpoint_environment made;
  made.self = job.self();
  made.size = job.size();
  made.publish = [&job](std::string_view key, std::string_view value) { job.put(key, value); };
  made.look_up = [&job](std::string_view key) { return job.get(key, 10s); };
  made.secret = job.secret();
  made.peer_timeout = peer_timeout;
  return made;
}

void check_job(bootstrap::bootstrap& job) {
  require(job.secret().size() >= 32, "the secret has fewer than 128 bits");
  job.put("test/" + to_string(job.self()), "value " + to_string(job.self()));
  for (int peer = 0; peer < job.size(); ++peer)
    require(job.get("test/" + std::to_string(peer), 10s) == "value " + std::to_string(peer), "wrong value of a key");
}

/// Runs a check on an endpoint of its own.
void run(bootstrap::bootstrap& job, const char* name, mpi::mpi_options options,
         const std::function<void(participant)>& check) {
  transport::any_transport endpoint = mpi::mpi_factory(MPI_COMM_WORLD, options).open(environment_of(job));
  try {
    check({endpoint, job.self(), job.size()});
  } catch (const std::exception& failed) {
    throw std::runtime_error(std::string(name) + ": " + failed.what());
  }
}

void check_arguments(participant me) {
  transfer which(8);
  const auto code_of = [&](rank peer, transport::tag match) {
    try {
      me.send(peer, match, which);
    } catch (const error& refused) {
      return refused.code();
    }
    return errc::internal;
  };
  require(code_of(me.size, {}) == errc::invalid_argument, "a rank outside the job was accepted");
  require(code_of(0, {.channel = 0xffff}) == errc::unsupported, "a channel too large was accepted");
  transfer out(pattern(8, me.self, me.self, 1)), in(8);
  me.receive(me.self, {.channel = mpi::max_channels - 1}, in);
  me.send(me.self, {.channel = mpi::max_channels - 1}, out);
  me.wait(in);
  me.wait(out);
  require_success(in, "the largest channel");
}

void check_all(bootstrap::bootstrap& job) {
  check_job(job);
  run(job, "arguments", {}, check_arguments);
  run(job, "sizes", {}, check_sizes);
  mpi::mpi_options blocks;
  blocks.largest_count = 1000;  // messages above it take the way of those above 2 GiB
  run(job, "sizes in blocks", blocks, check_sizes);
  run(job, "mismatch in blocks", blocks, check_mismatch);
  run(job, "tags", {}, check_tags);
  run(job, "unexpected", {}, check_unexpected);
  run(job, "all pairs", {}, check_all_pairs);
  run(job, "mismatch", {}, check_mismatch);
  run(job, "shutdown", {}, check_shutdown);
  run(job, "declared failure", {}, [](participant me) {
    check_all_pairs(me);
    if (me.size > 1) check_declared_failure(me, me.next());
  });
}

/// The last rank kills itself. The others hear of it from the store's heartbeat, fail what waits for it, and go on.
void check_death(bootstrap::bootstrap& job) {
  transport::any_transport endpoint = mpi::mpi_factory(MPI_COMM_WORLD).open(environment_of(job));
  participant me{endpoint, job.self(), job.size()};
  check_all_pairs(me);
  const rank victim = job.size() - 1;
  if (job.self() == victim) kill(getpid(), SIGKILL);
  transfer in(1 << 20), out(pattern(4 << 20, me.self, victim, 1));
  me.receive(victim, {.context = 9}, in);
  me.send(victim, {.context = 9}, out);
  me.wait([&] { return job.failures().generation() > 0 || in.is_done(); });
  for (const bootstrap::failure_notice& notice : job.failures().since(0))
    if (notice.peer) endpoint.peer_failed({notice.code, *notice.peer, notice.reason});
  me.wait(in);
  me.wait(out);
  require_failure(in, errc::peer_failed, victim, "receive from a killed rank");
  require_failure(out, errc::peer_failed, victim, "send to a killed rank");
  participant survivors{endpoint, job.self(), job.size() - 1};
  check_all_pairs(survivors);
  endpoint.shutdown();
  std::printf("rank %d went on without rank %d\n", me.self.value, victim.value);
}

/// One message of more than 2^31 bytes.
void check_large(bootstrap::bootstrap& job) {
  run(job, "large", {}, [](participant me) {
    constexpr std::size_t bytes = (std::size_t{5} << 29) + 13;
    transfer out(me.self == 0 ? bytes : 0), in(me.self == 1 ? bytes : 0);
    if (me.self == 0) {
      std::memset(out.memory.data(), 7, bytes);
      out.memory.back() = std::byte{42};
      me.send(1, {}, out);
      me.wait(out, 120s);
    } else if (me.self == 1) {
      me.receive(0, {}, in);
      me.wait(in, 120s);
      require_success(in, "2.5 GiB");
      const auto rest = std::span(in.memory).first(bytes - 1);
      require(std::ranges::all_of(rest, [](std::byte each) { return each == std::byte{7}; }), "wrong bytes");
      require(in.memory.back() == std::byte{42}, "wrong last byte");
    }
  });
}

int run_program(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  int code = 0;
  try {
    mpi::bootstrap_options options;
    options.peer_timeout = peer_timeout;
    const std::unique_ptr<bootstrap::bootstrap> job = mpi::mpi_bootstrap(MPI_COMM_WORLD, options);
    if (mode == "death")
      check_death(*job);
    else if (mode == "large")
      check_large(*job);
    else
      check_all(*job);
    job->leave();
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    code = 1;
  }
  std::fflush(nullptr);
  // Neither MPI_Finalize after a death, nor after a failed check, comes back in bounded time.
  if (mode == "death") _exit(code);
  if (code != 0) MPI_Abort(MPI_COMM_WORLD, code);
  return code;
}

}  // namespace
}  // namespace hawser::test

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  const int code = hawser::test::run_program(argc, argv);
  MPI_Finalize();
  return code;
}
