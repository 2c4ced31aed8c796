// One process per rank under any launcher that sets torchrun's variables (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT):
// an asynchronous all-reduce that overlaps with work, a persistent one, and an all-to-all. Alone it is a job of one
// rank.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <hawser/hawser.hpp>

int main() {
  try {
    hawser::bootstrap::launch launch = hawser::bootstrap::read_launch();
    if (!launch.has_ranks()) {
      launch.rank = 0;
      launch.size = 1;
      launch.master_address = "127.0.0.1";
      launch.master_port = 29'533;
    }
    hawser::communicator comm(hawser::bootstrap::join_store(launch), hawser::options_of(launch));
    const auto n = static_cast<std::size_t>(comm.size());

    std::vector<double> bucket(100'000, 1.0);
    hawser::pending sum = comm.async().all_reduce(bucket, bucket);
    std::vector<int> sent(n, comm.rank().value), received(n);
    comm.all_to_all(sent, received);  // while the sum is under way
    sum.wait();

    hawser::persistent again = comm.persistent().all_reduce(bucket, bucket);
    for (int step = 0; step < 3; ++step) {
      again.start();
      again.wait();
    }
    if (comm.rank() == hawser::rank(0))
      std::printf("%zu ranks, last block from rank %d, sum %g\n", n, received.back(), bucket.front());
    return EXIT_SUCCESS;
  } catch (const hawser::error& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    return EXIT_FAILURE;
  }
}
