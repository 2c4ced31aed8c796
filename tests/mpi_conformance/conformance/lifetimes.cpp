// Communicators that come and go: first used in orders that differ between ranks, freed with a call under way, copied,
// split again and made by every constructor.
#include <vector>

#include "comparison.hpp"

namespace conformance {

namespace {

bool sums_up(MPI_Comm comm) {
  int size = 0, one = 1, sum = 0;
  MPI_Comm_size(comm, &size);
  return MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm) == MPI_SUCCESS && sum == size;
}

/// The first calls on new communicators, begun by each rank in another order.
void run_first_uses(members& world) {
  enter("first calls on new communicators in different orders");
  constexpr std::size_t count = 5;
  MPI_Comm fresh[count];
  int sums[count], one = 1;
  MPI_Request requests[count];
  for (MPI_Comm& each : fresh) MPI_Comm_dup(world.comm, &each);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t c = (i + static_cast<std::size_t>(world.rank)) % count;
    MPI_Iallreduce(&one, &sums[c], 1, MPI_INT, MPI_SUM, fresh[c], &requests[c]);
  }
  MPI_Waitall(static_cast<int>(count), requests, MPI_STATUSES_IGNORE);
  for (int each : sums) check(each == world.size, "a sum");
  for (MPI_Comm& each : fresh) MPI_Comm_free(&each);
}

void run_freed_during_call(members& world) {
#ifdef OPEN_MPI
  if (world.size > 0) return;  // Open MPI 4.1 itself reaches into the freed communicator
#endif
  enter("a communicator freed while a call is under way");
  MPI_Comm copy = MPI_COMM_NULL;
  MPI_Comm_dup(world.comm, &copy);
  int one = 1, sum = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallreduce(&one, &sum, 1, MPI_INT, MPI_SUM, copy, &request);
  MPI_Comm_free(&copy);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  check(sum == world.size, "the sum");
}

void run_generations(members& world, int round) {
  enter("copies of parts of copies, round " + std::to_string(round));
  MPI_Comm copy = MPI_COMM_NULL, part = MPI_COMM_NULL, again = MPI_COMM_NULL;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Comm_dup(world.comm, &copy);
  check(sums_up(copy), "the copy");
  MPI_Comm_split(copy, world.rank % (round + 1), -world.rank, &part);
  check(sums_up(part), "the part");
  MPI_Comm_idup(part, &again, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  MPI_Comm_free(&copy);
  check(sums_up(again), "the copy of the part");
  MPI_Comm_free(&part);
  check(sums_up(again), "the copy of the part, when that is gone");
  MPI_Comm_free(&again);
}

void run_constructors(members& world) {
  enter("communicators by other constructors");
  MPI_Comm made = MPI_COMM_NULL;
  MPI_Comm_split_type(world.comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &made);
  check(sums_up(made), "MPI_Comm_split_type");
  MPI_Comm_free(&made);
  const int sides[1] = {world.size}, circular[1] = {1};
  MPI_Cart_create(world.comm, 1, sides, circular, 1, &made);
  check(sums_up(made), "MPI_Cart_create");
  MPI_Comm_free(&made);
  if (world.rank > 0) return;
  MPI_Group alone = MPI_GROUP_NULL;
  MPI_Comm_group(MPI_COMM_SELF, &alone);
  MPI_Comm_create_group(world.comm, alone, 1, &made);  // without the other ranks
  check(sums_up(made), "MPI_Comm_create_group");
  MPI_Group_free(&alone);
  MPI_Comm_free(&made);
}

}  // namespace

void run_lifetimes(all_members& all) {
  members& world = all.world();
  for (int round = 0; round < (chosen().is_quick ? 3 : 20); ++round) {
    run_first_uses(world);
    run_freed_during_call(world);
    run_generations(world, round % 3);
  }
  run_constructors(world);
}

}  // namespace conformance
