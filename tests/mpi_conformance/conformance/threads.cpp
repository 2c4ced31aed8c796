// Threads that call collectives at once, each on a communicator of its own, as MPI_THREAD_MULTIPLE allows.
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

#include "comparison.hpp"

namespace conformance {

namespace {

/// One thread's calls: blocking and nonblocking, results by closed forms. Returns how many were wrong.
int work(MPI_Comm comm, int rank, int size, int rounds) {
  int wrong = 0;
  for (int round = 0; round < rounds; ++round) {
    const int count = 1 + round * 37 % 400;
    const auto elements = static_cast<std::size_t>(count);
    std::vector<int> data(elements, rank + round), sums(elements), news(elements, rank == round % size ? round : -1);
    std::vector<int> sent(static_cast<std::size_t>(size)), received(sent.size(), -1);
    std::iota(sent.begin(), sent.end(), rank * 100);
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(data.data(), sums.data(), count, MPI_INT, MPI_SUM, comm, &request);
    MPI_Bcast(news.data(), count, MPI_INT, round % size, comm);
    MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    wrong += sums != std::vector<int>(elements, size * (size - 1) / 2 + size * round) ? 1 : 0;
    wrong += news != std::vector<int>(elements, round) ? 1 : 0;
    for (int r = 0; r < size; ++r) wrong += received[static_cast<std::size_t>(r)] != r * 100 + rank ? 1 : 0;
    if (round % 10 == 9) MPI_Barrier(comm);
  }
  return wrong;
}

}  // namespace

void run_threads(all_members& all, int provided) {
  enter("threads");
  members& world = all.world();
  const std::size_t count = chosen().is_quick ? 2 : 3;
  if (provided < MPI_THREAD_MULTIPLE) {
    if (world.rank == 0) std::printf("conformance: threads are left out, MPI_THREAD_MULTIPLE is not provided\n");
    return;
  }
  std::vector<MPI_Comm> comms(count);
  for (MPI_Comm& each : comms) MPI_Comm_dup(world.comm, &each);
  std::vector<int> wrong(count, -1);
  std::vector<std::thread> threads;
  const int rounds = chosen().is_quick ? 3 : 60;
  for (std::size_t t = 0; t < count; ++t)
    threads.emplace_back([&, t] { wrong[t] = work(comms[t], world.rank, world.size, rounds); });
  for (std::thread& each : threads) each.join();
  for (const int each : wrong) check(each == 0, std::to_string(each) + " results of a thread");
  for (MPI_Comm& each : comms) MPI_Comm_free(&each);
}

}  // namespace conformance
