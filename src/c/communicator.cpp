// The communicators of hawser.h: how they are made, split and left.
#include <memory>
#include <utility>

#include <hawser/bootstrap/in_process.hpp>

#include "handles.hpp"
#include "options.hpp"
#include "status.hpp"
#include "text.hpp"

namespace hawser::c {

namespace {

std::unique_ptr<bootstrap::bootstrap> join(const bootstrap::launch& launch, const communicator_options& options) {
  if (!launch.has_ranks()) return bootstrap::in_process_job::create(1)->join(0);
  return bootstrap::join_store(launch, options.rendezvous_timeout);
}

void create(const hawser_options* given, hawser_comm*& comm) {
  const hawser_options read_options = read(given);
  const bootstrap::launch launch = launch_of(read_options);
  communicator_options options = options_of(read_options, launch);
  const schedule::mode mode = options.reproducibility;
  auto door = join(launch, options);
  comm = new hawser_comm{communicator(std::move(door), std::move(options)), mode};
}

void join_threads(hawser_local_job& job, int rank, const hawser_options* given, hawser_comm*& comm) {
  hawser_options read_options = read(given);
  read_options.size = 0;  // the job's
  const bootstrap::launch launch = launch_of(read_options);
  communicator_options options = options_of(read_options, launch);
  options.transports = {transport::in_process_factory(job.hub)};
  const schedule::mode mode = options.reproducibility;
  auto door = job.door->join(rank);
  comm = new hawser_comm{communicator(std::move(door), std::move(options)), mode};
}

}  // namespace

}  // namespace hawser::c

using hawser::c::guarded;
using hawser::c::valid;

extern "C" {

hawser_status hawser_comm_create(const hawser_options* options, hawser_comm** comm) {
  return guarded([&] { hawser::c::create(options, valid(comm, "place for the communicator")); });
}

hawser_status hawser_local_job_create(int size, hawser_local_job** job) {
  return guarded([&] {
    hawser_local_job*& made = valid(job, "place for the job");
    if (size < 1) hawser::fail(hawser::errc::invalid_argument, "a job has at least one rank", std::to_string(size));
    made = new hawser_local_job{hawser::bootstrap::in_process_job::create(size),
                                std::make_shared<hawser::transport::in_process_hub>(size)};
  });
}

hawser_status hawser_local_job_join(hawser_local_job* job, int rank, const hawser_options* options,
                                    hawser_comm** comm) {
  return guarded(
      [&] { hawser::c::join_threads(valid(job, "job"), rank, options, valid(comm, "place for the communicator")); });
}

void hawser_local_job_free(hawser_local_job* job) {
  delete job;
}

hawser_status hawser_comm_split(hawser_comm* comm, int color, int key, hawser_comm** part) {
  return guarded([&] {
    hawser_comm& whole = valid(comm, "communicator");
    hawser_comm*& made = valid(part, "place for the part");
    const auto own = whole.members.split(color, key);
    made = own ? new hawser_comm{*own, whole.reproducibility} : nullptr;
  });
}

int hawser_comm_rank(const hawser_comm* comm) {
  return comm == nullptr ? -1 : comm->members.rank().value;
}

int hawser_comm_size(const hawser_comm* comm) {
  return comm == nullptr ? -1 : comm->members.size();
}

hawser_status hawser_comm_transport(const hawser_comm* comm, int peer, char* text, size_t capacity, size_t* length) {
  return guarded([&] {
    const hawser::communicator& members = valid(comm, "communicator").members;
    hawser::c::check_rank(members, peer);
    hawser::c::copy(members.transport_to(peer), text, capacity, length);
  });
}

hawser_status hawser_comm_abort(hawser_comm* comm, const char* reason) {
  return guarded([&] { valid(comm, "communicator").members.abort(reason == nullptr ? "no reason given" : reason); });
}

void hawser_comm_free(hawser_comm* comm) {
  delete comm;
}
}
