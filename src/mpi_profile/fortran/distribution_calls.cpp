// Fortran's broadcast and scatters under Open MPI: the calls in C with Fortran's handles.
#include "handles.hpp"

#ifdef OPEN_MPI

using namespace hawser::mpi_profile::fortran;

extern "C" __attribute__((visibility("default"))) void ompi_bcast_f(char* buffer, MPI_Fint* count, MPI_Fint* type,
                                                                    MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Bcast(address(buffer), *count, PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_bcast_f, _bcast,
                     (char* buffer, MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ibcast_f(char* buffer, MPI_Fint* count, MPI_Fint* type,
                                                                     MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request,
                                                                     MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ibcast(address(buffer), *count, PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ibcast_f, _ibcast,
                     (char* buffer, MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_bcast_init_f(char* buffer, MPI_Fint* count, MPI_Fint* type,
                                                                          MPI_Fint* root, MPI_Fint* comm,
                                                                          MPI_Fint* info, MPI_Fint* request,
                                                                          MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Bcast_init(address(buffer), *count, PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm),
                                   PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_bcast_init_f, x_bcast_init,
                     (char* buffer, MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info,
                      MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_scatter_f(char* send, MPI_Fint* send_count,
                                                                      MPI_Fint* send_type, char* receive,
                                                                      MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                      MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Scatter(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                            PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_scatter_f, _scatter,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_iscatter_f(char* send, MPI_Fint* send_count,
                                                                       MPI_Fint* send_type, char* receive,
                                                                       MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                       MPI_Fint* comm, MPI_Fint* request,
                                                                       MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Iscatter(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_iscatter_f, _iscatter,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_scatter_init_f(
    char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count, MPI_Fint* type,
    MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Scatter_init(address(send), *send_count, PMPI_Type_f2c(*send_type), address(receive), *count,
                                     PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_scatter_init_f, x_scatter_init,
                     (char* send, MPI_Fint* send_count, MPI_Fint* send_type, char* receive, MPI_Fint* count,
                      MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_scatterv_f(char* send, MPI_Fint* counts, MPI_Fint* places,
                                                                       MPI_Fint* send_type, char* receive,
                                                                       MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                       MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Scatterv(address(send), counts, places, PMPI_Type_f2c(*send_type), address(receive), *count,
                             PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_scatterv_f, _scatterv,
                     (char* send, MPI_Fint* counts, MPI_Fint* places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_iscatterv_f(char* send, MPI_Fint* counts, MPI_Fint* places,
                                                                        MPI_Fint* send_type, char* receive,
                                                                        MPI_Fint* count, MPI_Fint* type, MPI_Fint* root,
                                                                        MPI_Fint* comm, MPI_Fint* request,
                                                                        MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Iscatterv(address(send), counts, places, PMPI_Type_f2c(*send_type), address(receive), *count,
                                 PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_iscatterv_f, _iscatterv,
                     (char* send, MPI_Fint* counts, MPI_Fint* places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* request,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_scatterv_init_f(
    char* send, MPI_Fint* counts, MPI_Fint* places, MPI_Fint* send_type, char* receive, MPI_Fint* count, MPI_Fint* type,
    MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code =
      MPIX_Scatterv_init(address(send), counts, places, PMPI_Type_f2c(*send_type), address(receive), *count,
                         PMPI_Type_f2c(*type), *root, PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_scatterv_init_f, x_scatterv_init,
                     (char* send, MPI_Fint* counts, MPI_Fint* places, MPI_Fint* send_type, char* receive,
                      MPI_Fint* count, MPI_Fint* type, MPI_Fint* root, MPI_Fint* comm, MPI_Fint* info,
                      MPI_Fint* request, MPI_Fint* error))

#endif  // OPEN_MPI
