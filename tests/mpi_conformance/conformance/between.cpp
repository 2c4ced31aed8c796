// Collectives between two groups: intercommunicators.
#include <vector>

#include "comparison.hpp"

namespace conformance {

namespace {

/// Two groups that call each other. MPI_ROOT and MPI_PROC_NULL are the roots of the group that has the root.
struct sides {
  MPI_Comm comm;
  bool is_lower;
  int rank;
  int remote;
};

void run_one(const sides& of, const std::string& name, form how) {
  constexpr int count = 4;
  enter(name_of(how) + " MPI_" + name + " between groups");
  const auto elements = static_cast<std::size_t>(count * of.remote) + count;
  std::vector<int> sent(elements), received[2];
  for (std::size_t i = 0; i < elements; ++i) sent[i] = 1000 * of.rank + (of.is_lower ? 0 : 500) + static_cast<int>(i);
  auto numbers = random_numbers(9, 0);
  for (int by = 0; by < 2; ++by) {
    received[by].assign(elements, -1);
    if (name == "Bcast" && of.is_lower && of.rank == 0) received[by] = sent;
    arguments told{sent.data(), count, MPI_INT, received[by].data(), count, MPI_INT};
    told.op = MPI_SUM;
    told.comm = of.comm;
    told.root = !of.is_lower ? 0 : of.rank == 0 ? MPI_ROOT : MPI_PROC_NULL;
    const int code = perform(collective_of(name), static_cast<library>(by), how, told, numbers);
    check(code == MPI_SUCCESS, error_text(code));
  }
  check(received[0] == received[1], "the results");
}

}  // namespace

void run_between(all_members& all) {
  members& world = all.world();
  if (world.size < 2) return;
  const int middle = (world.size + 1) / 2;
  sides of{MPI_COMM_NULL, world.rank < middle, 0, 0};
  MPI_Comm local = MPI_COMM_NULL;
  MPI_Comm_split(world.comm, of.is_lower ? 0 : 1, world.rank, &local);
  MPI_Intercomm_create(local, 0, world.comm, of.is_lower ? middle : 0, 11, &of.comm);
  MPI_Comm_rank(local, &of.rank);
  MPI_Comm_remote_size(of.comm, &of.remote);
  for (const std::string name :
       {"Barrier", "Bcast", "Allreduce", "Allgather", "Alltoall", "Gather", "Scatter", "Reduce"})
    for (const form how : {form::blocking, form::nonblocking}) run_one(of, name, how);
  MPI_Comm merged = MPI_COMM_NULL;
  MPI_Intercomm_merge(of.comm, of.is_lower ? 0 : 1, &merged);
  int one = 1, sum = 0;
  MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, merged);
  check(sum == world.size, "the sum over the merged groups");
  MPI_Comm_free(&merged);
  MPI_Comm_free(&of.comm);
  MPI_Comm_free(&local);
}

}  // namespace conformance
