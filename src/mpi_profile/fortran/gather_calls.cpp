// Fortran's gathers under Open MPI: the calls in C with Fortran's handles.
#include "handles.hpp"

#ifdef OPEN_MPI

using namespace hawser::mpi_profile::fortran;

extern "C" __attribute__((visibility("default"))) void ompi_allgather_f(char* send, MPI_Fint* send_count,
                                                                        MPI_Fint* send_type, char* receive,
                                                                        MPI_Fint* count, MPI_Fint* type, MPI_Fint* comm,
                                                                        MPI_Fint* error) {
  finish(error, MPI_Allgather(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                              PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_allgather_f, _allgather,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_iallgather_f(char* send, MPI_Fint* send_count,
                                                                         MPI_Fint* send_type, char* receive,
                                                                         MPI_Fint* count, MPI_Fint* type,
                                                                         MPI_Fint* comm, MPI_Fint* request,
                                                                         MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Iallgather(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                  PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_iallgather_f, _iallgather,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_allgather_init_f(char* send, MPI_Fint* send_count,
                                                                              MPI_Fint* send_type, char* receive,
                                                                              MPI_Fint* count, MPI_Fint* type,
                                                                              MPI_Fint* comm, MPI_Fint* info,
                                                                              MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Allgather_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                       PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_allgather_init_f, x_allgather_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_allgatherv_f(char* send, MPI_Fint* send_count,
                                                                         MPI_Fint* send_type, char* receive,
                                                                         MPI_Fint* counts, MPI_Fint* places,
                                                                         MPI_Fint* type, MPI_Fint* comm,
                                                                         MPI_Fint* error) {
  finish(error, MPI_Allgatherv(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts, places,
                               PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_allgatherv_f, _allgatherv,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_iallgatherv_f(char* send, MPI_Fint* send_count,
                                                                          MPI_Fint* send_type, char* receive,
                                                                          MPI_Fint* counts, MPI_Fint* places,
                                                                          MPI_Fint* type, MPI_Fint* comm,
                                                                          MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Iallgatherv(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts,
                                   places, PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_iallgatherv_f, _iallgatherv,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_allgatherv_init_f(
    char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts, MPI_Fint* places,
    MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code =
      MPIX_Allgatherv_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts, places,
                           PMPI_Type_f2c(*type), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_allgatherv_init_f, x_allgatherv_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_gather_f(char* send, MPI_Fint* send_count,
                                                                     MPI_Fint* send_type, char* receive,
                                                                     MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                     MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Gather(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                           PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_gather_f, _gather,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_igather_f(char* send, MPI_Fint* send_count,
                                                                      MPI_Fint* send_type, char* receive,
                                                                      MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                      MPI_Fint* comm, MPI_Fint* request,
                                                                      MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Igather(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                               PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_igather_f, _igather,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_gather_init_f(
    char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count, MPI_Fint* type,
    MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Gather_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                    PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_gather_init_f, x_gather_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_gatherv_f(char* send, MPI_Fint* send_count,
                                                                      MPI_Fint* send_type, char* receive,
                                                                      MPI_Fint* counts, MPI_Fint* places,
                                                                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm,
                                                                      MPI_Fint* error) {
  finish(error, MPI_Gatherv(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts, places,
                            PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_gatherv_f, _gatherv,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_igatherv_f(char* send, MPI_Fint* send_count,
                                                                       MPI_Fint* send_type, char* receive,
                                                                       MPI_Fint* counts, MPI_Fint* places,
                                                                       MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm,
                                                                       MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Igatherv(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts, places,
                                PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_igatherv_f, _igatherv,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_gatherv_init_f(
    char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts, MPI_Fint* places,
    MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code =
      MPIX_Gatherv_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), counts, places,
                        PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_gatherv_init_f, x_gatherv_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* counts,
                      MPI_Fint* places, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info,
                      MPI_Fint* request, MPI_Fint* error))

#endif  // OPEN_MPI
