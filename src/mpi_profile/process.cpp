// See process.hpp.
#include "process.hpp"

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/mpi/bootstrap.hpp>

#include "communicators.hpp"
#include "figures.hpp"
#include "report.hpp"
#include "types.hpp"

namespace hawser::mpi_profile {

namespace {

/// MPI knows no time-outs: a rank may wait in a barrier for as long as the job runs.
constexpr milliseconds for_ever = std::chrono::hours(24 * 365 * 10);
/// Where the environment says nothing: MPI's launcher finds the dead sooner, a stopped process is not one of them.
constexpr milliseconds default_peer_timeout{120'000};

communicator_options options_from_environment() {
  communicator_options options = options_of(bootstrap::read_launch());
  if (options.peer_timeout == communicator_options{}.peer_timeout) options.peer_timeout = default_peer_timeout;
  options.operation_timeout = for_ever;
  return options;
}

/// Rank 0's text on all ranks of the copy of the world.
std::string broadcast(std::string text, MPI_Comm comm) {
  auto length = static_cast<int>(text.size());
  PMPI_Bcast(&length, 1, MPI_INT, 0, comm);
  text.resize(static_cast<std::size_t>(length));
  PMPI_Bcast(text.data(), length, MPI_CHAR, 0, comm);
  return text;
}

}  // namespace

process& process::self() {
  static auto* const one = new process;  // never destroyed: MPI may call back at exit
  return *one;
}

/// Returns the text of the tuning file; empty where there is none.
std::string process::agree_on_settings() {
  settings_ = read_settings();
  int told = static_cast<int>(settings_.serve);
  PMPI_Bcast(&told, 1, MPI_INT, 0, MPI_COMM_WORLD);
  settings_.serve = static_cast<mode>(told);
  if (world_rank_ == 0)
    for (const std::string& each : settings_.warnings) warn(each);
  if (settings_.serve != mode::automatic) return {};
  std::string text;
  if (world_rank_ == 0) text = read_figures(settings_.tuning);
  return broadcast(std::move(text), MPI_COMM_WORLD);
}

/// Whether no rank has a problem; the lowest one that has says what it is.
bool process::agree(const std::string& problem) {
  int mine = problem.empty() ? world_size_ : world_rank_;
  int lowest = world_size_;
  PMPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, world_copy_);
  if (lowest == world_size_) return true;
  if (lowest == world_rank_) {
    warn("rank " + std::to_string(world_rank_) + " could not join hawser's job (" + problem + "); " +
         (is_forced() ? "HAWSER_MPI=force ends the job" : "the MPI library serves everything"));
    if (is_forced()) PMPI_Abort(MPI_COMM_WORLD, 1);
  }
  return false;
}

void process::make_world() {
  std::string problem;
  try {
    communicator_options options = options_from_environment();
    mpi::bootstrap_options joining;
    joining.interface = options.interface;
    joining.peer_timeout = options.peer_timeout;
    joining.has_tls = options.has_tls;
    world_ = std::make_unique<hawser::communicator>(mpi::mpi_bootstrap(world_copy_, joining), std::move(options));
  } catch (const std::exception& failed) {
    problem = failed.what();
  }
  if (agree(problem)) return;
  world_.reset();
}

void process::start() {
  int is_initialized = 0, is_finalized = 0;
  PMPI_Initialized(&is_initialized);
  PMPI_Finalized(&is_finalized);
  if (!is_initialized || is_finalized || is_running()) return;
  PMPI_Comm_rank(MPI_COMM_WORLD, &world_rank_);
  PMPI_Comm_size(MPI_COMM_WORLD, &world_size_);
  const std::string figures = agree_on_settings();
  // Alone there is nothing to be gained.
  if (settings_.serve == mode::off || (world_size_ == 1 && !is_forced())) return;
  learn_types();
  take_figures(figures);
  PMPI_Comm_dup(MPI_COMM_WORLD, &world_copy_);
  PMPI_Comm_set_errhandler(world_copy_, MPI_ERRORS_RETURN);
  PMPI_Comm_dup(MPI_COMM_SELF, &self_copy_);
  PMPI_Irecv(nullptr, 0, MPI_BYTE, 0, 0, self_copy_, &never_);
  make_world();
  if (!world_) return;
  open_communicators();
  is_running_.store(true);
}

void process::stop() {
  if (!is_running()) return;
  is_running_.store(false);
  close_communicators();
  if (world_rank_ == 0) write_report(settings_);
  if (world_rank_ == 0) save_figures(settings_.tuning);
  // Together, since the last messages of a collective may still be on their way to slower ranks.
  PMPI_Barrier(world_copy_);
  world_.reset();
  PMPI_Cancel(&never_);
  PMPI_Wait(&never_, MPI_STATUS_IGNORE);
  PMPI_Comm_free(&world_copy_);
  PMPI_Comm_free(&self_copy_);
}

/// Asking for a request that is not complete drives either library; MPI_Iprobe does not drive MPICH.
void process::drive_mpi() noexcept {
  int is_there = 0;
  PMPI_Request_get_status(never_, &is_there, MPI_STATUS_IGNORE);
}

}  // namespace hawser::mpi_profile
