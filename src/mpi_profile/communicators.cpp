// See communicators.hpp: the attribute, and a memory of the last communicator of each thread.
#include "communicators.hpp"

#include <atomic>
#include <mutex>
#include <set>

#include "../communicator/state.hpp"
#include "process.hpp"
#include "report.hpp"

namespace hawser::mpi_profile {

namespace {

int keyval = MPI_KEYVAL_INVALID;
std::mutex known_mutex;
std::set<known_communicator*> all_known;  // under known_mutex
/// Rises when a communicator goes, so that no thread takes a new one with the same handle for it.
std::atomic<std::uint64_t> generation{1};

struct last_found {
  MPI_Comm handle = MPI_COMM_NULL;
  std::uint64_t generation = 0;
  known_communicator* known = nullptr;
};
thread_local last_found last;

/// MPI calls it when the communicator is freed. hawser's ends when the last call that uses it has.
int forget(MPI_Comm, int, void* attribute, void*) {
  auto* const known = static_cast<known_communicator*>(attribute);
  generation.fetch_add(1);
  {
    std::lock_guard lock(known_mutex);
    all_known.erase(known);
  }
  add_to_report(*known);
  delete known;
  return MPI_SUCCESS;
}

known_communicator* attach(MPI_Comm comm) {
  auto known = std::make_unique<known_communicator>();
  known->handle = comm;
  int is_inter = 0;
  PMPI_Comm_test_inter(comm, &is_inter);
  PMPI_Comm_rank(comm, &known->rank);
  PMPI_Comm_size(comm, &known->size);
  if (is_inter) known->state = known_communicator::progress::refused;
  if (comm == MPI_COMM_WORLD) {
    known->members = process::self().world().state();
    known->state = known_communicator::progress::made;
  }
  if (PMPI_Comm_set_attr(comm, keyval, known.get()) != MPI_SUCCESS) return nullptr;
  std::lock_guard lock(known_mutex);
  all_known.insert(known.get());
  return known.release();
}

}  // namespace

void open_communicators() {
  PMPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, &forget, &keyval, nullptr);
}

void close_communicators() {
  generation.fetch_add(1);
  std::lock_guard lock(known_mutex);
  for (known_communicator* each : all_known) {
    add_to_report(*each);
    each->members.reset();
    each->choices = {};
    each->state = known_communicator::progress::refused;
  }
}

known_communicator* find_communicator(MPI_Comm comm) {
  const std::uint64_t now = generation.load(std::memory_order_acquire);
  if (last.handle == comm && last.generation == now) return last.known;
  if (comm == MPI_COMM_NULL) return nullptr;
  known_communicator* known = nullptr;
  int is_there = 0;
  if (PMPI_Comm_get_attr(comm, keyval, &known, &is_there) != MPI_SUCCESS) return nullptr;
  if (!is_there) known = attach(comm);
  last = {comm, now, known};
  return known;
}

}  // namespace hawser::mpi_profile
