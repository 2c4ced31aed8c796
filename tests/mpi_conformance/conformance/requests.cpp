// What requests of collectives promise: many runs of persistent ones, lists with other requests, status, types and
// operators that are freed while a call is under way.
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "comparison.hpp"

namespace conformance {

namespace {

int sum_of_ranks(int size) {
  return size * (size - 1) / 2;
}

/// An inactive request is complete, says MPI; MPICH 4.0 gives an error now and then. Either way it is kept.
bool tests_inactive_alike(members& on) {
  const collective& what = collective_of("Barrier");
  [[maybe_unused]] int codes[2], are_done[2] = {-1, -1};
  for (int by = 0; by < 2; ++by) {
    arguments told;
    told.comm = on.comm;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Status status;
    what.prepare[by](told, &request);
    codes[by] = class_of((by == 0 ? PMPI_Test : MPI_Test)(&request, &are_done[by], &status));
    check(request != MPI_REQUEST_NULL, "an inactive request is kept");
    (by == 0 ? PMPI_Request_free : MPI_Request_free)(&request);
  }
#ifdef MPICH_VERSION
  return true;
#else
  return codes[0] == MPI_SUCCESS && codes[1] == MPI_SUCCESS && are_done[0] == 1 && are_done[1] == 1;
#endif
}

/// One plan, several runs, other data each time; inactive in between.
void run_persistent(members& on) {
  const collective& what = collective_of("Allreduce");
  if (what.prepare[1] == nullptr) return;
  enter("MPI_Allreduce_init on " + on.name);
  int data[3], sums[3];
  arguments told;
  told.send = data;
  told.receive = sums;
  told.receive_count = 3;
  told.receive_type = MPI_INT;
  told.op = MPI_SUM;
  told.comm = on.comm;
  MPI_Request request = MPI_REQUEST_NULL;
  check(what.prepare[1](told, &request) == MPI_SUCCESS, "the plan is made");
  int is_done = 0;
  MPI_Status status;
  check(tests_inactive_alike(on), "an inactive request is tested as the library does");
  for (int run = 0; run < 4; ++run) {
    for (int i = 0; i < 3; ++i) data[i] = on.rank + 10 * run + i;
    std::memset(sums, -1, sizeof sums);
    check(MPI_Start(&request) == MPI_SUCCESS, "a run starts");
    is_done = 0;
    while (run % 2 == 1 && is_done == 0) MPI_Request_get_status(request, &is_done, &status);
    check(MPI_Wait(&request, &status) == MPI_SUCCESS, "a run ends");
    for (int i = 0; i < 3; ++i)
      check(sums[i] == sum_of_ranks(on.size) + on.size * (10 * run + i), "the sum of run " + std::to_string(run));
  }
  check(MPI_Request_free(&request) == MPI_SUCCESS && request == MPI_REQUEST_NULL, "an inactive request is freed");
}

/// Collective and point-to-point persistent requests in one MPI_Startall and one MPI_Waitall.
void run_start_all(members& on) {
  const collective& what = collective_of("Bcast");
  if (what.prepare[1] == nullptr) return;
  enter("MPI_Startall of MPI_Bcast_init and messages on " + on.name);
  const int next = (on.rank + 1) % on.size, previous = (on.rank + on.size - 1) % on.size;
  int sent = 0, received = -1, news = -1;
  arguments told;
  told.receive = &news;
  told.receive_count = 1;
  told.receive_type = MPI_INT;
  told.comm = on.comm;
  MPI_Request requests[3];
  MPI_Recv_init(&received, 1, MPI_INT, previous, 5, on.comm, &requests[0]);
  check(what.prepare[1](told, &requests[1]) == MPI_SUCCESS, "the plan is made");
  MPI_Send_init(&sent, 1, MPI_INT, next, 5, on.comm, &requests[2]);
  for (int run = 0; run < 3; ++run) {
    sent = on.rank + 100 * run;
    news = on.rank == 0 ? 7 + run : -1;
    MPI_Status statuses[3];
    check(MPI_Startall(3, requests) == MPI_SUCCESS, "all start");
    check(MPI_Waitall(3, requests, statuses) == MPI_SUCCESS, "all end");
    int count = 0;
    MPI_Get_count(&statuses[0], MPI_INT, &count);
    check(received == previous + 100 * run && news == 7 + run, "the data of run " + std::to_string(run));
    check(statuses[0].MPI_SOURCE == previous && statuses[0].MPI_TAG == 5 && count == 1, "the message's status");
  }
  for (MPI_Request& each : requests) MPI_Request_free(&each);
}

/// Persistent collectives are matched by the order in which they are made; each rank starts them in its own.
void run_starts_in_any_order(members& on) {
  const collective& what = collective_of("Bcast");
  if (what.prepare[1] == nullptr) return;
  constexpr int plans = 80;  // more than some library may have room for
  enter(std::to_string(plans) + " MPI_Bcast_init started in another order on each rank of " + on.name);
  std::vector<int> news(plans, -1);
  std::vector<MPI_Request> requests(plans, MPI_REQUEST_NULL);
  for (int i = 0; i < plans; ++i) {
    arguments told;
    told.receive = &news[static_cast<std::size_t>(i)];
    told.receive_count = 1;
    told.receive_type = MPI_INT;
    told.root = i % on.size;
    told.comm = on.comm;
    check(what.prepare[1](told, &requests[static_cast<std::size_t>(i)]) == MPI_SUCCESS, "the plan is made");
  }
  for (int run = 0; run < 2; ++run) {
    for (int i = 0; i < plans; ++i) news[static_cast<std::size_t>(i)] = i % on.size == on.rank ? 1'000 * run + i : -1;
    for (int i = 0; i < plans; ++i) {
      const int next = on.rank % 2 == 0 ? i : plans - 1 - i;
      check(MPI_Start(&requests[static_cast<std::size_t>(next)]) == MPI_SUCCESS, "a run starts");
    }
    check(MPI_Waitall(plans, requests.data(), MPI_STATUSES_IGNORE) == MPI_SUCCESS, "all end");
    for (int i = 0; i < plans; ++i)
      check(news[static_cast<std::size_t>(i)] == 1'000 * run + i, "the data of plan " + std::to_string(i));
  }
  for (MPI_Request& each : requests) MPI_Request_free(&each);
}

/// A type and an operator may be freed as soon as a call has been started with them.
void run_freed_handles(members& on) {
  enter("types and operators freed during calls on " + on.name);
  MPI_Datatype every_other = MPI_DATATYPE_NULL;
  MPI_Op add = MPI_OP_NULL;
  MPI_Type_vector(2, 1, 2, MPI_INT, &every_other);
  MPI_Type_commit(&every_other);
  MPI_Op_create(
      [](void* left, void* right, int* length, MPI_Datatype*) {
        for (int i = 0; i < *length; ++i) static_cast<int*>(right)[i] += static_cast<int*>(left)[i];
      },
      1, &add);
  const int sent[3] = {on.rank, -1, 2 * on.rank};
  std::vector<int> gathered(2 * static_cast<std::size_t>(on.size), -1);
  int sum = -1;
  MPI_Request requests[2];
  check(MPI_Iallgather(sent, 1, every_other, gathered.data(), 2, MPI_INT, on.comm, &requests[0]) == MPI_SUCCESS,
        "the gather starts");
  check(MPI_Iallreduce(&sent[2], &sum, 1, MPI_INT, add, on.comm, &requests[1]) == MPI_SUCCESS, "the sum starts");
  MPI_Type_free(&every_other);
  MPI_Op_free(&add);
  check(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE) == MPI_SUCCESS, "both end");
  bool is_right = sum == 2 * sum_of_ranks(on.size);
  for (int r = 0; r < on.size; ++r)
    is_right = is_right && gathered[2 * static_cast<std::size_t>(r)] == r &&
               gathered[2 * static_cast<std::size_t>(r) + 1] == 2 * r;
  check(is_right, "the results");
}

/// Requests of both kinds complete in one list, by MPI_Waitsome, whatever the order.
void run_lists(members& on) {
  enter("lists of requests on " + on.name);
  constexpr int calls = 5;
  const int next = (on.rank + 1) % on.size, previous = (on.rank + on.size - 1) % on.size;
  int sums[calls], sent = on.rank, received = -1;
  MPI_Request requests[calls + 3];
  for (int i = 0; i < calls; ++i) MPI_Iallreduce(&sent, &sums[i], 1, MPI_INT, MPI_SUM, on.comm, &requests[i]);
  MPI_Irecv(&received, 1, MPI_INT, previous, 9, on.comm, &requests[calls]);
  MPI_Isend(&sent, 1, MPI_INT, next, 9, on.comm, &requests[calls + 1]);
  requests[calls + 2] = MPI_REQUEST_NULL;
  int ended = 0, outcome = 0, indices[calls + 3];
  bool is_seen[calls + 3] = {};
  MPI_Status statuses[calls + 3];
  while (ended < calls + 2) {
    if (MPI_Waitsome(calls + 3, requests, &outcome, indices, statuses) != MPI_SUCCESS || outcome == MPI_UNDEFINED)
      break;
    for (int i = 0; i < outcome; ++i) {
      check(!is_seen[indices[i]], "each request is reported once");
      is_seen[indices[i]] = true;
      if (indices[i] == calls) check(statuses[i].MPI_SOURCE == previous && statuses[i].MPI_TAG == 9, "its status");
    }
    ended += outcome;
  }
  check(ended == calls + 2, "all requests are reported");
  check(MPI_Waitsome(calls + 3, requests, &outcome, indices, statuses) == MPI_SUCCESS && outcome == MPI_UNDEFINED,
        "nothing is left");
  for (int each : sums) check(each == sum_of_ranks(on.size), "a sum");
  check(received == previous, "the message");
}

}  // namespace

void run_requests(members& on) {
  run_persistent(on);
  run_starts_in_any_order(on);
  run_start_all(on);
  run_freed_handles(on);
  run_lists(on);
}

}  // namespace conformance
