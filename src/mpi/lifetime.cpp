// Opening and closing of an MPI endpoint.
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "check.hpp"
#include "endpoint.hpp"

namespace hawser::mpi {
namespace {

int tag_upper_bound(MPI_Comm communicator) {
  int* value = nullptr;
  int is_set = 0;
  check(MPI_Comm_get_attr(communicator, MPI_TAG_UB, &value, &is_set), "asking for the largest tag");
  constexpr int least_of_the_standard = 32'767;
  return is_set ? *value : least_of_the_standard;
}

/// MPI_Comm_dup with a bound: a rank that is dead or elsewhere must not hang the others.
MPI_Comm duplicate(MPI_Comm communicator, std::chrono::milliseconds bound) {
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Comm_idup(communicator, &copy, &request), "duplicating the communicator");
  const auto deadline = std::chrono::steady_clock::now() + bound;
  for (int is_done = 0; !is_done;) {
    check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "duplicating the communicator");
    if (is_done) break;
    if (std::chrono::steady_clock::now() > deadline)
      fail(errc::timeout, "the communicator could not be duplicated", "not all of its ranks opened the MPI transport",
           "open it on all ranks, in the same order");
    sched_yield();
  }
  check(MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN), "setting the error handler");
  return copy;
}

}  // namespace

mpi_endpoint::mpi_endpoint(MPI_Comm communicator, const transport::endpoint_environment& environment,
                           const mpi_options& options)
    : self_(environment.self), size_(environment.size), options_(options), layout_(tag_upper_bound(communicator)) {
  if (options.largest_count < 1) fail(errc::invalid_argument, "mpi_options::largest_count must be positive");
  int self = 0;
  int size = 0;
  check(MPI_Comm_rank(communicator, &self), "asking for the rank");
  check(MPI_Comm_size(communicator, &size), "asking for the size");
  if (self != self_.value || size != size_)
    fail(errc::mismatch, "the MPI communicator is not the job's",
         "rank " + std::to_string(self) + " of " + std::to_string(size) + " there, rank " + to_string(self_) + " of " +
             std::to_string(size_) + " here",
         "pass the communicator that the bootstrap was made from");
  check_thread_level();
  messages_ = duplicate(communicator, options.open_timeout);
  farewells_ = duplicate(messages_, options.open_timeout);
}

mpi_endpoint::~mpi_endpoint() {
  try {
    shutdown();
  } catch (...) {  // a destructor reports nothing
  }
}

void mpi_endpoint::check_thread_level() {
  int level = MPI_THREAD_SINGLE;
  int is_main = 0;
  check(MPI_Query_thread(&level), "asking for the thread level");
  check(MPI_Is_thread_main(&is_main), "asking for the main thread");
  is_main_thread_only_ = level < MPI_THREAD_SERIALIZED;
  // Opened elsewhere, no thread that hawser knows of is allowed; the first call then says so.
  main_thread_ = is_main ? std::this_thread::get_id() : std::thread::id{};
  require_thread();
}

void mpi_endpoint::say_farewell() {
  for (const auto& [number, peer] : peers_) {
    if (peer.has_failed || number == self_.value) continue;
    MPI_Request request = MPI_REQUEST_NULL;
    if (MPI_Isend(nullptr, 0, MPI_BYTE, number, 0, farewells_, &request) == MPI_SUCCESS) MPI_Request_free(&request);
  }
}

/// True when every living peer that messages were exchanged with has shut down.
bool mpi_endpoint::take_farewells() {
  for (int has_any = 1; has_any;) {
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, 0, farewells_, &has_any, &status) != MPI_SUCCESS || !has_any) break;
    MPI_Recv(nullptr, 0, MPI_BYTE, status.MPI_SOURCE, 0, farewells_, MPI_STATUS_IGNORE);
    peers_[status.MPI_SOURCE].has_left = true;
  }
  return std::ranges::all_of(peers_, [&](const auto& entry) {
    return entry.second.has_failed || entry.second.has_left || entry.first == self_.value;
  });
}

/// A send that nobody receives holds its sender's memory: peers take such messages from each other as they leave.
void mpi_endpoint::discard_arrived() {
  match_incoming();
  for (const auto& [key, messages] : arrived_)
    for (const arrival& each : messages) discard(each);
  arrived_.clear();
  release_discarded();
}

void mpi_endpoint::drain(clock::time_point deadline) {
  for (;;) {
    collect();
    discard_arrived();
    const bool have_left = take_farewells();
    const bool is_only_dead =
        std::ranges::all_of(pending_, [&](const pending& each) { return peers_[each.peer.value].has_failed; });
    if (have_left && is_only_dead && doomed_ == 0 && discarded_.empty()) return;
    give_up_expired();
    if (clock::now() > deadline) return;
    sched_yield();
  }
}

/// Never returns where MPI could still touch memory that the caller is about to free.
void mpi_endpoint::end_if_unsafe() const {
  for (const pending& each : pending_) {
    if (peers_.at(each.peer.value).has_failed || each.peer == self_) continue;
    std::fprintf(
        stderr,
        "hawser: rank %d ends: MPI still holds the memory of a %s of %zu bytes with rank %d, %lld ms after the "
        "shutdown, and cannot give it back; raise mpi_options::abort_timeout if that rank is only slow\n",
        self_.value, each.is_receive ? "receive" : "send", each.bytes, each.peer.value,
        static_cast<long long>(options_.abort_timeout.count()));
    std::abort();
  }
}

void mpi_endpoint::drop_pending() {
  const std::vector<pending> dropped = std::exchange(pending_, {});
  for (MPI_Request& each : requests_) MPI_Request_free(&each);
  requests_.clear();
  for (const pending& each : dropped) deliver({each, MPI_SUCCESS, true, 0});
}

/// Freeing is collective: only where every peer left in good order.
void mpi_endpoint::release_communicators() {
  const bool is_clean = discarded_.empty() && take_farewells() &&
                        std::ranges::none_of(peers_, [](const auto& entry) { return entry.second.has_failed; });
  if (!is_clean) return;
  MPI_Comm_free(&farewells_);
  MPI_Comm_free(&messages_);
}

void mpi_endpoint::shutdown() {
  if (is_closed_) return;
  int is_finalized = 0;
  MPI_Finalized(&is_finalized);
  if (!is_finalized) require_thread();
  is_closed_ = true;
  if (is_finalized) {
    requests_.clear();
    drop_waiting(-1);
  } else {
    drop_waiting(-1);
    say_farewell();
    drain(clock::now() + options_.abort_timeout);
    end_if_unsafe();
  }
  drop_pending();
  if (!is_finalized) release_communicators();
  // MPI may still write into what it did not finish.
  if (!discarded_.empty()) static_cast<void>(new std::vector<discarded>(std::move(discarded_)));
}

}  // namespace hawser::mpi
