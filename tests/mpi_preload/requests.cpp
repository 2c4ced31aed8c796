// Requests of non-blocking and persistent collectives among others of MPI's, on several communicators and threads, and
// MPI's own messages that must move while ranks wait in a collective. Run it with libhawser-mpi.so preloaded.
#include "checks.hpp"

#include <array>
#include <thread>

#include "../../src/mpi_profile/persistent_names.hpp"

using checks::expect;
using checks::place;

namespace {

place world;

/// Whether hawser serves; what the libraries' own calls get wrong is then looked at too.
bool is_forced() {
  const char* const mode = std::getenv("HAWSER_MPI");
  return mode != nullptr && std::string(mode) == "force";
}

int sum_of_ranks(int size) {
  return size * (size - 1) / 2;
}

/// Rank 0's large message can only end while it waits in a collective: its receiver comes to that afterwards.
void check_messages_move() {
  const std::size_t count = std::size_t{1} << 20;
  std::vector<int> data(count, 7);
  int one = 1, all = 0;
  if (world.size < 2) return;
  MPI_Request sent = MPI_REQUEST_NULL;
  if (world.rank == 0) MPI_Isend(data.data(), static_cast<int>(count), MPI_INT, 1, 5, MPI_COMM_WORLD, &sent);
  if (world.rank == 1) {
    std::fill(data.begin(), data.end(), 0);
    MPI_Recv(data.data(), static_cast<int>(count), MPI_INT, 0, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    expect(data.front() == 7 && data.back() == 7, "the message arrived");
  }
  MPI_Allreduce(&one, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  expect(all == world.size, "all-reduce beside a message");
  if (world.rank == 0) MPI_Wait(&sent, MPI_STATUS_IGNORE);
}

/// A rank that waits in MPI_Recv still does its part of a broadcast that it has started.
void check_collectives_move() {
  if (world.size < 2) return;
  std::vector<int> data(50'000, world.rank == 0 ? 3 : 0);
  MPI_Request request;
  MPI_Ibcast(data.data(), 50'000, MPI_INT, 0, MPI_COMM_WORLD, &request);
  int token = 0;
  if (world.rank == world.size - 1) {
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    for (int r = 0; r < world.size - 1; ++r) MPI_Send(&token, 1, MPI_INT, r, 6, MPI_COMM_WORLD);
  } else {
    MPI_Recv(&token, 1, MPI_INT, world.size - 1, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
  }
  expect(request == MPI_REQUEST_NULL && data.front() == 3 && data.back() == 3, "broadcast beside a receive");
}

/// A ring of messages and two collectives in one list; `end` waits for it all.
template <class End>
void check_list(const char* name, End&& end) {
  const int next = (world.rank + 1) % world.size, previous = (world.rank + world.size - 1) % world.size;
  int out = world.rank, in = -1, sum = -1, greatest = -1;
  std::array<MPI_Request, 5> list;
  list.fill(MPI_REQUEST_NULL);
  MPI_Irecv(&in, 1, MPI_INT, previous, 7, MPI_COMM_WORLD, &list[0]);
  MPI_Iallreduce(&out, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &list[1]);
  MPI_Isend(&out, 1, MPI_INT, next, 7, MPI_COMM_WORLD, &list[2]);
  MPI_Iallreduce(&out, &greatest, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &list[4]);
  end(list);
  for (const MPI_Request each : list) expect(each == MPI_REQUEST_NULL, std::string(name) + " frees the requests");
  expect(in == previous, std::string(name) + ": the message");
  expect(sum == sum_of_ranks(world.size) && greatest == world.size - 1, std::string(name) + ": the collectives");
}

void check_lists() {
  check_list("MPI_Waitall", [](auto& list) { MPI_Waitall(5, list.data(), MPI_STATUSES_IGNORE); });
  check_list("MPI_Testall", [](auto& list) {
    std::array<MPI_Status, 5> statuses;
    for (int flag = 0; !flag;) MPI_Testall(5, list.data(), &flag, statuses.data());
  });
  check_list("MPI_Waitany", [](auto& list) {
    int ended = 0;
    for (int index = 0; index != MPI_UNDEFINED; ++ended) MPI_Waitany(5, list.data(), &index, MPI_STATUS_IGNORE);
    expect(ended == 5, "MPI_Waitany tells each of four requests once, and then that there is none");
  });
  check_list("MPI_Testany", [](auto& list) {
    for (int ended = 0; ended < 4;) {
      int index = -1, flag = 0;
      MPI_Testany(5, list.data(), &index, &flag, MPI_STATUS_IGNORE);
      if (flag) expect(index != MPI_UNDEFINED, "MPI_Testany knows of what is under way");
      if (flag) ++ended;
    }
  });
  check_list("MPI_Waitsome", [](auto& list) {
    std::array<int, 5> indices;
    for (int ended = 0, some = 0; ended < 4; ended += some)
      MPI_Waitsome(5, list.data(), &some, indices.data(), MPI_STATUSES_IGNORE);
  });
  check_list("MPI_Testsome", [](auto& list) {
    std::array<int, 5> indices;
    for (int ended = 0, some = 0; ended < 4; ended += some)
      MPI_Testsome(5, list.data(), &some, indices.data(), MPI_STATUSES_IGNORE);
  });
  check_list("MPI_Request_get_status and MPI_Test", [](auto& list) {
    for (MPI_Request& each : list) {
      for (int flag = 0; !flag;) MPI_Request_get_status(each, &flag, MPI_STATUS_IGNORE);
      for (int flag = 0; !flag;) MPI_Test(&each, &flag, MPI_STATUS_IGNORE);
    }
  });
}

/// Persistent all-reduces and a barrier, started one by one and together, mixed with a persistent message.
void check_persistent() {
  const int next = (world.rank + 1) % world.size, previous = (world.rank + world.size - 1) % world.size;
  std::vector<int> in(1000), out(1000);
  int sent = 0, received = 0;
  std::array<MPI_Request, 4> list;
  HAWSER_MPI_INIT(Allreduce)
  (in.data(), out.data(), 1000, MPI_INT, MPI_SUM, MPI_COMM_WORLD, MPI_INFO_NULL, &list[0]);
  HAWSER_MPI_INIT(Barrier)(MPI_COMM_WORLD, MPI_INFO_NULL, &list[1]);
  MPI_Send_init(&sent, 1, MPI_INT, next, 8, MPI_COMM_WORLD, &list[2]);
  MPI_Recv_init(&received, 1, MPI_INT, previous, 8, MPI_COMM_WORLD, &list[3]);
  int flag = 0;
  MPI_Test(&list[0], &flag, MPI_STATUS_IGNORE);
  expect(flag == 1, "an inactive persistent request is complete");
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1000; ++i) in[static_cast<std::size_t>(i)] = world.rank + round + i;
    sent = 100 * round + world.rank;
    if (round % 2 == 0) {
      MPI_Startall(4, list.data());
      MPI_Waitall(4, list.data(), MPI_STATUSES_IGNORE);
    } else {
      for (MPI_Request& each : list) MPI_Start(&each);
      for (int ended = 0; ended < 4; ++ended) {
        int index = -1;
        MPI_Waitany(4, list.data(), &index, MPI_STATUS_IGNORE);
        expect(index >= 0 && index < 4, "MPI_Waitany ends active persistent requests");
      }
    }
    for (int i = 0; i < 1000; ++i)
      expect(out[static_cast<std::size_t>(i)] == sum_of_ranks(world.size) + world.size * (round + i), "persistent sum");
    expect(received == 100 * round + previous, "persistent message");
  }
  for (MPI_Request& each : list) {
    MPI_Request_free(&each);
    expect(each == MPI_REQUEST_NULL, "MPI_Request_free");
  }
}

/// Several collectives in flight on two communicators, ended in another order; one communicator is freed meanwhile.
void check_several() {
  MPI_Comm copy;
  MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  MPI_Barrier(copy);
  std::vector<int> in(40), out(40, -1);
  std::vector<MPI_Request> list(40);
  for (std::size_t i = 0; i < list.size(); ++i) {
    in[i] = world.rank + static_cast<int>(i);
    MPI_Iallreduce(&in[i], &out[i], 1, MPI_INT, MPI_SUM, i % 2 ? copy : MPI_COMM_WORLD, &list[i]);
  }
  // Open MPI 4.1's own non-blocking collectives do not outlive their communicator, as MPI says they do.
  if (is_forced()) MPI_Comm_free(&copy);
  for (std::size_t i = list.size(); i-- > 0;) MPI_Wait(&list[i], MPI_STATUS_IGNORE);
  if (!is_forced()) MPI_Comm_free(&copy);
  for (std::size_t i = 0; i < list.size(); ++i)
    expect(out[i] == sum_of_ranks(world.size) + world.size * static_cast<int>(i), "one of several");
}

/// Pairs of neighbours and then the pairs in between: some members have measured this on another pair, others not.
void check_pairs() {
  std::vector<int> in(5000, world.rank), out(5000);
  for (const int shift : {0, 1, 0}) {
    MPI_Comm pair;
    MPI_Comm_split(MPI_COMM_WORLD, (world.rank + shift) / 2, world.rank, &pair);
    const place own = checks::place_in(pair);
    const int expected = own.size == 1 ? world.rank : 2 * world.rank + (own.rank == 0 ? 1 : -1);
    for (int round = 0; round < 6; ++round) {
      MPI_Allreduce(in.data(), out.data(), 5000, MPI_INT, MPI_SUM, pair);
      expect(out.front() == expected && out.back() == expected, "in pairs");
    }
    MPI_Comm_free(&pair);
  }
}

/// Each thread has communicators of its own, which it also makes.
void check_threads() {
  constexpr int threads = 3;
  std::array<MPI_Comm, threads> comms;
  for (MPI_Comm& each : comms) MPI_Comm_dup(MPI_COMM_WORLD, &each);
  const auto work = [&](int number) {
    MPI_Comm& own = comms[static_cast<std::size_t>(number)];
    for (int round = 0; round < 30; ++round) {
      int in = number + world.rank, out = -1, later = -1;
      MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_SUM, own);
      MPI_Request request;
      MPI_Iallreduce(&in, &later, 1, MPI_INT, MPI_MAX, own, &request);
      MPI_Wait(&request, MPI_STATUS_IGNORE);
      expect(out == sum_of_ranks(world.size) + number * world.size && later == number + world.size - 1, "in a thread");
    }
    MPI_Comm part;
    MPI_Comm_split(own, world.rank % 2, 0, &part);
    MPI_Barrier(part);
    MPI_Comm_free(&part);
  };
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(work, i);
  for (std::thread& each : all) each.join();
  for (MPI_Comm& each : comms) MPI_Comm_free(&each);
}

/// More communicators than hawser has numbers for: MPI serves what is left, and all ranks know.
void check_many_communicators() {
  std::vector<MPI_Comm> many(150);
  int one = 1, all = 0;
  for (MPI_Comm& each : many) {
    MPI_Comm_dup(MPI_COMM_WORLD, &each);
    MPI_Allreduce(&one, &all, 1, MPI_INT, MPI_SUM, each);
    expect(all == world.size, "on one of many communicators");
  }
  for (MPI_Comm& each : many) MPI_Comm_free(&each);
}

/// MPI's own checks report wrong arguments, and the library goes on.
void check_errors() {
  MPI_Comm copy;
  MPI_Comm_dup(MPI_COMM_WORLD, &copy);
  MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN);
  int in = 1, out = 0;
  const auto expect_same = [](int code, int expected, const char* what) {
    int found_class = 0, expected_class = 0;
    MPI_Error_class(code, &found_class);
    MPI_Error_class(expected, &expected_class);
    expect(found_class == expected_class && found_class != MPI_SUCCESS, what);
  };
#ifdef OPEN_MPI  // MPICH 4.0.2 overwrites its stack while it writes the message of an error of MPI_Allreduce
  const MPI_Datatype none = MPI_DATATYPE_NULL;
  expect_same(MPI_Allreduce(&in, &out, -1, MPI_INT, MPI_SUM, copy),
              PMPI_Allreduce(&in, &out, -1, MPI_INT, MPI_SUM, copy), "a negative count");
  expect_same(MPI_Allreduce(&in, &out, 1, none, MPI_SUM, copy), PMPI_Allreduce(&in, &out, 1, none, MPI_SUM, copy),
              "no type");
  expect_same(MPI_Allreduce(&in, &out, 1, MPI_FLOAT, MPI_BAND, copy),
              PMPI_Allreduce(&in, &out, 1, MPI_FLOAT, MPI_BAND, copy), "an operator that is not defined");
  std::vector<int> all(static_cast<std::size_t>(world.size));
  expect_same(MPI_Allgather(&in, -1, MPI_INT, all.data(), -1, MPI_INT, copy),
              PMPI_Allgather(&in, -1, MPI_INT, all.data(), -1, MPI_INT, copy), "a negative count of blocks");
#endif
  expect_same(MPI_Bcast(&in, -1, MPI_INT, 0, copy), PMPI_Bcast(&in, -1, MPI_INT, 0, copy), "a negative count");
  expect_same(MPI_Bcast(&in, 1, MPI_INT, world.size, copy), PMPI_Bcast(&in, 1, MPI_INT, world.size, copy),
              "a root out of range");
  MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_SUM, copy);
  expect(out == world.size, "all-reduce after errors");
  MPI_Comm_free(&copy);
}

/// mpi4py 3.1 frees the counts and displacements of its Iallgatherv when the call is back, and the MPI libraries bear
/// it: they have read them by then. Blocks with gaps, so that hawser moves them at the end.
void check_counts_end_early() {
  const auto size = static_cast<std::size_t>(world.size);
  const auto run = [&](bool is_persistent) {
    std::vector<int> counts(size, 1), places(size), sent(size, world.rank), got(2 * size, -1), exchanged(2 * size, -1);
    for (std::size_t r = 0; r < size; ++r) places[r] = static_cast<int>(2 * r);
    std::vector<int> from(2 * size, world.rank);
    std::array<MPI_Request, 2> both{};
    const auto of = [](std::vector<int>& all) { return all.data(); };
    if (is_persistent) {
      HAWSER_MPI_INIT(Allgatherv)
      (of(sent), 1, MPI_INT, of(got), of(counts), of(places), MPI_INT, MPI_COMM_WORLD, MPI_INFO_NULL, &both[0]);
      HAWSER_MPI_INIT(Alltoallv)
      (of(from), of(counts), of(places), MPI_INT, of(exchanged), of(counts), of(places), MPI_INT, MPI_COMM_WORLD,
       MPI_INFO_NULL, &both[1]);
    } else {
      MPI_Iallgatherv(of(sent), 1, MPI_INT, of(got), of(counts), of(places), MPI_INT, MPI_COMM_WORLD, &both[0]);
      MPI_Ialltoallv(of(from), of(counts), of(places), MPI_INT, of(exchanged), of(counts), of(places), MPI_INT,
                     MPI_COMM_WORLD, &both[1]);
    }
    std::fill(counts.begin(), counts.end(), 0);
    std::fill(places.begin(), places.end(), 0);
    if (is_persistent) MPI_Startall(2, both.data());
    MPI_Waitall(2, both.data(), MPI_STATUSES_IGNORE);
    for (std::size_t r = 0; r < size; ++r) {
      expect(got[2 * r] == static_cast<int>(r) && got[2 * r + 1] == -1, "all-gather whose counts are gone");
      expect(exchanged[2 * r] == static_cast<int>(r) && exchanged[2 * r + 1] == -1, "all-to-all whose counts are gone");
    }
    for (MPI_Request& each : both)
      if (each != MPI_REQUEST_NULL) MPI_Request_free(&each);
  };
  run(false);
  run(true);
}
}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  world = checks::place_in(MPI_COMM_WORLD);
  check_messages_move();
  check_collectives_move();
  check_lists();
#ifdef OPEN_MPI
  check_persistent();
#else
  if (is_forced()) check_persistent();  // MPICH 4.0.2's own persistent collectives fail in MPI_Startall now and then
#endif
  check_several();
  check_pairs();
  if (is_forced()) check_counts_end_early();
  check_errors();
  check_many_communicators();
  if (provided == MPI_THREAD_MULTIPLE)
    check_threads();
  else if (world.rank == 0)
    std::printf("MPI does not provide MPI_THREAD_MULTIPLE: threads are not checked\n");
  if (world.rank == 0) std::printf("%d checks passed on each rank\n", checks::checks_made);
  MPI_Finalize();
}
