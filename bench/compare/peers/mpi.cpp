// MPI_Allreduce and MPI_Alltoall of float32 by any MPI. usage: compare_openmpi [name=value...] (timing.hpp)
#include <mpi.h>
#include <unistd.h>

#include <csignal>

#include "timing.hpp"

namespace {

std::string version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::string line(text, static_cast<std::size_t>(length));
  line = line.substr(0, line.find_first_of(",\n"));  // Open MPI adds its packager, MPICH its build
  for (char& letter : line)
    if (letter == '\t' || letter == '"') letter = ' ';
  return line;
}

int run(const compare::options& told) {
  compare::library members{.name = version()};
  MPI_Comm_rank(MPI_COMM_WORLD, &members.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &members.size);
  members.barrier = [] { MPI_Barrier(MPI_COMM_WORLD); };
  members.max_over_ranks = [](std::vector<double>& values) {
    MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  };
  compare::buffers data(told, members);
  const auto block = static_cast<int>(data.block());
  const auto once = [&] {
    if (told.collective == "all_reduce")
      MPI_Allreduce(data.input.data(), data.output.data(), block, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    else
      MPI_Alltoall(data.input.data(), block, MPI_FLOAT, data.output.data(), block, MPI_FLOAT, MPI_COMM_WORLD);
  };
  compare::measure(told, members, data, {}, once);
  members.barrier();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  compare::options told;
  try {
    told = compare::read(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "compare: %s\n", problem.what());
    return 2;
  }
  MPI_Init(&argc, &argv);
  run(told);
  // MPICH 4.0 over UCX may hang in MPI_Finalize with eight and more nodes; the result has been printed by now.
  std::signal(SIGALRM, [](int) { _exit(0); });
  alarm(5);
  MPI_Finalize();
  return 0;
}
