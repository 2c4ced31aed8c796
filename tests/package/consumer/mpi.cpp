// Uses hawser::mpi: a job of one process finds itself through MPI.
#include <hawser/mpi/bootstrap.hpp>

#include <iostream>

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  int size = 0;
  {
    const auto job = hawser::mpi::mpi_bootstrap(MPI_COMM_WORLD);
    size = job->size();
    job->leave();
  }
  MPI_Finalize();
  std::cout << "consumed hawser::mpi: " << size << " process\n";
  return size == 1 ? 0 : 1;
}
