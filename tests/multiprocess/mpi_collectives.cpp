// Run under mpirun: the battery over the MPI transport (or another one, met through MPI) gives the bits that threads of
// one process give; "single": with MPI at thread level SINGLE; "mixed": shared memory inside two emulated hosts, MPI
// between them; "death": a rank kills itself and every other one names it.
#include <mpi.h>
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <mutex>

#include <hawser/communicator/in_process.hpp>
#include <hawser/mpi/bootstrap.hpp>
#include <hawser/mpi/transport.hpp>
#include <multiprocess/named_hosts.hpp>
#include <multiprocess/transports.hpp>
#include <support/collective_battery.hpp>
#include <support/threads_over.hpp>

namespace {

using namespace hawser;

communicator_options options_for(int size, const std::string& transport) {
  communicator_options options;
  options.topology = test::topology_for(size);
  if (transport == "mpi")
    options.transports = {mpi::mpi_factory(MPI_COMM_WORLD)};
  else if (transport == "mixed")
    options.transports = {transport::shared_memory_factory(), mpi::mpi_factory(MPI_COMM_WORLD)};
  else if (!transport.empty())
    options.transports = test::transport_named(transport);
  return options;
}

std::uint64_t digest_in_process(int size) {
  std::uint64_t digest = 0;
  std::mutex mutex;
  run_in_process(size, options_for(size, ""), [&](communicator& members) {
    const std::uint64_t mine = test::run_battery(members, true);
    std::lock_guard lock(mutex);
    digest = mine;
  });
  return digest;
}

int battery(int size, const std::string& transport) {
  std::uint64_t digest = 0;
  int self = 0;
  {
    communicator members(mpi::mpi_bootstrap(MPI_COMM_WORLD), options_for(size, transport));
    self = members.rank().value;
    if (transport == "mixed" && (members.transport_to(1 - self % 2 + self / 2 * 2) != "shared_memory" ||
                                 members.transport_to((self + size / 2) % size) != "mpi"))
      fail(errc::internal, "shared memory inside a host and MPI between hosts were expected");
    digest = test::run_battery(members, true);
  }
  if (self != 0) return 0;
  const bool is_same = digest == digest_in_process(size);
  std::printf("%s: %s\n", transport.c_str(), is_same ? "the same bits as threads" : "OTHER BITS THAN THREADS");
  return is_same ? 0 : 1;
}

/// MPI that knows of one thread only: asynchronous calls start none, and are driven by their caller.
int single(int size) {
  int level = MPI_THREAD_MULTIPLE;
  MPI_Query_thread(&level);
  if (level != MPI_THREAD_SINGLE) {
    std::printf("SKIPPED: this MPI has no thread level SINGLE\n");
    return 77;
  }
  {
    communicator members(mpi::mpi_bootstrap(MPI_COMM_WORLD), options_for(size, "mpi"));
    members.barrier();  // MPI and the bootstrap have started what threads they have
    const int threads = test::thread_count();
    std::vector<std::int64_t> data(10'000, members.rank().value + 1), other(3, 1);
    pending first = members.async().all_reduce(data), second = members.async().all_reduce(other);
    if (test::thread_count() != threads) fail(errc::internal, "an asynchronous call has started a thread");
    second.wait();
    while (!first.test()) {
    }
    if (data != std::vector<std::int64_t>(data.size(), size * (size + 1) / 2) || other[0] != size)
      fail(errc::internal, "the sums are wrong");
    members.barrier();
  }
  return battery(size, "mpi");
}

int death(int size) {
  mpi::bootstrap_options met;
  met.peer_timeout = bootstrap::milliseconds(2'000);
  communicator_options options = options_for(size, "mpi");
  options.peer_timeout = met.peer_timeout;
  communicator members(mpi::mpi_bootstrap(MPI_COMM_WORLD, met), options);
  std::vector<float> data(50'000, 1.0F);
  try {
    for (int round = 0;; ++round) {
      if (round == 10 && members.rank() == rank(size - 1)) raise(SIGKILL);
      members.all_reduce(data, op::max);
    }
  } catch (const error& failed) {
    const bool is_named = failed.peer() && *failed.peer() == rank(size - 1);
    std::printf("rank %d %s rank %d\n", members.rank().value, is_named ? "names" : "does not name", size - 1);
    std::fflush(stdout);
    _exit(is_named ? 0 : 1);  // MPI_Finalize cannot end without the dead rank
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "mpi";
  int provided = 0, size = 0;
  MPI_Init_thread(&argc, &argv, what == "single" ? MPI_THREAD_SINGLE : MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int code = 1, self = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &self);
  if (what == "mixed" && !test::become_host(self < size / 2 ? "first" : "second")) {
    if (self == 0) std::printf("SKIPPED: %s\n", test::why_hosts_cannot_be_named);
    MPI_Finalize();
    return 77;
  }
  try {
    code = what == "death" ? death(size) : what == "single" ? single(size) : battery(size, what);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return code;
}
