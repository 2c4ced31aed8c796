// Fortran's all-to-alls and barrier under Open MPI: the calls in C with Fortran's handles.
#include "handles.hpp"

#ifdef OPEN_MPI

using namespace hawser::mpi_profile::fortran;

extern "C" __attribute__((visibility("default"))) void ompi_alltoall_f(char* send, MPI_Fint* send_count,
                                                                       MPI_Fint* send_type, char* receive,
                                                                       MPI_Fint* count, MPI_Fint* type, MPI_Fint* comm,
                                                                       MPI_Fint* error) {
  finish(error, MPI_Alltoall(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                             PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_alltoall_f, _alltoall,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ialltoall_f(char* send, MPI_Fint* send_count,
                                                                        MPI_Fint* send_type, char* receive,
                                                                        MPI_Fint* count, MPI_Fint* type, MPI_Fint* comm,
                                                                        MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ialltoall(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                 PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ialltoall_f, _ialltoall,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_alltoall_init_f(char* send, MPI_Fint* send_count,
                                                                             MPI_Fint* send_type, char* receive,
                                                                             MPI_Fint* count, MPI_Fint* type,
                                                                             MPI_Fint* comm, MPI_Fint* info,
                                                                             MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Alltoall_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                      PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_alltoall_init_f, x_alltoall_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_alltoallv_f(char* send, MPI_Fint* send_counts,
                                                                        MPI_Fint* send_places, MPI_Fint* send_type,
                                                                        char* receive, MPI_Fint* counts,
                                                                        MPI_Fint* places, MPI_Fint* type,
                                                                        MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Alltoallv(address(send), send_counts, send_places, PMPI_Type_f2c(*send_type), address(receive),
                              counts, places, PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_alltoallv_f, _alltoallv,
                     (char* send, MPI_Fint* send_counts, MPI_Fint* send_places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* counts, MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ialltoallv_f(
    char* send, MPI_Fint* send_counts, MPI_Fint* send_places, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
    MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ialltoallv(address(send), send_counts, send_places, PMPI_Type_f2c(*send_type), address(receive),
                                  counts, places, PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ialltoallv_f, _ialltoallv,
                     (char* send, MPI_Fint* send_counts, MPI_Fint* send_places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* counts, MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_alltoallv_init_f(
    char* send, MPI_Fint* send_counts, MPI_Fint* send_places, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
    MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code =
      MPIX_Alltoallv_init(address(send), send_counts, send_places, PMPI_Type_f2c(*send_type), address(receive), counts,
                          places, PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_alltoallv_init_f, x_alltoallv_init,
                     (char* send, MPI_Fint* send_counts, MPI_Fint* send_places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* counts, MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info,
                      MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_barrier_f(MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Barrier(PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_barrier_f, _barrier, (MPI_Fint * comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ibarrier_f(MPI_Fint* comm, MPI_Fint* request,
                                                                       MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ibarrier(PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ibarrier_f, _ibarrier, (MPI_Fint * comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_barrier_init_f(MPI_Fint* comm, MPI_Fint* info,
                                                                            MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Barrier_init(PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_barrier_init_f, x_barrier_init,
                     (MPI_Fint * comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

#endif  // OPEN_MPI
