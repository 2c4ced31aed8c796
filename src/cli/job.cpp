// See job.hpp.
#include "job.hpp"

#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include <hawser/core/units.hpp>
#include <hawser/planner/decision_file.hpp>
#include <hawser/transport/faults.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

#include "decisions_option.hpp"

#ifdef HAWSER_HAS_UCX
#include <hawser/ucx/transport.hpp>
#endif
#ifdef HAWSER_HAS_MPI
#include <hawser/mpi/bootstrap.hpp>
#include <hawser/mpi/transport.hpp>
#endif

namespace hawser::cli {
namespace {

#ifdef HAWSER_HAS_MPI
bool is_mpi_running() {
  int is_initialized = 0, is_finalized = 0;
  MPI_Initialized(&is_initialized);
  MPI_Finalized(&is_finalized);
  return is_initialized != 0 && is_finalized == 0;
}

void start_mpi() {
  if (is_mpi_running()) return;
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS)
    fail(errc::io, "MPI cannot be initialised", {}, "start the program with the mpirun of the MPI it was built with");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

std::unique_ptr<bootstrap::bootstrap> join_mpi(const bootstrap::launch& from, const communicator_options& options) {
  start_mpi();
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size != *from.size)
    fail(errc::mismatch, "MPI sees " + std::to_string(size) + " ranks, the launcher " + std::to_string(*from.size),
         "the program was built with another MPI than the launcher's (" + from.launcher_name + ")",
         "use that MPI's mpirun, or set MASTER_ADDR and MASTER_PORT and do without MPI");
  mpi::bootstrap_options door;
  door.interface = options.interface;
  door.peer_timeout = options.peer_timeout;
  door.has_tls = options.has_tls;
  door.connect_timeout = options.rendezvous_timeout;
  return mpi::mpi_bootstrap(MPI_COMM_WORLD, door);
}
#endif

#if !defined(HAWSER_HAS_UCX) || !defined(HAWSER_HAS_MPI)
[[noreturn]] void fail_missing(const std::string& name) {
  fail(errc::unsupported, "this build has no transport \"" + name + "\"", "its library was not found when it was built",
       "use --transport auto");
}
#endif

}  // namespace

std::vector<std::string> transport_names() {
  std::vector<std::string> names{"auto", "shm", "tcp"};
#ifdef HAWSER_HAS_UCX
  names.emplace_back("ucx");
#endif
#ifdef HAWSER_HAS_MPI
  names.emplace_back("mpi");
#endif
  return names;
}

void job_options::add_to(CLI::App& app) {
  app.add_option("--transport", transport,
                 "auto (shared memory inside a host, UCX or TCP between hosts), shm, tcp, ucx, mpi")
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--topology", topology, "Synthetic string, preset:NAME or file (docs/topology.md)")
      ->type_name("TOPOLOGY");
  add_decisions_option(app, decisions);
  app.add_option("--tuning", tuning, "Tuning file (docs/tuning.md), or probe: measure at the start")->type_name("FILE");
  app.add_flag("--infer-racks", infer_racks, "Where no source tells the racks, find them by measuring");
  app.add_option("--peer-timeout", peer_timeout, "A rank without a sign of life for so long has failed (10s)")
      ->type_name("TIME");
  app.add_flag("--checksums", has_checksums, "Send a CRC32C after each message; corruption becomes an error");
  app.add_flag("--tls", has_tls, "Encrypt what goes between hosts (TLS 1.3 by the job's secret, over TCP)");
  app.add_option("--faults", faults, "Inject faults, as corrupt:0.01,delay:5ms@0.1,seed:7 (docs/faults.md)")
      ->type_name("FAULTS");
  app.add_flag("--require-auth", require_auth, "Refuse transports between hosts that cannot prove the job's secret");
}

