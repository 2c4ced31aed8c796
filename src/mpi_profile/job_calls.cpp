// The beginning and the end of MPI, and of hawser's part in it.
#include "process.hpp"

using hawser::mpi_profile::process;

extern "C" {

int MPI_Init(int* argc, char*** argv) {
  const int code = PMPI_Init(argc, argv);
  if (code == MPI_SUCCESS) process::self().start();
  return code;
}

int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  const int code = PMPI_Init_thread(argc, argv, required, provided);
  if (code == MPI_SUCCESS) process::self().start();
  return code;
}

int MPI_Finalize() {
  process::self().stop();
  return PMPI_Finalize();
}

}  // extern "C"
