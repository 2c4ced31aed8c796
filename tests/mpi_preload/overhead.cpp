// What an intercepted call costs that the MPI library serves: at most 100 ns more than its own. The least time of many
// batches of calls on MPI_COMM_SELF, which do next to nothing in the library itself. Run it with HAWSER_MPI=auto on 2
// ranks.
#include "checks.hpp"

#include <algorithm>
#include <chrono>

namespace {

constexpr int batches = 200, calls = 500;

/// In nanoseconds, of one call.
template <class Call>
double least_time(Call&& call) {
  double least = 1e9;
  for (int b = 0; b < batches; ++b) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) call();
    least = std::min(least, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count());
  }
  return least / calls;
}

template <class Own, class Intercepted>
void check(const char* name, Own&& own, Intercepted&& intercepted) {
  const double before = least_time(own), after = least_time(intercepted);
  if (checks::place_in(MPI_COMM_WORLD).rank == 0)
    std::printf("%s: %.1f ns by itself, %.1f ns intercepted\n", name, before, after);
  checks::expect(after - before < 100, std::string(name) + ": an intercepted call costs 100 ns or more");
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  double in = 1, out = 0;
  int number = 0;
  MPI_Comm self = MPI_COMM_SELF;
  check(
      "Allreduce", [&] { PMPI_Allreduce(&in, &out, 1, MPI_DOUBLE, MPI_SUM, self); },
      [&] { MPI_Allreduce(&in, &out, 1, MPI_DOUBLE, MPI_SUM, self); });
  check(
      "Bcast", [&] { PMPI_Bcast(&in, 1, MPI_DOUBLE, 0, self); }, [&] { MPI_Bcast(&in, 1, MPI_DOUBLE, 0, self); });
  check(
      "Allgather", [&] { PMPI_Allgather(&in, 1, MPI_DOUBLE, &out, 1, MPI_DOUBLE, self); },
      [&] { MPI_Allgather(&in, 1, MPI_DOUBLE, &out, 1, MPI_DOUBLE, self); });
  check(
      "Wait",
      [&] {
        MPI_Request none = MPI_REQUEST_NULL;
        PMPI_Wait(&none, MPI_STATUS_IGNORE);
      },
      [&] {
        MPI_Request none = MPI_REQUEST_NULL;
        MPI_Wait(&none, MPI_STATUS_IGNORE);
      });
  MPI_Bcast(&number, 1, MPI_INT, 0, MPI_COMM_WORLD);
  if (checks::place_in(MPI_COMM_WORLD).rank == 0) std::printf("%d checks passed on each rank\n", checks::checks_made);
  MPI_Finalize();
}