transport::registry transports_of(const std::string& name) {
  if (name == "shm") return {transport::shared_memory_factory()};
  if (name == "tcp") return {transport::tcp_factory()};
#ifdef HAWSER_HAS_UCX
  if (name == "ucx") return {ucx::ucx_factory()};
  if (name == "auto") return {transport::shared_memory_factory(), ucx::ucx_factory(), transport::tcp_factory()};
#else
  if (name == "ucx") fail_missing(name);
  if (name == "auto") return {transport::shared_memory_factory(), transport::tcp_factory()};
#endif
#ifdef HAWSER_HAS_MPI
  if (name == "mpi") {
    start_mpi();
    return {mpi::mpi_factory(MPI_COMM_WORLD)};
  }
#else
  if (name == "mpi") fail_missing(name);
#endif
  std::string known;
  for (const std::string& each : transport_names()) known.append(known.empty() ? "" : ", ").append(each);
  fail(errc::not_found, "unknown transport \"" + name + "\"", {}, "use one of " + known);
}

communicator_options communicator_options_of(const job_options& options, const bootstrap::launch& from) {
  communicator_options told = options_of(from);
  told.transports = transports_of(options.transport);
  if (!options.topology.empty()) told.topology = options.topology;
  if (!options.decisions.empty()) {
    told.decisions = options.decisions;
    told.must_decisions_fit = true;
  }
  if (!told.decisions.empty()) (void)planner::read_decisions(told.decisions);  // told before ranks are started
  if (!options.tuning.empty()) told.tuning = options.tuning;
  told.infer_racks = options.infer_racks;
  told.require_auth = options.require_auth;
  told.has_checksums = told.has_checksums || options.has_checksums;
  told.has_tls = told.has_tls || options.has_tls;
  if (!options.faults.empty()) told.faults = options.faults;
  (void)transport::parse_faults(told.faults);  // told before ranks are started
  if (!options.peer_timeout.empty())
    told.peer_timeout = std::chrono::duration_cast<milliseconds>(parse_seconds(options.peer_timeout));
  constexpr milliseconds least{100};
  if (told.peer_timeout < least)
    fail(errc::invalid_argument, "the peer time-out \"" + options.peer_timeout + "\" is too short",
         "heartbeats would be late on a busy host", "use at least 100ms");
  return told;
}

std::vector<std::string> overrides(const job_options& options, const bootstrap::launch& from) {
  std::vector<std::string> list;
  if (options.topology.empty() && !from.topology.empty()) list.push_back("HAWSER_TOPOLOGY=" + from.topology);
  if (options.decisions.empty() && !from.decisions.empty()) list.push_back("HAWSER_DECISIONS=" + from.decisions);
  if (options.tuning.empty() && !from.tuning.empty()) list.push_back("HAWSER_TUNING=" + from.tuning);
  if (options.faults.empty() && !from.faults.empty()) list.push_back("HAWSER_FAULTS=" + from.faults);
  if (!options.has_checksums && from.has_checksums) list.emplace_back("HAWSER_CHECKSUMS=1");
  if (!options.has_tls && from.has_tls) list.emplace_back("HAWSER_TLS=on");
  if (options.peer_timeout.empty() && from.peer_timeout)
    list.push_back("HAWSER_PEER_TIMEOUT=" + std::to_string(from.peer_timeout->count()) + "ms");
#ifdef HAWSER_HAS_UCX
  if (options.transport == "ucx" || options.transport == "auto")
    for (const std::string& each : ucx::ucx_overrides()) list.push_back(each);
#endif
  return list;
}

std::unique_ptr<bootstrap::bootstrap> join_job(const bootstrap::launch& from, const communicator_options& options) {
  bootstrap::launch told = from;
  told.peer_timeout = options.peer_timeout;
  told.has_tls = options.has_tls;
  if (told.has_store()) return bootstrap::join_store(told, options.rendezvous_timeout);
  if (!told.has_ranks())
    fail(errc::invalid_argument, "this process is not part of a job", "no launcher's variables are set",
         "start it with mpirun or torchrun, or give --local N");
#ifdef HAWSER_HAS_MPI
  return join_mpi(told, options);
#else
  return bootstrap::join_store(told, options.rendezvous_timeout);  // names the variables that are missing
#endif
}

void leave_launcher([[maybe_unused]] int code) {
#ifdef HAWSER_HAS_MPI
  if (!is_mpi_running()) return;
  if (code == 0) {
    MPI_Finalize();
    return;
  }
  std::fflush(nullptr);
  std::_Exit(code);
#endif
}

}  // namespace hawser::cli
